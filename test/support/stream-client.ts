import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';

export interface StreamOptions {
  readonly key: string;
  readonly idempotencyKey?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A line of the answer. */
export interface Line {
  readonly event: 'stream' | 'submission' | 'complete' | 'refused';
  readonly id: string;
  readonly rows: number;
  readonly first_row: number;
  readonly last_row: number;
  readonly committed_row: number;
  readonly repeated: boolean | number;
  readonly submissions: number;
  readonly code?: string;
  readonly findings: Readonly<Record<string, number>>;
  readonly [member: string]: unknown;
}

/** A stream over a connection of its own, which a test can break, or leave alone. */
export class StreamClient {
  readonly lines: Line[] = [];
  readonly status: Promise<number>;
  /** The rest of an answer that is not one of lines. */
  problem: Record<string, unknown> | undefined;
  readonly #request: ClientRequest;
  readonly #ended: Promise<void>;
  #told: (() => void)[] = [];
  #room: (() => void) | undefined;
  #error: Error | undefined;

  constructor(url: string, options: StreamOptions) {
    const search = new URLSearchParams(options.query).toString();
    this.#request = request(`${url}/v1/streams${search === '' ? '' : `?${search}`}`, {
      method: 'POST',
      agent: false,
      headers: {
        authorization: `Bearer ${options.key}`,
        'content-type': 'text/csv',
        ...(options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }),
        ...options.headers,
      },
    });
    this.#request.on('error', (error) => {
      this.#error = error;
      this.#tell();
    });
    for (const event of ['drain', 'close', 'error'] as const) this.#request.on(event, () => this.#room?.());
    const response = new Promise<IncomingMessage | undefined>((resolve) => {
      this.#request.once('response', resolve);
      this.#request.once('error', () => resolve(undefined));
    });
    this.status = response.then((answer) => answer?.statusCode ?? 0);
    this.#ended = response.then((answer) => (answer ? this.#read(answer) : undefined));
    this.#request.flushHeaders();
  }

  /** Resolves when more may be sent. */
  async write(data: string | Buffer): Promise<void> {
    if (this.#request.destroyed || this.#request.write(data)) return;
    await new Promise<void>((resolve) => {
      this.#room = resolve;
    });
  }

  /** Bytes that the connection has taken. */
  get sent(): number {
    return this.#request.socket?.bytesWritten ?? 0;
  }

  /** Nothing more comes. */
  end(data?: string | Buffer): void {
    if (data === undefined) this.#request.end();
    else this.#request.end(data);
  }

  /** The connection breaks. */
  break(): void {
    this.#request.destroy();
  }

  /** The first line for which `test` holds; undefined when the answer ends without one. */
  async line(test: (line: Line) => boolean): Promise<Line | undefined> {
    let ended = false;
    void this.#ended.then(() => {
      ended = true;
      this.#tell();
    });
    for (;;) {
      const found = this.lines.find(test);
      if (found || ended || this.#error) return found;
      await new Promise<void>((resolve) => this.#told.push(resolve));
    }
  }

  /** The last line, once the answer has ended. */
  async result(): Promise<Line> {
    await this.#ended;
    const last = this.lines.at(-1);
    if (!last) throw this.#error ?? new Error(`no answer: ${JSON.stringify(this.problem)}`);
    return last;
  }

  async #read(response: IncomingMessage): Promise<void> {
    const isLines = response.headers['content-type']?.startsWith('application/x-ndjson');
    let text = '';
    try {
      for await (const line of createInterface({ input: response })) {
        if (isLines) this.lines.push(JSON.parse(line));
        else text += line;
        this.#tell();
      }
    } catch (error) {
      this.#error = error as Error;
    }
    if (text !== '') this.problem = JSON.parse(text);
  }

  #tell(): void {
    const told = this.#told;
    this.#told = [];
    for (const resolve of told) resolve();
  }
}

/** Sends all of it, and gives the lines. */
export async function stream(
  url: string,
  options: StreamOptions,
  body: string | Buffer,
): Promise<{ lines: readonly Line[]; last: Line }> {
  const client = new StreamClient(url, options);
  await client.write(body);
  client.end();
  const last = await client.result();
  return { lines: client.lines, last };
}
