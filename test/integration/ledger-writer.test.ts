import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ContainerWriter } from '#ledger-writer/container.ts';
import { coordinatesOf } from '#ledger-writer/ports.ts';
import { TargetWriter } from '#ledger-writer/target.ts';
import { targets } from '#ledger-writer/targets.ts';
import { type Clickhouse, isDataRefused } from '#shared/adapters/clickhouse/client.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { Codec, Encoder } from '#shared/codec/codec.ts';
import { type OriginHeaders, writeHeaders } from '#shared/codec/headers.ts';
import { releasedVersions, schemaOfTopic } from '#shared/codec/schemas.ts';
import { schemaIdOf } from '#shared/codec/wire.ts';
import { standIn } from '#shared/domain/batches.ts';
import { grouped, type SentRecord, spelledOut } from '#shared/domain/records.ts';
import type { Outcome, SerialRecord } from '#shared/domain/serials.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import { type Stores, startStores, testDatabase } from '#test/support/stores.ts';

type DecidedBatch = ReturnType<typeof standIn>;

const target = targets[0]!;
let stores: Stores;
let apart: Clickhouse;
let clickhouse: Clickhouse;
let codec: Codec;
let encoder: Encoder<unknown>;
let kept: number[];
let committed: number[];
let waited: () => void;

beforeAll(async () => {
  stores = await startStores('clickhouse');
  apart = stores.clickhouse('default');
  let ids = 0;
  codec = await Codec.open({ register: async () => ++ids }, schemaOfTopic);
  encoder = codec.encoder('DecidedBatch');
});

beforeEach(async () => {
  if (clickhouse !== undefined) await drop();
  clickhouse = stores.clickhouse(testDatabase());
  await migrate(clickhouse, apart, { now: () => new Date('2026-11-23T00:00:00Z') });
  kept = [];
  committed = [];
  waited = () => undefined;
});

afterAll(async () => {
  if (clickhouse !== undefined) await drop();
  await apart?.close();
  await stores?.stop();
});

async function drop(): Promise<void> {
  await apart.command(`DROP DATABASE IF EXISTS \`${clickhouse.database}\``);
  await clickhouse.close();
}

function record(row: number, serial: string): SerialRecord {
  const names = { supplier: 'Sup', holder: 'Hold', series: '', model: 'M', serial };
  const keys = { supplier_key: 'SUP', holder_key: 'HOLD', serial_key: serial };
  return { row, line: row + 1, ...names, ...keys, status: '', reason: '', note: '', finding: '', column: '' };
}

const submission = (offset: number) => `019d0000-0000-7000-8000-${String(offset).padStart(12, '0')}`;

/** A message of `serials.decided` of partition 3 with two rows: one registered, one duplicate. Origin = offset + 100. */
function decided(
  offset: number,
  change: object = {},
  headers: Partial<OriginHeaders> = {},
  by = encoder,
): InMessage {
  const place = {
    submission: submission(offset),
    batch: 0,
    rows: 2,
    deadRows: 0,
    receivedAt: 0,
    origin: offset + 100,
  };
  const outcomes: Outcome[] = ['registered', 'duplicate'];
  const batch = {
    ...(standIn(place, place.origin) satisfies DecidedBatch),
    product: 'panel',
    action: 'register',
    received_at: 1_776_000_000_000,
    records: [record(1, `S${offset}`), record(2, `S${offset}`)],
    listings: outcomes.map(() => ({ finding: 'listed', note: '' })),
    decisions: outcomes.map((outcome, entry) => ({ outcome, entry: 1 - entry, note: '' })),
    ...change,
  };
  return {
    offset,
    key: null,
    value: by.encode(batch),
    headers: writeHeaders({ ...place, ...headers }),
    timestamp: 0,
  };
}

const batches = (count: number) => Array.from({ length: count }, (_, i) => decided(i));
const tickAt = (offset: number) =>
  decided(offset, { records: [], listings: [], decisions: [] }, { submission: '', rows: 0 });

async function start() {
  const writer = new TargetWriter({
    target,
    clickhouse,
    codec,
    linger: { insertRowsMax: 1_000, lingerMsMax: 0, fullRateRows: 1 },
    ports: {
      stage: target.stages.at(-1)!,
      deadLettersInRowMax: 1_000,
      coordinates: coordinatesOf(target.schema),
      keepBytes: async (_partition, { offset }) => {
        kept.push(offset);
      },
      counted: () => undefined,
    },
    waiting: () => waited(),
  });
  let failed: unknown;
  const control = {
    commit: (offset: number) => committed.push(offset),
    fail: (error: unknown) => {
      failed = error;
    },
  };
  const worker = await writer.start(3, control);
  return async (...messages: InMessage[]) => {
    await worker.handle(messages, { backlog: 0 });
    await worker.settled();
    if (failed) throw failed;
  };
}

/** By the newest version, like what is sent now. */
const insert = target.sql(releasedVersions(target.schema).length);

/** The container that the writer would send for these messages. */
function containerOf(messages: readonly InMessage[]): readonly Buffer[] {
  const writer = new ContainerWriter(codec.versions(target.schema).at(-1)!.schema);
  return writer.write(messages.map(({ offset, value }) => ({ partition: 3, offset, value: value! })));
}

/** Rows of the ledger as they are read: collapsed. */
async function ledger() {
  const [rows] = await clickhouse.query<{
    rows: number;
    serials: string[];
    unregistered: number;
    decided: number;
  }>(
    `SELECT (SELECT count() FROM serial_rows FINAL) AS rows,
            (SELECT arraySort(groupUniqArray(serial_key)) FROM serial_rows FINAL WHERE entry > 0) AS serials,
            (SELECT count() FROM unregistered_rows FINAL) AS unregistered,
            (SELECT sum(arraySum(mapValues(outcomes))) FROM batch_outcomes FINAL) AS decided`,
  );
  return rows!;
}

async function tracesOf(origin: number): Promise<number> {
  const [found] = await clickhouse.query<{ rows: number }>(
    `SELECT (SELECT count() FROM serial_rows WHERE origin = {origin:UInt64})
          + (SELECT count() FROM batch_outcomes WHERE origin = {origin:UInt64}) AS rows`,
    { origin },
  );
  return found!.rows;
}

async function watermark(): Promise<number | null> {
  const rows = await clickhouse.query<{ origin: number }>(
    'SELECT max(origin) AS origin FROM watermarks WHERE topic = {topic:String} AND partition = 3 HAVING count() > 0',
    { topic: target.topic },
  );
  return rows[0]?.origin ?? null;
}

const deadLetters = () =>
  clickhouse.query<{ origin: number; rows: number; settled: number; cause: string }>(
    'SELECT origin, rows, settled, cause FROM dead_letters FINAL ORDER BY origin',
  );

const nothing = { rows: 0, serials: [], unregistered: 0, decided: 0 };

describe('L4: a container whose messages do not add up writes nothing', () => {
  test('as it is, all of it is written', async () => {
    await clickhouse.insertRaw(insert, containerOf(batches(50)));
    expect(await ledger()).toMatchObject({ rows: 100, unregistered: 50, decided: 100 });
  });

  test.each<[string, number]>([
    ['first', 0],
    ['last', 49],
  ])('a wrong sentinel in the %s message', async (_which, at) => {
    const parts = [...containerOf(batches(50))];
    // Header, counts, then body and tail of each message; a tail ends in the sentinel.
    const tail = Buffer.from(parts[3 + 2 * at]!);
    tail[tail.length - 1]! ^= 1;
    parts[3 + 2 * at] = tail;
    const error: unknown = await clickhouse.insertRaw(insert, parts).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'clickhouse.FUNCTION_THROW_IF_VALUE_IS_NON_ZERO' });
    expect(isDataRefused(error)).toBe(true);
    expect(await ledger()).toEqual(nothing);
  });

  test.each<[string, (body: Buffer) => Buffer]>([
    ['a byte more', (body) => Buffer.concat([body, Buffer.from([0])])],
    ['a byte less', (body) => body.subarray(0, -1)],
    ['another count of records', (body) => Buffer.concat([body.subarray(0, -1), Buffer.from([2])])],
  ])('a body with %s', async (_what, damage) => {
    const parts = [...containerOf(batches(50))];
    parts[2 + 2 * 49] = damage(parts[2 + 2 * 49]!);
    const error: unknown = await clickhouse.insertRaw(insert, parts).catch((cause: unknown) => cause);
    expect(isDataRefused(error), String(error)).toBe(true);
    expect(await ledger()).toEqual(nothing);
  });
});

test('a batch whose records repeat each other makes the rows that it makes spelled out, as version 1 had it', async () => {
  const records: readonly SerialRecord[] = Array.from({ length: 40 }, (_, i) => ({
    ...record(i + 1, i % 5 === 4 ? '' : `S${i}`),
    serial: i % 3 === 0 ? `s ${i}` : i % 5 === 4 ? '?' : `S${i}`,
    model: `M${i % 4}`,
    series: i % 4 === 1 ? 'Series é' : '',
    note: i % 8 === 2 ? 'model_name_folded' : '',
    finding: i % 5 === 4 ? 'serial_missing' : '',
    column: i % 5 === 4 ? 'Serial number' : '',
  }));
  const listingOf = ({ model, finding }: SerialRecord) =>
    finding === ''
      ? { finding: 'listed', note: model === 'M3' ? 'expires_soon' : '' }
      : { finding: 'not_checked', note: '' };
  const decisionOf = ({ finding }: SerialRecord) =>
    finding === ''
      ? { outcome: 'registered', entry: 1, note: '' }
      : { outcome: 'malformed', entry: 0, note: '' };
  const messageOf = (sent: readonly SentRecord[], by?: Encoder<unknown>) => {
    const spelled = spelledOut(sent);
    const listings = spelled.map((each, i) =>
      sent[i]!.repeats ? { finding: '', note: '' } : listingOf(each),
    );
    return decided(7, { records: sent, listings, decisions: spelled.map(decisionOf) }, {}, by);
  };
  const [first] = codec.versions(target.schema);
  const whole = messageOf(
    records.map((each) => ({ ...each, repeats: false })),
    new Encoder(first!.type, first!.id),
  );
  const short = messageOf(grouped(records));
  expect(short.value!.length).toBeLessThan(whole.value!.length / 1.5);
  expect(schemaIdOf(short.value)).not.toBe(schemaIdOf(whole.value));

  const everything = async () =>
    Promise.all(
      ['serial_rows', 'unregistered_rows', 'noted_rows', 'batch_outcomes'].map((table) =>
        clickhouse.query(`SELECT * FROM ${table} FINAL ORDER BY ALL`),
      ),
    );
  await (await start())(whole);
  const once = await everything();
  expect(once.map((rows) => rows.length)).toEqual([32, 8, 4, 1]);
  for (const table of ['serial_rows', 'unregistered_rows', 'noted_rows', 'batch_outcomes'])
    await clickhouse.command(`TRUNCATE TABLE ${table}`);
  await (await start())(short);
  expect(await everything()).toEqual(once);
  // Both in one delivery, as while releases change.
  await (await start())(decided(8), { ...whole, offset: 9 }, decided(10), { ...short, offset: 11 });
  expect(await ledger()).toMatchObject({ rows: 32 + 4, unregistered: 8 + 2 });
});

describe('L1: a repeat changes nothing', () => {
  test('the same messages again, in other containers and by another worker (must survive 7)', async () => {
    await (await start())(...batches(20));
    const once = await ledger();
    expect(once).toMatchObject({ rows: 40, unregistered: 20, decided: 40 });
    const again = await start();
    for (const message of batches(20)) await again(message);
    await clickhouse.insertRaw(insert, containerOf(batches(20)), { settings: { max_block_size: '3' } });
    expect(await ledger()).toEqual(once);
    expect(await watermark()).toBe(119);
  });

  test('the same messages twice in one block', async () => {
    await clickhouse.insertRaw(insert, containerOf([...batches(20), ...batches(20)]));
    expect(await ledger()).toMatchObject({ rows: 40, unregistered: 20, decided: 40 });
  });

  test('rows that were deleted come back with a replay: no insert is taken for an earlier one', async () => {
    await (await start())(...batches(20));
    const once = await ledger();
    for (const table of ['serial_rows', 'unregistered_rows', 'batch_outcomes'])
      await clickhouse.command(`ALTER TABLE ${table} DELETE WHERE 1 SETTINGS mutations_sync = 2`);
    expect(await ledger()).toEqual(nothing);
    await (await start())(...batches(20));
    expect(await ledger()).toEqual(once);
  });

  test('a copy that was applied without decisions does not replace the outcomes of the first', async () => {
    const handle = await start();
    await handle(decided(0));
    await handle(
      decided(
        1,
        { submission: submission(0), records: [], listings: [], decisions: [] },
        { submission: submission(0), rows: 0 },
      ),
    );
    expect(await ledger()).toMatchObject({ rows: 2, decided: 2 });
    expect(await watermark()).toBe(101);
  });
});

describe('L5: a refused block', () => {
  test.each<[string, object, string]>([
    ['a submission that is no UUID', { submission: 'no-uuid' }, 'UUID'],
    ['fewer decisions than records', { decisions: [] }, 'SIZES_OF_ARRAYS_DONT_MATCH'],
  ])(
    '%s: halved, the offender becomes a dead letter, the others are written',
    async (_what, change, cause) => {
      const messages = Array.from({ length: 9 }, (_, i) => decided(i, i === 5 ? change : {}));
      await (await start())(...messages);
      expect(await ledger()).toMatchObject({ rows: 16, decided: 16 });
      expect((await ledger()).serials).not.toContain('S5');
      expect(await tracesOf(105)).toBe(0);
      expect(kept).toEqual([5]);
      expect(await deadLetters()).toMatchObject([
        { origin: 105, rows: 2, settled: 0, cause: expect.stringContaining(cause) },
      ]);
      expect(await watermark()).toBe(104);
      expect(committed).toEqual([9]);

      // Its replay, whole: same rows, same origin, another offset. A worker that started since knows of the dead letter.
      const whole = { ...decided(5), offset: 9 };
      await (await start())(whole);
      expect(await deadLetters()).toMatchObject([{ origin: 105, settled: 1 }]);
      await (await start())(decided(10));
      expect(await watermark()).toBe(110);
      expect(await ledger()).toMatchObject({ rows: 20, decided: 20 });
    },
  );
});

describe('L3: the watermark', () => {
  test('is not there before anything is; ticks move it, copies of older origins do not', async () => {
    const handle = await start();
    expect(await watermark()).toBeNull();
    await handle(decided(0), tickAt(1));
    expect(await watermark()).toBe(101);
    await handle(tickAt(7));
    expect(await watermark()).toBe(107);
    await handle({ ...decided(2), offset: 8 });
    expect(await watermark()).toBe(107);
    expect(await ledger()).toMatchObject({ rows: 4 });
  });

  test('an announced dead letter holds it, also for a worker that starts later, until its rows arrive', async () => {
    const dead = decided(
      1,
      { records: [], listings: [], decisions: [] },
      { rows: 0, deadRows: 2, deadStage: 'dedup' },
    );
    await (await start())(decided(0), dead, decided(2));
    expect(await watermark()).toBe(100);
    const again = await start();
    await again(tickAt(3));
    expect(await watermark()).toBe(100);
    await again(decided(4, { submission: submission(1) }, { submission: submission(1) }));
    expect(await watermark()).toBe(104);
    expect(await deadLetters()).toMatchObject([{ origin: 101, settled: 1 }]);
  });
});

test('ClickHouse dies and comes back: waited for, written once (must survive 7)', async ({ skip }) => {
  if (stores.engines.way !== 'processes') return skip('ClickHouse is not ours to stop');
  const handle = await start();
  await handle(decided(0));
  stores.engines.kill('clickhouse', 'SIGKILL');
  const missed = new Promise<void>((resolve) => {
    waited = resolve;
  });
  const handling = handle(decided(1), decided(2));
  await missed;
  expect(committed).toEqual([1]);
  await stores.engines.restart('clickhouse');
  await handling;
  expect(committed).toEqual([1, 3]);
  expect(await ledger()).toMatchObject({ rows: 6, serials: ['S0', 'S1', 'S2'] });
  expect(await watermark()).toBe(102);
});
