import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';

export interface Answer {
  readonly status: number;
  readonly ms: number;
  readonly text: string;
}

export interface StreamEnd {
  readonly event: string;
  readonly code?: string;
  readonly rows: number;
  readonly submissions: number;
  readonly committed_row: number;
}

/** Requests over kept connections, as one account. */
export class LoadClient {
  readonly url: string;
  readonly key: string;
  readonly #agent: Agent;

  constructor(url: string, key: string, sockets = 64) {
    this.url = url;
    this.key = key;
    this.#agent = new Agent({ keepAlive: true, maxSockets: sockets });
  }

  close(): void {
    this.#agent.destroy();
  }

  open(path: string, headers: Readonly<Record<string, string | number>>, kept = true): ClientRequest {
    return request(`${this.url}${path}`, {
      method: 'POST',
      agent: kept ? this.#agent : false,
      headers: { authorization: `Bearer ${this.key}`, ...headers },
    });
  }

  /** Never rejects: a connection that breaks is an answer of status 0. */
  async post(path: string, body: Buffer, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const begun = performance.now();
    const done = (status: number, text: string) => ({ status, text, ms: performance.now() - begun });
    try {
      const sent = this.open(path, { ...headers, 'content-length': body.length });
      sent.end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return done(response.statusCode ?? 0, Buffer.concat(chunks).toString());
    } catch (error) {
      return done(0, String(error));
    }
  }

  upload(csv: Buffer): Promise<Answer> {
    return this.post('/v1/submissions?declaration=file-upload-1', csv, { 'content-type': 'text/csv' });
  }

  lookUp(serials: readonly string[]): Promise<Answer> {
    const body = Buffer.from(JSON.stringify({ product: 'panel', serials }));
    return this.post('/v1/serials/lookup', body, { 'content-type': 'application/json' });
  }

  /** Sends pieces as fast as the connection takes them; `sent` is told of each. */
  async stream(
    pieces: Iterable<string | Buffer>,
    options: {
      readonly idempotencyKey: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly sent?: (bytes: number) => void;
      readonly told?: (line: StreamEnd) => void;
    },
  ): Promise<StreamEnd> {
    const headers = {
      'content-type': 'text/csv',
      'idempotency-key': options.idempotencyKey,
      ...options.headers,
    };
    const sending = this.open('/v1/streams', headers, false);
    const end = this.#linesOf(sending, options.told);
    sending.flushHeaders();
    let room: (() => void) | undefined;
    for (const event of ['drain', 'close', 'error'] as const) sending.on(event, () => room?.());
    for (const piece of pieces) {
      if (sending.destroyed) break;
      options.sent?.(piece.length);
      if (sending.write(piece)) continue;
      await new Promise<void>((resolve) => {
        room = resolve;
      });
    }
    sending.end();
    return end;
  }

  async #linesOf(sending: ClientRequest, told?: (line: StreamEnd) => void): Promise<StreamEnd> {
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    let last = '';
    for await (const line of createInterface({ input: response })) {
      last = line;
      if (response.statusCode === 200) told?.(JSON.parse(line));
    }
    if (response.statusCode !== 200) throw new Error(`a stream was answered ${response.statusCode}: ${last}`);
    return JSON.parse(last);
  }
}
