/**
 * Work that is done so many pieces at a time, by turns among those who wait for it: who brings two hundred pieces makes
 * another with one wait for the pieces under way, not for two hundred.
 */
export class FairQueue {
  readonly #atOnceMax: number;
  /** Who waits, in the order of their turns; each with what waits of theirs. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #busy = 0;

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax;
  }

  async run<T>(who: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.#atOnceMax) this.#busy += 1;
    else await this.#turn(who);
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #turn(who: string): Promise<void> {
    return new Promise((resolve) => {
      const own = this.#waiting.get(who);
      if (own) own.push(resolve);
      else this.#waiting.set(who, [resolve]);
    });
  }

  /** Hands the place on, and puts whoever got it behind all others. */
  #next(): void {
    const [first] = this.#waiting;
    if (!first) {
      this.#busy -= 1;
      return;
    }
    const [who, own] = first;
    const start = own.shift()!;
    this.#waiting.delete(who);
    if (own.length > 0) this.#waiting.set(who, own);
    start();
  }
}
