interface Reading {
  /** Milliseconds of the clock. */
  readonly due: number;
  /** How many began before it. */
  readonly place: number;
  readonly goOn: () => void;
}

/**
 * Who goes on next, of those who read a file in slices and let others work between them. One or two files after the others, not
 * all of them side by side: then the rows of few are in memory at a time, and die young. A file is due after a time that grows
 * with its size, so that a small one goes before larger ones which have not waited long, and none waits for ever.
 */
export class Turns {
  readonly #now: () => number;
  /** A turn is planned as long as somebody waits. */
  readonly #waiting = new Set<Reading>();
  #begun = 0;

  /** `now` in milliseconds, of a clock that is never set back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What a file of so many bytes waits by, between two slices. */
  of(bytes: number): () => Promise<void> {
    const due = this.#now() + Math.min(bytes / bytesPerMs, overtakenMs);
    const place = this.#begun++;
    return () =>
      new Promise((goOn) => {
        if (this.#waiting.size === 0) this.#plan();
        this.#waiting.add({ due, place, goOn });
      });
  }

  #plan(): void {
    setImmediate(() => {
      const next = [...this.#waiting].sort(byDue).slice(0, atOnce);
      for (const reading of next) this.#waiting.delete(reading);
      if (this.#waiting.size > 0) this.#plan();
      for (const { goOn } of next) goOn();
    });
  }
}

/** Of 5,000 rows, about 350 kB, it takes 7 s until nothing that comes later goes before them. */
const bytesPerMs = 50;
const overtakenMs = 10_000;
/** Slices of one turn of the event loop: streams have their own, and files must not be one among many of them. */
const atOnce = 2;

function byDue(a: Reading, b: Reading): number {
  return a.due - b.due || a.place - b.place;
}
