interface Reading {
  /** Milliseconds of the clock. */
  readonly due: number;
  /** How many began before it. */
  readonly place: number;
  readonly goOn: () => void;
}

/**
 * Who goes on next, of those who read a file in slices and let others work between them. One file after the other, not all of
 * them side by side: then the rows of one or two are in memory at a time, and die young. A small file does not wait for a
 * large one that began before it, and none waits for ever: a file is due after a time that grows with its size.
 */
export class Turns {
  readonly #now: () => number;
  /** A turn is planned as long as somebody waits. */
  readonly #waiting = new Set<Reading>();
  #begun = 0;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What a file of so many bytes waits by, between two slices. */
  of(bytes: number): () => Promise<void> {
    const due = this.#now() + bytes / bytesPerMs;
    const place = this.#begun++;
    return () =>
      new Promise((goOn) => {
        if (this.#waiting.size === 0) this.#plan();
        this.#waiting.add({ due, place, goOn });
      });
  }

  #plan(): void {
    setImmediate(() => {
      const next = [...this.#waiting].reduce((first, other) => (isBefore(other, first) ? other : first));
      this.#waiting.delete(next);
      if (this.#waiting.size > 0) this.#plan();
      next.goOn();
    });
  }
}

/** 5,000 rows, about 350 kB, are overtaken by smaller files for 7 s at most. */
const bytesPerMs = 50;

function isBefore(a: Reading, b: Reading): boolean {
  return a.due === b.due ? a.place < b.place : a.due < b.due;
}
