import { Agent, type IncomingMessage, request } from 'node:http';

export interface SubmissionState {
  readonly id: string;
  readonly state: string;
  readonly received: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly imbalance: number | null;
}

/** Speaks to the gateway over kept connections, as cheaply as Node can: it shares the cores with what it measures. */
export class Uploader {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #url: string;
  readonly #key: string;
  readonly #declaration: string;

  constructor(url: string, key: string, declaration: string) {
    this.#url = url;
    this.#key = key;
    this.#declaration = declaration;
  }

  /** Resolves with the id when the gateway has answered 202. */
  async upload(csv: Buffer): Promise<string> {
    const accepted = await this.#call<{ id: string }>(
      'POST',
      `/v1/submissions?declaration=${this.#declaration}`,
      202,
      csv,
    );
    return accepted.id;
  }

  state(id: string, waitMs: number): Promise<SubmissionState> {
    return this.#call<SubmissionState>('GET', `/v1/submissions/${id}?wait_ms=${waitMs}`, 200);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #call<T>(method: string, path: string, expected: number, body?: Buffer): Promise<T> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${this.#key}`,
        ...(body ? { 'content-type': 'text/csv', 'content-length': body.length } : {}),
      };
      const sent = request(`${this.#url}${path}`, { method, headers, agent: this.#agent }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    if (response.statusCode !== expected)
      throw new Error(`${method} ${path} was answered ${response.statusCode}: ${text}`);
    return JSON.parse(text) as T;
  }
}

/** Does `work` for each item, at most `inFlight` at a time, in order of the items. */
export async function forEachInFlight<T>(
  items: Iterable<T>,
  inFlight: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}
