import { beforeEach, describe, expect, test } from 'vitest';
import { type Clickhouse, isDataRefused } from '#shared/adapters/clickhouse/client.ts';
import { serverError } from '#shared/adapters/clickhouse/errors.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { Codec } from '#shared/codec/codec.ts';
import { type OriginHeaders, writeHeaders } from '#shared/codec/headers.ts';
import { type SchemaName, schemaOfTopic } from '#shared/codec/schemas.ts';
import { standIn, tick } from '#shared/domain/batches.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import { readContainer } from '#test/support/containers.ts';
import type { DeadLetterRow, LedgerPartition } from './partition.ts';
import { coordinatesOf } from './ports.ts';
import { TargetWriter } from './target.ts';

/** Order of effects and books, on tables in memory; test/integration/ledger-writer.test.ts has the real ClickHouse. */
let codec: Codec;
let tables: Tables;
let committed: number[];
let kept: number[];

class Tables {
  readonly effects: string[] = [];
  readonly dead = new Map<string, DeadLetterRow>();
  readonly watermarks = new Map<number, number>();
  readonly acknowledged = new Map<number, number>();
  /** Offsets whose insert is refused for its data. */
  refused = new Set<number>();
  failing: string | undefined;
  /** What the last commit said of dead letters in a row, and what stopped the worker. */
  inRow: number | undefined;
  broken: unknown;

  async insertRaw(_sql: string, body: Buffer | readonly Buffer[]): Promise<void> {
    const offsets = (await readContainer(body as readonly Buffer[])).map(({ offset }) => offset as number);
    this.#mayFail('rows');
    if (offsets.some((offset) => this.refused.has(offset))) throw serverError(395, 'refused');
    this.effects.push(`rows ${offsets}`);
  }

  async insertRows(table: string, rows: readonly object[]): Promise<void> {
    this.#mayFail(table);
    if (table === 'watermarks') {
      for (const { topic, partition, origin } of rows as {
        topic: string;
        partition: number;
        origin: number;
      }[]) {
        const table = topic === 'topic' ? this.watermarks : this.acknowledged;
        table.set(partition, Math.max(origin, table.get(partition) ?? -1));
        if (topic === 'topic') this.effects.push(`watermark ${origin}`);
      }
      return;
    }
    // ReplacingMergeTree(settled): the settled row wins, in whatever order they come.
    for (const row of rows as DeadLetterRow[]) {
      const key = JSON.stringify([row.stage, row.partition, row.origin, row.submission, row.batch]);
      if (row.settled >= (this.dead.get(key)?.settled ?? 0)) this.dead.set(key, row);
    }
    this.effects.push(
      `dead_letters ${(rows as DeadLetterRow[]).map(({ origin, settled }) => `${origin}:${settled}`)}`,
    );
  }

  async query(sql: string, params: { partition: number; stages: string[] }): Promise<object[]> {
    if (!sql.includes('FROM watermarks')) return this.letters(params, sql.includes('settled > 0'));
    const origins = [this.watermarks, this.acknowledged].flatMap(
      (table) => table.get(params.partition) ?? [],
    );
    return origins.length === 0 ? [] : [{ origin: Math.max(...origins) }];
  }

  letters({ partition, stages }: { partition: number; stages: string[] }, settled = false): DeadLetterRow[] {
    return [...this.dead.values()].filter(
      (row) => row.partition === partition && stages.includes(row.stage) && row.settled > 0 === settled,
    );
  }

  #mayFail(what: string): void {
    if (this.failing !== what) return;
    this.failing = undefined;
    throw new OperationalError('clickhouse.timeout', 'away', { retryable: true });
  }
}

beforeEach(async () => {
  let ids = 0;
  codec = await Codec.open({ register: async () => ++ids }, schemaOfTopic);
  tables = new Tables();
  committed = [];
  kept = [];
});

/** A worker as it starts: nothing remembered but what the tables hold. */
async function start(schema: SchemaName = 'DecidedBatch', partition = 3, deadInRow = 0) {
  const stages =
    schema === 'DecidedBatch' ? ['cec-validation', 'dedup', 'ledger-writer'] : ['ledger-writer of claims'];
  const writer = new TargetWriter({
    target: { topic: 'topic', schema, stages, sql: () => 'INSERT' },
    clickhouse: tables as unknown as Clickhouse,
    codec,
    linger: { insertRowsMax: 1_000, lingerMsMax: 0, fullRateRows: 1 },
    ports: {
      stage: stages.at(-1)!,
      deadLettersInRowMax: 3,
      coordinates: coordinatesOf(schema),
      keepBytes: async (_partition, { offset }) => {
        kept.push(offset);
      },
      counted: () => {},
    },
    waiting: () => {},
  });
  const control = {
    deadInRow,
    commit: (offset: number, inRow?: number) => {
      committed.push(offset);
      tables.inRow = inRow;
      tables.effects.push(`commit ${offset}`);
    },
    fail: (error: unknown) => {
      tables.broken = error;
    },
  };
  const worker: LedgerPartition = await writer.start(partition, control);
  const handle = async (...messages: InMessage[]) => {
    await worker.handle(messages, { backlog: 0 });
    await worker.settled();
    const { broken } = tables;
    tables.broken = undefined;
    if (broken) throw broken;
  };
  return Object.assign(handle, { refresh: () => writer.refresh() });
}

/** A message of `serials.decided`; `rows` 0: a tick, a copy or a stand-in. */
function decided(offset: number, more: Partial<OriginHeaders> = {}): InMessage {
  const headers = {
    submission: `s${offset}`,
    batch: 0,
    rows: 2,
    deadRows: 0,
    receivedAt: 0,
    origin: offset + 100,
    ...more,
  };
  const value = codec.encoder('DecidedBatch').encode({ ...standIn(headers, headers.origin), ...tick });
  return { offset, key: null, value, headers: writeHeaders(headers), timestamp: 0 };
}

const deadStage = (offset: number, origin: number, of: string) =>
  decided(offset, { submission: of, rows: 0, deadRows: 2, deadStage: 'dedup', origin });
const unsettled = () =>
  tables.letters({ partition: 3, stages: ['cec-validation', 'dedup', 'ledger-writer'] });

describe('order of effects', () => {
  test('rows, then the watermark, then the position (L3, L6)', async () => {
    await (await start())(decided(0), decided(1, { rows: 0 }), decided(2));
    expect(tables.effects).toEqual(['rows 0,2', 'watermark 102', 'commit 3']);
  });

  test('a dead letter is a row before any watermark passes it', async () => {
    await (await start())(decided(0), deadStage(1, 101, 'a'), decided(2));
    expect(tables.effects).toEqual(['rows 0,2', 'dead_letters 101:0', 'watermark 100', 'commit 3']);
  });

  test.each(['rows', 'dead_letters', 'watermarks'])('%s fail once: the same in the end', async (what) => {
    tables.failing = what;
    await (await start())(decided(0), deadStage(1, 101, 'a'), decided(2, { submission: 'a' }), decided(3));
    expect(tables.effects.at(-1)).toBe('commit 4');
    expect(tables.watermarks.get(3)).toBe(103);
    expect(await unsettled()).toEqual([]);
  });

  test('ticks alone move the watermark (L3)', async () => {
    await (await start())(decided(7, { submission: '', rows: 0 }));
    expect(tables.effects).toEqual(['watermark 107', 'commit 8']);
  });
});

describe('dead letters of earlier stages (L5)', () => {
  test('hold the watermark until their rows arrive, by whatever origin (X1)', async () => {
    const handle = await start();
    await handle(deadStage(1, 101, 'a'), decided(2));
    expect(tables.watermarks.get(3)).toBe(100);
    await handle(decided(3));
    expect(tables.watermarks.get(3)).toBe(100);
    await handle(decided(4, { submission: 'a' }));
    expect(tables.watermarks.get(3)).toBe(104);
    expect(await unsettled()).toEqual([]);
  });

  test('another batch of the submission, or its copy without rows, settles nothing', async () => {
    const handle = await start();
    await handle(
      deadStage(1, 101, 'a'),
      decided(2, { submission: 'a', batch: 1 }),
      decided(3, { submission: 'a', rows: 0 }),
    );
    expect(tables.watermarks.get(3)).toBe(100);
  });

  test('a writer that starts while one is unsettled is held by it from its first message on', async () => {
    await (await start())(decided(0), deadStage(1, 101, 'a'));
    const again = await start();
    await again(decided(2));
    expect(tables.watermarks.get(3)).toBe(100);
    await again(decided(3, { submission: 'a' }));
    expect(tables.watermarks.get(3)).toBe(103);
  });

  test('when it is settled, the watermark is where the log is acknowledged, also after a restart in between', async () => {
    await (await start())(decided(0), deadStage(1, 101, 'a'), decided(2), decided(3));
    const again = await start();
    await again(decided(4, { submission: 'a', origin: 101 }));
    expect(tables.watermarks.get(3)).toBe(103);
  });

  test('when it was settled by a writer that died before the watermark, the next one moves it without a message', async () => {
    await (await start())(decided(0), deadStage(1, 101, 'a'), decided(2));
    for (const [key, row] of tables.dead) tables.dead.set(key, { ...row, settled: 1 });
    await start();
    expect(tables.watermarks.get(3)).toBe(102);
  });

  test('those of another partition hold nothing here', async () => {
    await (await start('DecidedBatch', 4))(decided(0), deadStage(1, 101, 'a'));
    await (await start())(decided(2));
    expect(tables.watermarks.get(3)).toBe(102);
  });

  test('a zombie that reads everything again ends where the others are (must survive 13)', async () => {
    const log = [decided(0), deadStage(1, 101, 'a'), decided(2), decided(3, { submission: 'a' }), decided(4)];
    const zombie = await start();
    await zombie(...log.slice(0, 2));
    await (await start())(...log);
    await zombie(...log.slice(2));
    await (await start())(...log);
    expect(tables.watermarks.get(3)).toBe(104);
    expect(await unsettled()).toEqual([]);
  });
});

describe('data that ClickHouse refuses (L5)', () => {
  test('becomes a dead letter of this stage; the rest is written, the watermark stays below', async () => {
    tables.refused = new Set([1]);
    await (await start())(decided(0), decided(1), decided(2));
    expect(kept).toEqual([1]);
    expect(await unsettled()).toMatchObject([
      {
        stage: 'ledger-writer',
        origin: 101,
        submission: 's1',
        batch: 0,
        rows: 2,
        cause: 'refused',
        settled: 0,
      },
    ]);
    expect(tables.effects.filter((effect) => effect.startsWith('rows'))).toEqual(['rows 0', 'rows 2']);
    expect(tables.watermarks.get(3)).toBe(100);
    expect(committed).toEqual([3]);
  });

  test('its replay has the same origin, and settles it (X1)', async () => {
    tables.refused = new Set([1]);
    const handle = await start();
    await handle(decided(0), decided(1), decided(2));
    await handle(decided(3, { submission: 's1', origin: 101 }));
    expect(await unsettled()).toEqual([]);
    expect(tables.watermarks.get(3)).toBe(102);
  });

  test('its replay settles it after a restart too', async () => {
    tables.refused = new Set([1]);
    await (await start())(decided(0), decided(1), decided(2));
    const again = await start();
    await again(decided(3, { submission: 's1', origin: 101 }));
    expect(await unsettled()).toEqual([]);
    await again(decided(4));
    expect(tables.watermarks.get(3)).toBe(104);
  });

  test('a letter that another writer keeps of rows which this one took is settled by its replay', async () => {
    const handle = await start();
    await handle(decided(0, { submission: 'a' }), decided(1));
    tables.refused = new Set([0]);
    await (await start())(decided(0, { submission: 'a' }));
    expect(await unsettled()).toHaveLength(1);
    await handle(decided(2, { submission: 'a', origin: 100 }));
    expect(await unsettled()).toEqual([]);
    await handle(decided(3));
    expect(tables.watermarks.get(3)).toBe(103);
  });

  test('such a letter, when the original and its replay are taken together', async () => {
    const handle = await start();
    tables.refused = new Set([0]);
    await (await start())(decided(0, { submission: 'a' }));
    tables.refused = new Set();
    await handle(decided(0, { submission: 'a' }), decided(1, { submission: 'a', origin: 100 }));
    expect(await unsettled()).toEqual([]);
  });

  test('refused again when it is read again: it does not settle itself', async () => {
    tables.refused = new Set([1]);
    await (await start())(decided(1));
    await (await start())(decided(1), decided(2));
    expect(await unsettled()).toHaveLength(1);
    expect(tables.watermarks.get(3)).toBe(100);
  });

  test('a schema that nobody registered is refused before any insert', async () => {
    const unknown = decided(1);
    unknown.value!.writeUInt32BE(99, 1);
    await (await start())(decided(0), unknown, { ...decided(2), value: null }, decided(3));
    expect(kept).toEqual([1, 2]);
    expect((await unsettled()).map(({ origin, cause }) => [origin, cause])).toEqual([
      [101, 'unknown_schema'],
      [102, 'unknown_schema'],
    ]);
    expect(tables.watermarks.get(3)).toBe(100);
  });
});

describe('dead letters in a row', () => {
  const log = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => decided(from + i));

  test('of a run that is too long nothing is kept; what came before is acknowledged, and the worker stops', async () => {
    tables.refused = new Set([2, 3, 4, 5]);
    await expect((await start())(...log(0, 7))).rejects.toMatchObject({ code: 'too_many_dead_letters' });
    expect(kept).toEqual([]);
    expect(committed).toEqual([2]);
    expect(tables.watermarks.get(3)).toBe(101);
    await expect((await start())(...log(2, 7))).rejects.toMatchObject({ code: 'too_many_dead_letters' });
    expect(kept).toEqual([]);
  });

  test('a good message ends the run; the count is stored with the position', async () => {
    tables.refused = new Set([0, 1, 2, 4, 5]);
    await (await start())(...log(0, 6));
    expect(kept).toEqual([0, 1, 2, 4, 5]);
    expect(tables.inRow).toBe(2);
    const again = await start('DecidedBatch', 3, tables.inRow);
    tables.refused = new Set([6, 7]);
    await again(decided(6));
    await expect(again(decided(7))).rejects.toMatchObject({ code: 'too_many_dead_letters' });
    expect(kept).toEqual([0, 1, 2, 4, 5, 6]);
  });
});

describe('settled by somebody else', () => {
  test('a discarded dead letter lets the watermark go, without another message', async () => {
    const handle = await start();
    await handle(decided(0), deadStage(1, 101, 'a'), decided(2));
    await handle.refresh();
    expect(tables.watermarks.get(3)).toBe(100);
    const [letter] = await unsettled();
    await tables.insertRows('dead_letters', [{ ...letter!, settled: 2 }]);
    await handle.refresh();
    expect(tables.watermarks.get(3)).toBe(102);
  });

  test('a late copy of a stand-in, after its rows arrived, holds nothing for ever', async () => {
    const handle = await start();
    await handle(deadStage(1, 101, 'a'), decided(2, { submission: 'a' }));
    await handle(deadStage(3, 101, 'a'), decided(4));
    expect(tables.watermarks.get(3)).toBe(102);
    await handle.refresh();
    expect(tables.watermarks.get(3)).toBe(104);
  });

  test('one that the table does not have yet is not taken for settled', async () => {
    const handle = await start();
    await handle(deadStage(1, 101, 'a'), decided(2));
    tables.dead.clear();
    await handle.refresh();
    await handle(decided(3));
    expect(tables.watermarks.get(3)).toBe(100);
  });
});

describe('records of their own: manifests and claims', () => {
  const claim = (offset: number, origin?: number): InMessage => ({
    ...decided(offset),
    value: Buffer.from([0, 0, 0, 0, codec.versions('DecidedClaim')[0]!.id]),
    headers: origin === undefined ? {} : { origin: String(origin) },
  });

  beforeEach(() => {
    // What is inside is not looked at.
    tables.insertRaw = async (_sql, body) => {
      tables.effects.push(`rows ${(body as Buffer[]).length}`);
      if (tables.refused.size > 0) throw serverError(395, 'refused');
    };
  });

  test('their coordinate is the header origin, or else their own offset', async () => {
    await (await start('DecidedClaim'))(claim(5, 12), claim(6, 13));
    expect(tables.watermarks.get(3)).toBe(13);
    await (await start('DecidedClaim', 4))(claim(5));
    expect(tables.watermarks.get(4)).toBe(5);
  });

  test('the next record does not settle a refused one; its own replay does', async () => {
    const handle = await start('DecidedClaim');
    tables.refused = new Set([5]);
    await handle(claim(5, 12));
    tables.refused = new Set();
    await handle(claim(6, 13));
    const left = () => tables.letters({ partition: 3, stages: ['ledger-writer of claims'] });
    expect(await left()).toHaveLength(1);
    expect(tables.watermarks.get(3)).toBe(11);
    await handle(claim(7, 12));
    expect(await left()).toEqual([]);
    expect(tables.watermarks.get(3)).toBe(13);
  });
});

test('the refusal that these tests use is one', () => {
  expect(isDataRefused(serverError(395, 'refused'))).toBe(true);
});
