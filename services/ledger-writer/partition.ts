import { schemaIdOf } from '#shared/codec/wire.ts';
import type { Delivery, InMessage, PartitionControl, PartitionWorker } from '#shared/runtime/stage.ts';
import type { Inserter, Item, ItemOwner } from './inserter.ts';
import { Watermark } from './watermark.ts';

/** What the writer knows of a message without decoding it. */
export interface Coordinates {
  readonly origin: number;
  readonly rows: number;
  /** Rows that an earlier stage put into a dead letter; this message stands in for it. */
  readonly deadRows: number;
  readonly deadStage: string;
  readonly submission: string;
  readonly batch: number;
  readonly receivedAt: number;
}

export interface DeadLetterRow {
  readonly stage: string;
  readonly partition: number;
  readonly origin: number;
  readonly submission: string;
  readonly batch: number;
  readonly rows: number;
  readonly cause: string;
  readonly settled: 0 | 1;
}

export interface LedgerPorts {
  /** Under which dead letters of this writer stand in the table. */
  readonly stage: string;
  coordinates(message: InMessage): Coordinates;
  knownSchema(id: number): boolean;
  unsettled(partition: number): Promise<readonly DeadLetterRow[]>;
  /** Keeps the original bytes in the topic of dead letters; resolves when they are safe. */
  keepBytes(partition: number, message: InMessage, coordinates: Coordinates, cause: string): Promise<void>;
  writeDeadLetters(rows: readonly DeadLetterRow[]): Promise<void>;
  counted(rows: number, receivedAt: number): void;
}

/**
 * One partition of the decided log: hands messages to the inserter, and keeps the watermark of what was acknowledged.
 * Acknowledgements come in the order of the log, so the last one acknowledged ends the contiguous prefix (L6).
 */
export class LedgerPartition implements PartitionWorker, ItemOwner {
  readonly partition: number;
  readonly #ports: LedgerPorts;
  readonly #control: PartitionControl;
  readonly #inserter: Inserter;
  readonly #watermark: Watermark;
  readonly #unsettled: Map<string, DeadLetterRow>;
  /** Messages taken over and not committed yet, by offset. `refused`: their rows are in a dead letter. */
  readonly #coordinates = new Map<
    number,
    { readonly message: InMessage; readonly coordinates: Coordinates; refused: boolean }
  >();
  #stopped = false;

  private constructor(
    partition: number,
    unsettled: readonly DeadLetterRow[],
    inserter: Inserter,
    ports: LedgerPorts,
    control: PartitionControl,
  ) {
    this.partition = partition;
    this.#ports = ports;
    this.#control = control;
    this.#inserter = inserter;
    this.#unsettled = new Map(unsettled.map((row) => [keyOf(row), row]));
    this.#watermark = new Watermark(unsettled.map((row) => ({ key: keyOf(row), origin: row.origin })));
  }

  /** The unsettled dead letters are read before any watermark of this partition moves (L5). */
  static async start(
    partition: number,
    inserter: Inserter,
    ports: LedgerPorts,
    control: PartitionControl,
  ): Promise<LedgerPartition> {
    return new LedgerPartition(partition, await ports.unsettled(partition), inserter, ports, control);
  }

  async handle(messages: readonly InMessage[], _delivery: Delivery): Promise<void> {
    const items: Item[] = [];
    for (const message of messages) {
      const coordinates = this.#ports.coordinates(message);
      this.#coordinates.set(message.offset, { message, coordinates, refused: false });
      const schemaId = schemaIdOf(message.value);
      const readable = schemaId !== undefined && this.#ports.knownSchema(schemaId);
      if (coordinates.rows > 0 && !readable) await this.#refuse(message, coordinates, 'unknown_schema');
      items.push({
        partition: this.partition,
        offset: message.offset,
        rows: readable ? coordinates.rows : 0,
        schemaId: schemaId ?? 0,
        value: message.value ?? Buffer.alloc(0),
        owner: this,
      });
    }
    await this.#inserter.add(items);
  }

  async settled(): Promise<void> {
    await this.#inserter.settled();
  }

  failed(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#control.fail(error);
  }

  async refused(item: Item, cause: Error): Promise<void> {
    const { message, coordinates } = this.#coordinates.get(item.offset)!;
    await this.#refuse(message, coordinates, cause.message);
  }

  /** Dead letters that these messages announce; to be written before the watermark passes them. */
  announced(offsets: readonly number[]): readonly DeadLetterRow[] {
    return offsets
      .map((offset) => this.#coordinates.get(offset)!.coordinates)
      .filter((coordinates) => coordinates.deadRows > 0)
      .map((coordinates) => this.#deadLetter(coordinates, coordinates.deadStage, coordinates.deadRows, ''));
  }

  /** Dead letters whose rows are among these acknowledged messages: a replay has arrived (X1). */
  settledBy(offsets: readonly number[]): readonly DeadLetterRow[] {
    const settled: DeadLetterRow[] = [];
    for (const offset of offsets) {
      const { coordinates, refused } = this.#coordinates.get(offset)!;
      if (coordinates.rows === 0 || refused) continue;
      for (const row of this.#unsettled.values())
        if (holdsRowsOf(row, coordinates)) settled.push({ ...row, settled: 1 });
    }
    return settled;
  }

  hold(row: DeadLetterRow): void {
    this.#unsettled.set(keyOf(row), row);
    this.#watermark.hold(keyOf(row), row.origin);
  }

  settle(row: DeadLetterRow): void {
    this.#unsettled.delete(keyOf(row));
    this.#watermark.settle(keyOf(row));
  }

  /** Takes acknowledged messages into the prefix and returns the watermark; nothing when there is none yet. */
  acknowledge(offsets: readonly number[]): number | undefined {
    for (const offset of offsets) {
      const { coordinates } = this.#coordinates.get(offset)!;
      this.#watermark.acknowledge(coordinates.origin);
    }
    return this.#watermark.value;
  }

  /** The watermark is written: forget the messages and store the position. */
  committed(offsets: readonly number[]): void {
    for (const offset of offsets) {
      const { coordinates } = this.#coordinates.get(offset)!;
      this.#ports.counted(coordinates.rows, coordinates.receivedAt);
      this.#coordinates.delete(offset);
    }
    if (!this.#stopped) this.#control.commit(offsets.at(-1)! + 1);
  }

  async #refuse(message: InMessage, coordinates: Coordinates, cause: string): Promise<void> {
    const row = this.#deadLetter(coordinates, this.#ports.stage, coordinates.rows, cause);
    await this.#ports.keepBytes(this.partition, message, coordinates, cause);
    await this.#ports.writeDeadLetters([row]);
    this.hold(row);
    this.#coordinates.get(message.offset)!.refused = true;
  }

  #deadLetter(coordinates: Coordinates, stage: string, rows: number, cause: string): DeadLetterRow {
    const { origin, submission, batch } = coordinates;
    return { stage, partition: this.partition, origin, submission, batch, rows, cause, settled: 0 };
  }
}

/** The rows of a batch are known by submission and batch, whatever their origin now (X1); a record of its own by its origin. */
function holdsRowsOf(row: DeadLetterRow, { submission, batch, origin }: Coordinates): boolean {
  return row.submission === submission && row.batch === batch && (submission !== '' || row.origin === origin);
}

function keyOf(row: DeadLetterRow): string {
  return JSON.stringify([row.stage, row.origin, row.submission, row.batch]);
}
