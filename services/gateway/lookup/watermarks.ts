import type { Stamps } from './ticks.ts';

interface Waiter {
  readonly stamps: Stamps;
  readonly deadline: number;
  readonly resolve: (reached: ReadonlySet<number>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Waits for watermarks (L3). However many wait, the table is read by one of them at a time; every waiter is told by a
 * reading that began after it came.
 */
export class Watermarks {
  readonly #read: () => Promise<Stamps>;
  readonly #pauseMs: number;
  readonly #now: () => number;
  #waiters: Waiter[] = [];
  #polling = false;

  /** `read` gives the watermark of each partition that has one. */
  constructor(read: () => Promise<Stamps>, options: { pauseMs: number; now: () => number }) {
    this.#read = read;
    this.#pauseMs = options.pauseMs;
    this.#now = options.now;
  }

  /**
   * The partitions whose watermark is at or past their stamp: all of them as soon as that is so, else those that are
   * when the time is over. Looks at least once.
   */
  reached(stamps: Stamps, waitMs: number): Promise<ReadonlySet<number>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ stamps, deadline: this.#now() + waitMs, resolve, reject });
      if (!this.#polling) void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.#waiters.length > 0) {
      const asking = this.#waiters;
      this.#waiters = [];
      try {
        const watermarks = await this.#read();
        this.#waiters.push(...asking.filter((waiter) => !this.#settle(waiter, watermarks)));
      } catch (error) {
        for (const waiter of asking) waiter.reject(error);
      }
      if (this.#waiters.length > 0) await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    }
    this.#polling = false;
  }

  /** True when the waiter was told. */
  #settle(waiter: Waiter, watermarks: Stamps): boolean {
    const reached = new Set<number>();
    for (const [partition, stamp] of waiter.stamps)
      if ((watermarks.get(partition) ?? -1) >= stamp) reached.add(partition);
    if (reached.size < waiter.stamps.size && this.#now() < waiter.deadline) return false;
    waiter.resolve(reached);
    return true;
  }
}
