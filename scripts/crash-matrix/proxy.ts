import { connect, createServer, type Server, type Socket } from 'node:net';

/** `swallow`: the piece never arrives, and nobody is told. `cut`: the connection is reset at both ends. */
export type Verdict = 'pass' | 'swallow' | 'cut';

/** One connection through a proxy; taps may keep what they know of it under it. */
export interface Connection {
  readonly client: Socket;
  readonly engine: Socket;
}

/** Looks at every piece that passes, and says what becomes of it. */
export type Tap = (from: 'client' | 'engine', piece: Buffer, connection: Connection) => Verdict;

/** Stands between the services and one engine, on a port of its own that stays when the engine is away. */
export class EngineProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  /** Port of the engine on this machine. */
  target = 0;
  tap: Tap | undefined;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (client) => this.#join(client));
  }

  static async open(): Promise<EngineProxy> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new EngineProxy(server, (server.address() as { port: number }).port);
  }

  /** Resets every connection. */
  cutAll(): void {
    for (const connection of [...this.#connections]) this.#cut(connection);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cutAll();
    await closed;
  }

  #join(client: Socket): void {
    const engine = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    const connection = { client, engine };
    this.#connections.add(connection);
    this.#pump('client', client, engine, connection);
    this.#pump('engine', engine, client, connection);
  }

  #pump(from: 'client' | 'engine', source: Socket, sink: Socket, connection: Connection): void {
    source.setNoDelay(true);
    source.on('data', (piece: Buffer) => {
      const verdict = this.tap?.(from, piece, connection) ?? 'pass';
      if (verdict === 'cut') this.#cut(connection);
      if (verdict !== 'pass' || sink.destroyed) return;
      if (!sink.write(piece)) {
        source.pause();
        sink.once('drain', () => source.resume());
      }
    });
    source.on('end', () => sink.end());
    source.on('error', () => this.#cut(connection));
    source.on('close', () => {
      this.#connections.delete(connection);
      sink.destroy();
    });
  }

  #cut({ client, engine }: Connection): void {
    for (const socket of [client, engine]) if (!socket.destroyed) socket.resetAndDestroy();
  }
}
