import type { SerialBatch } from '#shared/domain/serials.ts';

/** One record of a partition: a message, or the marker that ends a transaction. */
export interface Entry {
  readonly offset: number;
  readonly marker: boolean;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly transaction?: Transaction;
  /** Only the checks look at these: what the message says, when its sender meant rows, and whether its bytes are broken. */
  readonly batch?: SerialBatch;
  readonly broken?: boolean;
}

export type NewEntry = Omit<Entry, 'offset' | 'marker' | 'transaction'>;

export class PartitionLog {
  readonly topic: string;
  readonly partition: number;
  readonly entries: Entry[] = [];
  /** Offsets below are gone: retention has passed them. The checks still see them. */
  low = 0;
  readonly #open = new Map<Transaction, number>();
  #waiting: (() => void)[] = [];

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get end(): number {
    return this.entries.length;
  }

  /** Where readers of committed messages must stop: the first offset of a transaction that is still open. */
  get stable(): number {
    return Math.min(this.end, ...this.#open.values());
  }

  append(entry: NewEntry, transaction?: Transaction): Entry {
    const appended: Entry = {
      ...entry,
      offset: this.end,
      marker: false,
      ...(transaction ? { transaction } : {}),
    };
    if (transaction && !this.#open.has(transaction)) this.#open.set(transaction, this.end);
    transaction?.logs.add(this);
    this.entries.push(appended);
    this.#wake();
    return appended;
  }

  ended(transaction: Transaction): void {
    this.entries.push({
      offset: this.end,
      marker: true,
      key: null,
      value: null,
      headers: {},
      transaction,
    });
    this.#open.delete(transaction);
    this.#wake();
  }

  /** Calls `wake` once, when there is more to read than now. */
  onGrowth(wake: () => void): void {
    this.#waiting.push(wake);
  }

  /** What readers of committed messages are given. */
  *committed(from: number, to: number): Generator<Entry> {
    for (let offset = from; offset < to; offset++) {
      const entry = this.entries[offset]!;
      if (!entry.marker && entry.transaction?.state !== 'aborted') yield entry;
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

export class Transaction {
  state: 'open' | 'committed' | 'aborted' = 'open';
  readonly logs = new Set<PartitionLog>();

  end(state: 'committed' | 'aborted'): boolean {
    if (this.state !== 'open') return false;
    this.state = state;
    for (const log of this.logs) log.ended(this);
    return true;
  }
}

/** The topics. */
export class Logs {
  readonly #logs = new Map<string, PartitionLog>();

  of(topic: string, partition: number): PartitionLog {
    const key = `${topic}/${partition}`;
    const known = this.#logs.get(key);
    if (known) return known;
    const created = new PartitionLog(topic, partition);
    this.#logs.set(key, created);
    return created;
  }
}
