import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Moment = 'before' | 'after';

/**
 * Stands between a process and ClickHouse. At its nth insert of verdicts the process is killed: before the server has heard
 * of it, or after it has answered, and before the process hears of that.
 */
export class KillProxy {
  readonly url: string;
  readonly #close: () => void;
  #plan: { at: number; readonly moment: Moment; readonly kill: () => void } | undefined;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  static async open(clickhouseUrl: string): Promise<KillProxy> {
    const server = createServer(
      (incoming, outgoing) => void proxy.#handle(clickhouseUrl, incoming, outgoing),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const close = () => {
      server.closeAllConnections();
      server.close();
    };
    const proxy = new KillProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, close);
    return proxy;
  }

  killAt(at: number, moment: Moment, kill: () => void): void {
    this.#plan = { at, moment, kill };
  }

  close(): void {
    this.#close();
  }

  async #handle(clickhouseUrl: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body: Buffer[] = [];
    for await (const chunk of incoming) body.push(chunk as Buffer);
    const plan = this.#plan;
    const due =
      new URL(incoming.url ?? '/', clickhouseUrl).searchParams
        .get('query')
        ?.includes('INSERT INTO assessment_rows') &&
      plan &&
      --plan.at === 0;
    if (due && plan.moment === 'before') return plan.kill();
    const { 'transfer-encoding': _, ...headers } = incoming.headers;
    const onward = request(
      new URL(incoming.url ?? '/', clickhouseUrl),
      {
        method: incoming.method,
        headers: { ...headers, 'content-length': String(Buffer.concat(body).length) },
      },
      (answer) => {
        if (due) {
          answer.resume();
          answer.once('end', plan.kill);
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    outgoing.on('error', () => onward.destroy());
    onward.end(Buffer.concat(body));
  }
}
