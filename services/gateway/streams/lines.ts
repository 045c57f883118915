import { Readable } from 'node:stream';

const waitingBytesMax = 1024 * 1024;

/** Lines of JSON for whoever reads them, who may be slow: they wait in memory, up to a point. */
export class Lines extends Readable {
  readonly #patienceMs: number;
  #room: (() => void) | undefined;

  constructor(patienceMs: number) {
    super({ highWaterMark: waitingBytesMax });
    this.#patienceMs = patienceMs;
    this.once('close', () => this.#room?.());
  }

  override _read(): void {
    this.#room?.();
  }

  /** Resolves when there is room for more: true, or false when nobody reads. */
  async tell(line: object): Promise<boolean> {
    if (this.destroyed) return false;
    if (this.push(`${JSON.stringify(line)}\n`)) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), this.#patienceMs);
    this.#room = () => resolve(!this.destroyed);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#room = undefined;
    });
  }

  /** The last line. */
  finish(line: object): void {
    if (this.destroyed) return;
    this.push(`${JSON.stringify(line)}\n`);
    this.push(null);
  }
}
