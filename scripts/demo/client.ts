/** A person's view of the gateway: requests with a key, answers as JSON, refusals as errors that say why. */
export class GatewayClient {
  readonly #url: string;
  readonly #key: string;
  #declaration: Promise<string> | undefined;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  get<T>(path: string): Promise<T> {
    return this.#call<T>(path, { method: 'GET' });
  }

  post<T>(path: string, body: object, headers: Record<string, string> = {}): Promise<T> {
    return this.#call<T>(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  /** Uploads a file, and makes the declaration that goes with it. */
  async upload<T>(path: string, csv: string): Promise<T> {
    this.#declaration ??= this.#currentDeclaration();
    const declared = `${path}${path.includes('?') ? '&' : '?'}declaration=${await this.#declaration}`;
    return this.#call<T>(declared, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: csv });
  }

  /** The version of the declaration for file uploads that holds today. */
  async #currentDeclaration(): Promise<string> {
    type Text = { id: string; kind: string; current: boolean };
    const { declarations } = await this.get<{ declarations: Text[] }>('/v1/declarations');
    return declarations.find(({ kind, current }) => kind === 'file_upload' && current)!.id;
  }

  async #call<T>(path: string, init: RequestInit): Promise<T> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#key}` };
    const response = await fetch(`${this.#url}${path}`, { ...init, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method} ${path} was answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }
}

/** Asks until `done`, and gives the last answer. Rejects when that takes longer than `timeoutMs`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  done: (answer: T) => boolean,
  timeoutMs: number,
  seen: (answer: T) => void = () => undefined,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    seen(answer);
    if (done(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what} took longer than ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
