import { schemaIdOf } from '#shared/codec/wire.ts';
import { DeadLetterRun, type Sign } from '#shared/runtime/dead-letter-run.ts';
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
  /** 2: somebody discarded it. */
  readonly settled: 0 | 1 | 2;
}

/** A message taken over and not committed yet. */
interface Held {
  readonly message: InMessage;
  readonly coordinates: Coordinates;
  /** Why its rows cannot be in the ledger. */
  refused?: string;
  /** Its bytes are safe, and the table says so. */
  kept?: boolean;
}

export interface LedgerPorts {
  /** Under which dead letters of this writer stand in the table. */
  readonly stage: string;
  readonly deadLettersInRowMax: number;
  coordinates(message: InMessage): Coordinates;
  knownSchema(id: number): boolean;
  /** Up to which origin the log of a partition is known to be acknowledged, dead letters or not. */
  acknowledgedTo(partition: number): Promise<number | undefined>;
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
  readonly #deadLetters: DeadLetterRun;
  /** By offset, in the order of the log. */
  readonly #held = new Map<number, Held>();
  #stopped = false;

  private constructor(
    partition: number,
    acknowledgedTo: number | undefined,
    unsettled: readonly DeadLetterRow[],
    inserter: Inserter,
    ports: LedgerPorts,
    control: PartitionControl,
  ) {
    this.partition = partition;
    this.#ports = ports;
    this.#control = control;
    this.#inserter = inserter;
    this.#deadLetters = new DeadLetterRun({
      stage: ports.stage,
      max: ports.deadLettersInRowMax,
      inRow: control.deadInRow ?? 0,
    });
    this.#unsettled = new Map(unsettled.map((row) => [keyOf(row), row]));
    const held = unsettled.map((row) => ({ key: keyOf(row), origin: row.origin }));
    this.#watermark = new Watermark(held, acknowledgedTo);
  }

  /** The unsettled dead letters are read before any watermark of this partition moves (L5), and last. */
  static async start(
    partition: number,
    inserter: Inserter,
    ports: LedgerPorts,
    control: PartitionControl,
  ): Promise<LedgerPartition> {
    const acknowledgedTo = await ports.acknowledgedTo(partition);
    const unsettled = await ports.unsettled(partition);
    return new LedgerPartition(partition, acknowledgedTo, unsettled, inserter, ports, control);
  }

  async handle(messages: readonly InMessage[], _delivery: Delivery): Promise<void> {
    const items: Item[] = [];
    for (const message of messages) {
      const coordinates = this.#ports.coordinates(message);
      const schemaId = schemaIdOf(message.value);
      const readable = schemaId !== undefined && this.#ports.knownSchema(schemaId);
      const refused = coordinates.rows > 0 && !readable ? { refused: 'unknown_schema' } : {};
      this.#held.set(message.offset, { message, coordinates, ...refused });
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
    this.#held.get(item.offset)!.refused = cause.message;
  }

  /** How many of these may be acknowledged: a run of dead letters that is too long stops the worker instead. */
  admitted(offsets: readonly number[]): number {
    return this.#deadLetters.admitted(this.#signs(offsets));
  }

  tooMany(): Error {
    return this.#deadLetters.tooMany();
  }

  /** Makes dead letters of the refused ones among these. */
  async keepRefused(offsets: readonly number[]): Promise<void> {
    for (const offset of offsets) {
      const held = this.#held.get(offset)!;
      if (held.refused === undefined || held.kept) continue;
      await this.#keep(held, held.refused);
      held.kept = true;
    }
  }

  /** Dead letters that these messages announce; to be written before the watermark passes them. */
  announced(offsets: readonly number[]): readonly DeadLetterRow[] {
    return offsets
      .map((offset) => this.#held.get(offset)!.coordinates)
      .filter((coordinates) => coordinates.deadRows > 0)
      .map((coordinates) => this.#deadLetter(coordinates, coordinates.deadStage, coordinates.deadRows, ''));
  }

  /** Rows whose origin was passed before may be the replay of a letter that another writer of this partition has kept. */
  areRepeats(offsets: readonly number[]): boolean {
    let passed = this.#watermark.highest ?? -1;
    return offsets.some((offset) => {
      const { origin, rows } = this.#held.get(offset)!.coordinates;
      const isRepeat = rows > 0 && origin <= passed;
      passed = Math.max(passed, origin);
      return isRepeat;
    });
  }

  /** Dead letters whose rows are among these acknowledged messages: a replay has arrived (X1). */
  settledBy(offsets: readonly number[]): readonly DeadLetterRow[] {
    const settled: DeadLetterRow[] = [];
    for (const offset of offsets) {
      const { coordinates, refused } = this.#held.get(offset)!;
      if (coordinates.rows === 0 || refused !== undefined) continue;
      for (const row of this.#unsettled.values())
        if (holdsRowsOf(row, coordinates)) settled.push({ ...row, settled: 1 });
    }
    return settled;
  }

  /** Dead letters that hold the watermark back now. */
  get holding(): readonly DeadLetterRow[] {
    return [...this.#unsettled.values()];
  }

  /** Nothing until a message was acknowledged. */
  get watermark(): number | undefined {
    return this.#watermark.value;
  }

  /** Where the watermark would be if no dead letter held it. */
  get acknowledgedTo(): number | undefined {
    return this.#watermark.highest;
  }

  hold(row: DeadLetterRow): void {
    this.#unsettled.set(keyOf(row), row);
    this.#watermark.hold(keyOf(row), row.origin);
  }

  settle(row: DeadLetterRow): void {
    this.#unsettled.delete(keyOf(row));
    this.#watermark.settle(keyOf(row));
  }

  /** Takes acknowledged messages into the prefix. */
  acknowledge(offsets: readonly number[]): void {
    for (const offset of offsets) this.#watermark.acknowledge(this.#held.get(offset)!.coordinates.origin);
  }

  /** The watermark is written: forget the messages and store the position. */
  committed(offsets: readonly number[]): void {
    this.#deadLetters.handled(this.#signs(offsets));
    for (const offset of offsets) {
      const { coordinates } = this.#held.get(offset)!;
      this.#ports.counted(coordinates.rows, coordinates.receivedAt);
      this.#held.delete(offset);
    }
    if (!this.#stopped) this.#control.commit(offsets.at(-1)! + 1, this.#deadLetters.inRow);
  }

  #signs(offsets: readonly number[]): readonly Sign[] {
    return offsets.map((offset) => {
      const { coordinates, refused } = this.#held.get(offset)!;
      if (refused !== undefined) return 'dead';
      return coordinates.rows > 0 ? 'good' : 'neither';
    });
  }

  async #keep({ message, coordinates }: Held, cause: string): Promise<void> {
    const row = this.#deadLetter(coordinates, this.#ports.stage, coordinates.rows, cause);
    await this.#ports.keepBytes(this.partition, message, coordinates, cause);
    await this.#ports.writeDeadLetters([row]);
    this.hold(row);
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

export function keyOf(row: Pick<DeadLetterRow, 'stage' | 'origin' | 'submission' | 'batch'>): string {
  return JSON.stringify([row.stage, row.origin, row.submission, row.batch]);
}
