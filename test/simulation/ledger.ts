import type avro from 'avsc';
import { sentinel } from '#ledger-writer/container.ts';
import type { DeadLetterRow } from '#ledger-writer/partition.ts';
import { batchesThere } from '#ledger-writer/serials-insert.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { ClickhouseError } from '#shared/adapters/clickhouse/errors.ts';
import { avroType } from '#shared/codec/schemas.ts';
import type { DecidedTail, ListedTail } from '#shared/domain/batches.ts';
import { carriedOn, type SentRecord, spelledOut } from '#shared/domain/records.ts';
import type { SerialBatch } from '#shared/domain/serials.ts';
import { topics } from './codecs.ts';
import type { Random } from './random.ts';
import type { Weather } from './weather.ts';
import type { Wire } from './wire.ts';

/** A batch as its bytes have it. */
export type Sent<B extends SerialBatch> = Omit<B, 'records'> & { readonly records: readonly SentRecord[] };

export type DecidedBatch = SerialBatch & ListedTail & DecidedTail;

/** A message as it comes out of a container. */
export type InsertedBatch = DecidedBatch & { readonly partition: number; readonly offset: number };

export interface LedgerHooks {
  /** The rows of a message reach the table of rows. */
  written(batch: InsertedBatch): void;
  watermark(partition: number, origin: number): void;
  /** This message's data is refused: again and again, until it is mended. */
  refuses(batch: InsertedBatch): boolean;
}

interface Outcomes {
  readonly submission: string;
  readonly origin: number;
  readonly rows: number;
}

interface WatermarkRow {
  readonly topic: string;
  readonly partition: number;
  readonly origin: number;
}

interface QueryParams {
  readonly topics?: readonly string[];
  readonly partition?: number;
  readonly stages?: readonly string[];
  readonly stage?: string;
  readonly scope?: string;
}

interface IndexGenerationRow {
  readonly scope: string;
  readonly topic_generation: number;
  readonly generation: string;
  readonly state: 'preparing' | 'ready';
  readonly hash_key: string;
  readonly buckets: number;
}

const fileHeader = avroType({
  type: 'record',
  name: 'FileHeader',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 'Sync', size: 16 } },
  ],
});
const long = avroType('long');

/** ClickHouse in memory: the tables of migration 0001 that the pipeline writes, collapsed by their identities. */
export class Ledger {
  /** Rows per batch, as the table batch_outcomes has them. */
  readonly #outcomes = new Map<string, Outcomes>();
  readonly #wire: Wire;
  readonly #weather: Weather;
  readonly #random: Random;
  readonly #hooks: LedgerHooks;
  readonly #watermarks = new Map<string, number>();
  readonly #deadLetters = new Map<string, DeadLetterRow>();
  readonly #generationRows: IndexGenerationRow[] = [];

  constructor(wire: Wire, weather: Weather, random: Random, hooks: LedgerHooks) {
    this.#wire = wire;
    this.#weather = weather;
    this.#random = random;
    this.#hooks = hooks;
  }

  client(): Clickhouse {
    return this.#port((label, execute) => this.#wire.call({ to: 'ClickHouse', label, execute, unanswered }));
  }

  /** Without a wire in between. */
  direct(): Clickhouse {
    return this.#port(async (_, execute) => execute());
  }

  /** -1: nothing yet. */
  watermark(partition: number): number {
    return this.#watermarks.get(`${topics.decided}/${partition}`) ?? -1;
  }

  decidedRows(submission: string): number {
    let rows = 0;
    for (const batch of this.#outcomes.values()) if (batch.submission === submission) rows += batch.rows;
    return rows;
  }

  /** As the status of a submission counts them: a batch once, whichever stages it failed in, unless it was decided. */
  deadRows(submission: string): number {
    const batches = new Map<number, number>();
    for (const row of this.unsettled())
      if (row.submission === submission && !this.#outcomes.has(`${submission}/${row.batch}`))
        batches.set(row.batch, Math.max(batches.get(row.batch) ?? 0, row.rows));
    return [...batches.values()].reduce((sum, rows) => sum + rows, 0);
  }

  unsettled(): readonly DeadLetterRow[] {
    return [...this.#deadLetters.values()].filter(({ settled }) => settled === 0);
  }

  #port(call: <T>(label: string, execute: () => T) => Promise<T>): Clickhouse {
    return {
      database: 'simulation',
      insertRaw: (_sql: string, body: readonly Buffer[]) =>
        call('insert rows', () => this.#insertBatches(body)),
      insertRows: (table: string, rows: readonly object[]) =>
        call(`insert ${table} ${JSON.stringify(rows)}`, () => this.#insertRows(table, rows)),
      query: (sql: string, params: QueryParams) => call('query', () => this.#query(sql, params)),
    } as unknown as Clickhouse;
  }

  #insertBatches(body: readonly Buffer[]): void {
    const batches = this.#batches(body);
    for (const batch of batches)
      if (this.#hooks.refuses(batch))
        throw new ClickhouseError('clickhouse.VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE', 'refused', {
          retryable: false,
          dataRefused: true,
        });
    // A view that was filled before the server died keeps what it has; the writer is told that it failed.
    const part = this.#weather.strikes('insert written in part')
      ? this.#random.pick(['rows', 'outcomes'] as const)
      : undefined;
    if (part !== 'outcomes') for (const batch of batches) this.#hooks.written(batch);
    if (part !== 'rows')
      for (const { submission, batch, origin, records } of batches)
        if (records.length > 0)
          this.#outcomes.set(`${submission}/${batch}`, { submission, origin, rows: records.length });
    if (part) throw unanswered();
  }

  #batches(parts: readonly Buffer[]): readonly InsertedBatch[] {
    const type = typeOf(parts[0]!);
    const bytes = Buffer.concat(parts.slice(1));
    const count = long.decode(bytes, 0) as { value: number; offset: number };
    let { offset } = long.decode(bytes, count.offset);
    return Array.from({ length: count.value }, () => {
      const decoded = type.decode(bytes, offset);
      offset = decoded.offset;
      const batch = decoded.value as Sent<InsertedBatch> & { sentinel: number };
      if (batch.sentinel !== sentinel)
        throw new ClickhouseError('clickhouse.FUNCTION_THROW_IF_VALUE_IS_NON_ZERO', 'wrong sentinel', {
          retryable: false,
          dataRefused: true,
        });
      const { records, listings } = batch;
      return { ...batch, records: spelledOut(records), listings: carriedOn(records, listings) };
    });
  }

  #insertRows(table: string, rows: readonly object[]): void {
    switch (table) {
      case 'watermarks':
        for (const row of rows as readonly WatermarkRow[]) this.#insertWatermark(row);
        return;
      case 'dead_letters':
        for (const row of rows as readonly DeadLetterRow[]) {
          const key = JSON.stringify([row.stage, row.partition, row.origin, row.submission, row.batch]);
          if (this.#deadLetters.get(key)?.settled !== 1) this.#deadLetters.set(key, row);
        }
        return;
      case 'index_generations':
        this.#generationRows.push(...(rows as readonly IndexGenerationRow[]));
        return;
      default:
        throw new Error(`the simulation has no table ${table}`);
    }
  }

  #insertWatermark({ topic, partition, origin }: WatermarkRow): void {
    if (topic === topics.decided) this.#hooks.watermark(partition, origin);
    const key = `${topic}/${partition}`;
    this.#watermarks.set(key, Math.max(origin, this.#watermarks.get(key) ?? -1));
  }

  #query(sql: string, params: QueryParams): readonly object[] {
    if (sql === batchesThere) return this.#batchesThere(params.partition!);
    if (sql.includes('FROM dead_letters')) return this.#letters(sql, params);
    if (sql.includes('FROM watermarks')) {
      const origins = params.topics!.flatMap(
        (topic) => this.#watermarks.get(`${topic}/${params.partition}`) ?? [],
      );
      return origins.length === 0 ? [] : [{ origin: Math.max(...origins) }];
    }
    if (sql.includes('FROM index_generations')) return this.#generations(params.scope!);
    throw new Error(`the simulation does not know the query ${sql}`);
  }

  /** All of a stage, or those of some stages that are settled or not. */
  #letters(sql: string, { partition, stage, stages }: QueryParams): readonly DeadLetterRow[] {
    const letters = [...this.#deadLetters.values()].filter((row) => row.partition === partition);
    if (stage !== undefined) return letters.filter((row) => row.stage === stage);
    const settled = sql.includes('HAVING settled > 0');
    return letters.filter((row) => stages!.includes(row.stage) && row.settled > 0 === settled);
  }

  #batchesThere(partition: number): readonly DeadLetterRow[] {
    return this.unsettled().filter((row) => {
      const decided = this.#outcomes.get(`${row.submission}/${row.batch}`);
      const isEarlierStage = row.stage !== 'ledger-writer';
      return (
        row.partition === partition && isEarlierStage && decided !== undefined && decided.origin < row.origin
      );
    });
  }

  #generations(scope: string): readonly object[] {
    const rows = this.#generationRows.filter((row) => row.scope === scope);
    const numbers = [...new Set(rows.map(({ generation }) => Number(generation)))].sort((a, b) => b - a);
    return numbers.map((generation) => {
      const of = rows.filter((row) => Number(row.generation) === generation);
      // `any` is any: after a merge another row of the same identity may be the one that is left.
      const { hash_key, buckets } = this.#random.pick(of);
      return { generation, ready: of.some(({ state }) => state === 'ready') ? 1 : 0, hash_key, buckets };
    });
  }
}

const types = new Map<string, avro.Type>();

/** The type of a container's records, from its header. */
function typeOf(header: Buffer): avro.Type {
  const { meta } = fileHeader.fromBuffer(header) as { meta: Record<string, Buffer> };
  const schema = String(meta['avro.schema']);
  const type = types.get(schema) ?? avroType(JSON.parse(schema));
  types.set(schema, type);
  return type;
}

function unanswered(): ClickhouseError {
  return new ClickhouseError('clickhouse.NETWORK_ERROR', 'the simulated server does not answer', {
    retryable: true,
  });
}
