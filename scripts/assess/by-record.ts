/** Rows that belong to a record. */
export interface OfRecord {
  readonly record: number;
}

/** Rows in batches. */
export interface RowSource<Row> {
  next(): Promise<IteratorResult<readonly Row[], void>>;
  return(value: undefined): Promise<unknown>;
}

/** Rows that come in the order of their records, by several ways at once: taken record by record. */
export class RowsByRecord<Row extends OfRecord> {
  readonly #ways: readonly Way<Row>[];

  constructor(ways: readonly RowSource<Row>[]) {
    this.#ways = ways.map((rows) => new Way(rows));
  }

  /** The rows of a record; those of records before it that nobody took are passed over. */
  async take(record: number): Promise<readonly Row[]> {
    const taken: Row[] = [];
    for (const way of this.#ways) await way.take(record, taken);
    return taken;
  }

  /** Gives up what was not taken. */
  async close(): Promise<void> {
    for (const way of this.#ways) await way.close();
  }
}

class Way<Row extends OfRecord> {
  readonly #rows: RowSource<Row>;
  #batch: readonly Row[] = [];
  #at = 0;
  #ended = false;

  constructor(rows: RowSource<Row>) {
    this.#rows = rows;
  }

  async take(record: number, into: Row[]): Promise<void> {
    for (;;) {
      for (; this.#at < this.#batch.length; this.#at++) {
        const row = this.#batch[this.#at]!;
        if (row.record > record) return;
        if (row.record === record) into.push(row);
      }
      if (this.#ended) return;
      const { value, done } = await this.#rows.next();
      this.#batch = done ? [] : value;
      this.#at = 0;
      this.#ended = done === true;
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#rows.return(undefined);
  }
}
