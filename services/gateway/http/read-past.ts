import type { IncomingMessage } from 'node:http';
import type { LoadLimits } from './server.ts';

type BodyLimits = Pick<LoadLimits, 'bodyMs' | 'bodyWindowMs' | 'bodyWindowBytes'>;

/** So much of a body that nobody wants is read past; looked at once in a while. */
const readPastBytes = 1024 * 1024 * 1024;
const lookMs = 1_000;
/** How long of streams, which have no end, of who is nobody here, and of a process that ends. */
const shortMs = 5_000;

/**
 * What is still to come of a body when its answer has gone out: closing at once would take the answer from whoever sends
 * everything before reading. It may come as slowly, and for as long, as a body that is wanted.
 */
export class ReadPast {
  readonly #limits: BodyLimits;
  readonly #open = new Set<IncomingMessage>();
  #ending = false;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** Of an answered request. `long`: as a body may take; whoever streams reads meanwhile, and soon knows. */
  rest(request: IncomingMessage, long: boolean): void {
    if (request.complete || request.destroyed) return;
    const { bodyMs, bodyWindowMs, bodyWindowBytes } = this.#limits;
    // Node drops these bytes without telling the request: the connection alone has counted them.
    const { socket } = request;
    const begun = socket.bytesRead;
    let before = begun;
    const window = setInterval(() => {
      if (socket.bytesRead - before < bodyWindowBytes) request.destroy();
      before = socket.bytesRead;
    }, bodyWindowMs);
    const look = setInterval(() => {
      if (socket.bytesRead - begun > readPastBytes) request.destroy();
    }, lookMs);
    const end = setTimeout(() => request.destroy(), this.#ending || !long ? shortMs : bodyMs);
    const done = () => {
      clearInterval(window);
      clearInterval(look);
      clearTimeout(end);
      this.#open.delete(request);
    };
    this.#open.add(request);
    request.once('end', done).once('close', done).resume();
  }

  /** Nobody is to keep a process that ends. */
  end(): void {
    this.#ending = true;
    const open = [...this.#open];
    setTimeout(() => {
      for (const request of open) if (this.#open.has(request)) request.destroy();
    }, shortMs).unref();
  }
}
