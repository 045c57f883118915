import { afterAll, beforeAll, expect, test } from 'vitest';
import { bucketKey, indexKeys, serialPlace } from '#dedup/layout.ts';
import { packSlots, type Slot, unpackSlots } from '#dedup/slots.ts';
import { until } from '#scripts/demo/client.ts';
import { currentGeneration } from '#scripts/rebuild-index/generation.ts';
import type { RecoveryContext } from '#scripts/recovery/context.ts';
import { runScript } from '#scripts/run-script.ts';
import { indexPrefix } from '#shared/adapters/kafka/topics.ts';
import { stateKey } from '#shared/adapters/redis/state-store.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import { startTestFleet, type TestFleet } from '#test/support/fleet.ts';
import { GatewayLog } from '#test/support/gateway-log.ts';
import { expectNothingDiffers, recoveryContext, Submitted, still } from '#test/support/recovery.ts';

/** Reconcile, on a ledger where somebody has been at one store behind the back of the others. */
let fleet: TestFleet;
let log: GatewayLog;
let context: RecoveryContext;
let close: () => Promise<void>;
let submission: string;
let changes: string;

type Undo = () => Promise<unknown>;

beforeAll(async () => {
  fleet = await startTestFleet({ settings: { SESSION_TIMEOUT_MS: '6000', ALARM_INTERVAL_MS: '1000' } });
  const { urls } = fleet.fleet.engines;
  log = await GatewayLog.open(urls);
  ({ context, close } = recoveryContext(urls));
  const submitted = new Submitted(log, context, fleet.models);
  submission = await submitted.submit(submitted.rows('R-', 0, 60, 'First'), { registered: 60 });
  await submitted.submit(submitted.rows('R-', 0, 20, 'First'), { duplicate: 20 });
  await submitted.submit(submitted.rows('R-', 20, 40, 'First'), { invalidated: 20 }, 'invalidate');
  const changed = submitted.rows('R-', 40, 60, 'First', { status: 'sold' });
  changes = await submitted.submit(changed, { status_updated: 20 }, 'update_status');
  await submitted.decided();
  await still(
    context,
    Array.from({ length: context.partitions }, (_, i) => String(i)),
  );
});

afterAll(async () => {
  await log?.close();
  await close?.();
  await fleet?.stop();
});

/** The slots of a serial, replaced; undefined takes the field away. */
async function slots(
  of: string,
  change: (slots: readonly Slot[]) => readonly Slot[] | undefined,
): Promise<Undo> {
  const { redis } = context;
  const name = String(partitionOf('panel', of, context.partitions));
  const generation = (await currentGeneration(context, name))!;
  const place = serialPlace(generation, 'panel', of);
  const key = stateKey(indexPrefix, { name, generation: generation.generation }, bucketKey(place.bucket));
  const field = Buffer.from(place.field, 'latin1');
  const held = (await redis.hgetBuffer(key, field))!;
  const changed = change(unpackSlots(held.toString('latin1')));
  if (changed) await redis.hset(key, field, Buffer.from(packSlots(changed), 'latin1'));
  else await redis.hdel(key, field);
  return () => redis.hset(key, field, held);
}

/** One of those that the partition of this serial remembers. */
async function forgottenBatch(serial: string): Promise<Undo> {
  const { redis } = context;
  const name = String(partitionOf('panel', serial, context.partitions));
  const { generation } = (await currentGeneration(context, name))!;
  const key = stateKey(indexPrefix, { name, generation }, indexKeys.seen);
  const pairs = (await redis.callBuffer('ZRANGE', key, 0, 0, 'WITHSCORES')) as Buffer[][];
  const [member, score] = pairs.flat();
  await redis.zrem(key, member!);
  return () => redis.zadd(key, String(score), member!);
}

/** Takes rows out of a table of the ledger. */
async function taken(table: string, where: string): Promise<Undo> {
  const { clickhouse } = context;
  const kept = await clickhouse.query<object>(`SELECT * FROM ${table} FINAL WHERE ${where}`);
  expect(kept.length).toBeGreaterThan(0);
  await clickhouse.command(`ALTER TABLE ${table} DELETE WHERE ${where} SETTINGS mutations_sync = 2`);
  return () => clickhouse.insertRows(table, kept);
}

/** What was done behind the back of the others, and how reconcile names it. */
const tampered: readonly (readonly [string, () => Promise<Undo>, RegExp])[] = [
  [
    'a serial that the index has forgotten',
    () => slots('R-7', () => undefined),
    /panel R-7: the index has nothing, the ledger registered under .* by FIRST, entry 1/,
  ],
  [
    'a serial that is said to be invalid',
    () => slots('R-8', (held) => held.map((slot) => ({ ...slot, state: 'invalid' as const }))),
    /panel R-8: the index has invalid under .*, the ledger registered under/,
  ],
  [
    'an entry that is counted wrong',
    () => slots('R-9', (held) => held.map((slot) => ({ ...slot, entry: slot.entry + 1 }))),
    /panel R-9: the index has registered under .*, entry 2, the ledger .*, entry 1/,
  ],
  [
    'a status that is forgotten',
    () => slots('R-45', (held) => held.map((slot) => ({ ...slot, status: 0 }))),
    /panel R-45: the index has .*, entry 2, the ledger .*, entry 2, status sold/,
  ],
  [
    'a batch that could be entered twice',
    () => forgottenBatch('R-7'),
    /batches seen of partition \d+[\s\S]*the index remembers \d+ batches at origin \d+, the ledger has \d+/,
  ],
  [
    'an entry that is gone from the ledger',
    () => taken('serial_rows', "serial_key = 'R-11' AND entry > 0"),
    /a serial \(hash [0-9a-f]{16}\): the index has registered under .*, the ledger nothing/,
  ],
  [
    'a manifest that is gone from the ledger',
    () => taken('submissions', `submission = '${changes}'`),
    /submission \S+ at \S+ offset \d+ is not in the ledger/,
  ],
];

test('as it is, nothing differs', () => expectNothingDiffers(fleet.fleet.engines.urls));

test('what is otherwise in one store is found and named, and back as it was nothing differs', async () => {
  const undo: Undo[] = [];
  try {
    for (const [, tamper] of tampered) undo.push(await tamper());
    const { code, out } = await runScript(fleet.fleet.engines.urls, 'reconcile', '--patience', '60');
    expect(code).toBe(1);
    expect(
      tampered.filter(([, , named]) => !named.test(out)).map(([what]) => what),
      out,
    ).toEqual([]);
    expect(out).not.toMatch(/R-1\d*:/);
  } finally {
    for (const back of undo) await back();
  }
  await expectNothingDiffers(fleet.fleet.engines.urls);
});

test('rows that are accounted for nowhere: reconcile and the gauge say so, until they are there again (K5)', async () => {
  const undo = await taken('batch_outcomes', `submission = '${submission}'`);
  try {
    await until('the gauge to rise', imbalance, (rows) => rows === 60, 60_000);
    const { code, out } = await runScript(fleet.fleet.engines.urls, 'reconcile', '--patience', '60');
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining(submission) });
  } finally {
    await undo();
  }
  await until('the gauge to fall', imbalance, (rows) => rows === 0, 60_000);
  await expectNothingDiffers(fleet.fleet.engines.urls);
});

async function imbalance(): Promise<number> {
  const { addresses } = fleet.fleet.services.find(({ service }) => service === 'ledger-writer')!;
  const text = await (await fetch(`${addresses.ops}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith('ledger_imbalance_rows{'));
  return Number(line?.split(' ').at(-1) ?? 0);
}
