import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { isDataRefused } from '#shared/adapters/clickhouse/client.ts';
import { assert } from '#shared/base/errors.ts';
import type { Codec } from '#shared/codec/codec.ts';
import type { SchemaName } from '#shared/codec/schemas.ts';
import type { PartitionControl } from '#shared/runtime/stage.ts';
import { ContainerWriter } from './container.ts';
import { Inserter, type InserterPorts, type Item, type Linger } from './inserter.ts';
import { type DeadLetterRow, keyOf, LedgerPartition, type LedgerPorts } from './partition.ts';

/** One topic that goes into ClickHouse, and how. */
export interface Target {
  /** Full name of the topic: the watermark is kept under it (K6). */
  readonly topic: string;
  readonly schema: SchemaName;
  /** Stages whose dead letters hold back this topic's watermark; the last is the writer itself. */
  readonly stages: readonly string[];
  /**
   * Selects unsettled dead letters of a partition whose rows the ledger has from before: those of a copy, which decided
   * nothing and cannot settle anything by its replay.
   */
  readonly there?: string;
  /** `INSERT ... SELECT ... FROM input(...) FORMAT Avro` of a version of the schema; throws when a sentinel is wrong. */
  sql(version: number): string;
}

/** The ports that are not tables. */
export type LedgerEdges = Omit<
  LedgerPorts,
  'knownSchema' | 'acknowledgedTo' | 'unsettled' | 'writeDeadLetters'
>;

/** How messages of one version are inserted. */
interface Way {
  readonly container: ContainerWriter;
  readonly sql: string;
}

interface WatermarkRow {
  readonly topic: string;
  readonly partition: number;
  readonly origin: number;
}

export interface TargetOptions {
  readonly target: Target;
  readonly clickhouse: Clickhouse;
  readonly codec: Codec;
  readonly linger: Linger;
  readonly ports: LedgerEdges;
  readonly waiting: (error: Error, failures: number) => void;
}

/** Writes one topic into ClickHouse: rows first, then what holds the watermark back, then the watermark, then the position. */
export class TargetWriter {
  readonly inserter: Inserter;
  readonly #options: TargetOptions;
  /** By schema id. */
  readonly #ways: ReadonlyMap<number, Way>;
  /** The latest worker of each partition that this process was given. */
  readonly #partitions = new Map<number, LedgerPartition>();

  constructor(options: TargetOptions) {
    this.#options = options;
    const { codec, target } = options;
    this.#ways = new Map(
      codec
        .versions(target.schema)
        .map(({ id, schema }, i) => [id, { container: new ContainerWriter(schema), sql: target.sql(i + 1) }]),
    );
    const ports: InserterPorts = {
      insert: (schemaId, items) => this.#insert(schemaId, items),
      isDataRefused,
      acknowledged: (items) => this.#acknowledged(items),
      waiting: options.waiting,
      now: Date.now,
    };
    this.inserter = new Inserter(ports, options.linger);
  }

  async start(partition: number, control: PartitionControl): Promise<LedgerPartition> {
    const ports: LedgerPorts = {
      ...this.#options.ports,
      knownSchema: (id) => this.#ways.has(id),
      acknowledgedTo: (of) => this.#acknowledgedTo(of),
      unsettled: (of) => this.#unsettled(of),
      writeDeadLetters: (rows) => this.#options.clickhouse.insertRows('dead_letters', rows),
    };
    const worker = await LedgerPartition.start(partition, this.inserter, ports, control);
    // A letter may have been settled by a writer that died before it could say so: nobody else would.
    await this.#writeWatermarks([worker]);
    this.#partitions.set(partition, worker);
    return worker;
  }

  async #insert(schemaId: number, items: readonly Item[]): Promise<void> {
    const way = this.#ways.get(schemaId);
    assert(way, `no container for schema ${schemaId}`);
    await this.#options.clickhouse.insertRaw(way.sql, way.container.write(items));
  }

  /**
   * L3, L5: dead letters are rows before any watermark may pass them; the watermark is written after the rows. Where dead
   * letters follow each other too long, what came before them is acknowledged, and the process stops.
   */
  async #acknowledged(items: readonly Item[]): Promise<void> {
    const groups = new Map<LedgerPartition, readonly number[]>();
    let stopped: LedgerPartition | undefined;
    for (const [owner, offsets] of groupByOwner(items)) {
      const admitted = owner.admitted(offsets);
      if (admitted < offsets.length) stopped = owner;
      if (admitted > 0) groups.set(owner, offsets.slice(0, admitted));
    }
    for (const [owner, offsets] of groups) await owner.keepRefused(offsets);
    await this.#writeDeadLetters(groups);
    for (const [owner, offsets] of groups) owner.acknowledge(offsets);
    await this.#writeWatermarks([...groups.keys()]);
    for (const [owner, offsets] of groups) owner.committed(offsets);
    if (stopped) throw stopped.tooMany();
  }

  async #writeDeadLetters(groups: ReadonlyMap<LedgerPartition, readonly number[]>): Promise<void> {
    for (const [owner, offsets] of groups) {
      const announced = owner.announced(offsets);
      for (const row of announced) owner.hold(row);
      if (owner.areRepeats(offsets))
        for (const row of await this.#unsettled(owner.partition)) owner.hold(row);
      const settled = owner.settledBy(offsets);
      if (announced.length + settled.length === 0) continue;
      await this.#options.clickhouse.insertRows('dead_letters', [...announced, ...settled]);
      for (const row of settled) owner.settle(row);
    }
  }

  async #writeWatermarks(owners: readonly LedgerPartition[]): Promise<void> {
    const rows = owners.flatMap((owner) => this.#watermarksOf(owner));
    if (rows.length > 0) await this.#options.clickhouse.insertRows('watermarks', rows);
  }

  /** Beside a watermark that is held back stands up to where the log is acknowledged, for the writer after this one. */
  #watermarksOf({ partition, watermark, acknowledgedTo }: LedgerPartition): readonly WatermarkRow[] {
    const { topic } = this.#options.target;
    const rows: WatermarkRow[] = [];
    if (watermark !== undefined) rows.push({ topic, partition, origin: watermark });
    if (acknowledgedTo !== undefined && acknowledgedTo !== watermark)
      rows.push({ topic: acknowledgedName(topic), partition, origin: acknowledgedTo });
    return rows;
  }

  /**
   * Lets go of dead letters that were settled without this worker: discarded, or announced again by a late copy of their
   * stand-in after their rows had arrived. What was never settled stays, whatever is read.
   */
  async refresh(): Promise<void> {
    for (const [partition, owner] of this.#partitions) {
      const holding = owner.holding;
      if (holding.length === 0) continue;
      await this.#settleThere(partition, holding);
      const settled = new Set((await this.#settled(partition)).map(keyOf));
      const released = holding.filter((row) => settled.has(keyOf(row)));
      for (const row of released) owner.settle(row);
      if (released.length > 0) await this.#writeWatermarks([owner]);
    }
  }

  async #settleThere(partition: number, holding: readonly DeadLetterRow[]): Promise<void> {
    const { clickhouse, target } = this.#options;
    if (!target.there) return;
    const found = await clickhouse.query<DeadLetterRow>(target.there, { partition });
    const there = new Set(found.map(keyOf));
    const rows = holding.filter((row) => there.has(keyOf(row))).map((row) => ({ ...row, settled: 1 }));
    if (rows.length > 0) await clickhouse.insertRows('dead_letters', rows);
  }

  async #acknowledgedTo(partition: number): Promise<number | undefined> {
    const { clickhouse, target } = this.#options;
    const [row] = await clickhouse.query<{ origin: number }>(
      `SELECT max(origin) AS origin FROM watermarks
       WHERE topic IN {topics:Array(String)} AND partition = {partition:UInt16} HAVING count() > 0`,
      { topics: [target.topic, acknowledgedName(target.topic)], partition },
    );
    return row?.origin;
  }

  async #settled(partition: number): Promise<readonly DeadLetterRow[]> {
    const { clickhouse, target } = this.#options;
    return clickhouse.query<DeadLetterRow>(
      `SELECT stage, partition, origin, submission, batch, max(settled) AS settled
       FROM dead_letters WHERE partition = {partition:UInt16} AND stage IN {stages:Array(String)}
       GROUP BY stage, partition, origin, submission, batch HAVING settled > 0`,
      { partition, stages: target.stages },
    );
  }

  async #unsettled(partition: number): Promise<readonly DeadLetterRow[]> {
    const { clickhouse, target } = this.#options;
    return clickhouse.query<DeadLetterRow>(
      `SELECT stage, partition, origin, submission, batch, any(rows) AS rows, any(cause) AS cause, max(settled) AS settled
       FROM dead_letters WHERE partition = {partition:UInt16} AND stage IN {stages:Array(String)}
       GROUP BY stage, partition, origin, submission, batch HAVING settled = 0`,
      { partition, stages: target.stages },
    );
  }
}

/** Stands in the table of watermarks like a topic of its own, which nobody asks about but the writer. */
function acknowledgedName(topic: string): string {
  return `${topic} acknowledged`;
}

function groupByOwner(items: readonly Item[]): ReadonlyMap<LedgerPartition, readonly number[]> {
  const groups = new Map<LedgerPartition, number[]>();
  for (const item of items) {
    const owner = item.owner as LedgerPartition;
    const offsets = groups.get(owner);
    if (offsets) offsets.push(item.offset);
    else groups.set(owner, [item.offset]);
  }
  return groups;
}
