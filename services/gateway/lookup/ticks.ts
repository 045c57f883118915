/** Offsets of the ticks of one moment, by partition: the stamp of every question of that moment (Q1). */
export type Stamps = ReadonlyMap<number, number>;

interface Moment {
  readonly partitions: Set<number>;
  readonly stamps: Promise<Stamps>;
}

/**
 * Gives questions their stamps. All questions that come while a tick is on its way share the next one: a tick that was
 * sent before a question was asked says nothing about what was accepted in between.
 */
export class Ticks {
  readonly #send: (partitions: readonly number[]) => Promise<Stamps>;
  #sending: Promise<unknown> = Promise.resolve();
  #next: Moment | undefined;

  /** `send` writes one tick to each partition, outside any transaction, and resolves with the offsets. */
  constructor(send: (partitions: readonly number[]) => Promise<Stamps>) {
    this.#send = send;
  }

  /** Stamps of at least these partitions. */
  async stamp(partitions: Iterable<number>): Promise<Stamps> {
    this.#next ??= this.#gather();
    for (const partition of partitions) this.#next.partitions.add(partition);
    return this.#next.stamps;
  }

  #gather(): Moment {
    const partitions = new Set<number>();
    const stamps = this.#sending
      .catch(() => undefined)
      .then(() => {
        // From here on a question is too late for this tick.
        this.#next = undefined;
        return this.#send([...partitions]);
      });
    this.#sending = stamps;
    return { partitions, stamps };
  }
}
