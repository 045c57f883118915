import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { statusesMax } from '#dedup/slots.ts';
import { until } from '#scripts/demo/client.ts';
import { importList } from '#scripts/demo/scenario.ts';
import { root } from '#scripts/engines/local.ts';
import { lastLines } from '#scripts/engines/supervise.ts';
import { serialsSeekOffset } from '#scripts/rebuild-index/seek.ts';
import type { RecoveryContext } from '#scripts/recovery/context.ts';
import { watermarkOf } from '#scripts/recovery/ledger.ts';
import { runScript } from '#scripts/run-script.ts';
import { withAdmin } from '#shared/adapters/kafka/client.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { ClaimEvent } from '#shared/domain/claims/index.ts';
import { withdrawalEvent } from '#shared/domain/claims/index.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { claimOf, equipment, solarFacts } from '#test/support/claims.ts';
import { startTestFleet, syntheticList, type TestFleet } from '#test/support/fleet.ts';
import { GatewayLog } from '#test/support/gateway-log.ts';
import {
  dumpIndex,
  expectNothingDiffers,
  readyz,
  recoveryContext,
  Submitted,
  still,
} from '#test/support/recovery.ts';

/** Guarantees D6, D7, K6, R1, R2; must survive 8 and 12: Redis emptied, put back to an older copy, far behind the log. */
let fleet: TestFleet;
let log: GatewayLog;
let context: RecoveryContext;
let close: () => Promise<void>;
let scopes: readonly string[];
let submitted: Submitted;

const inverterList = path.join(root, 'deploy', 'lists', 'synthetic_inverters_20260423.csv');
const inverter = {
  holder: 'Brightgrid Power Electronics Co Ltd',
  series: 'BG',
  model: 'BG-5000TL (AS4777-2 2020)',
};
const dayMs = 86_400_000;
const installed = sydneyDay(Date.now() - 30 * dayMs);

beforeAll(async () => {
  fleet = await startTestFleet({ settings: { SESSION_TIMEOUT_MS: '6000' } });
  const { urls } = fleet.fleet.engines;
  await importList(urls, inverterList, 'inverter');
  log = await GatewayLog.open(urls);
  ({ context, close } = recoveryContext(urls));
  scopes = [...Array.from({ length: context.partitions }, (_, i) => String(i)), 'claims'];
  submitted = new Submitted(log, context, fleet.models);
  await fill();
});

afterAll(async () => {
  await log?.close();
  await close?.();
  await fleet?.stop();
});

beforeEach(() => submitted.decided());

/** Every kind of life that a serial has: repeated, in conflict, shared, invalid, with a status, registered again by somebody else. */
async function fill(): Promise<void> {
  await submitted.submit(submitted.rows('A', 0, 2_000, 'First'), { registered: 2_000 });
  await submitted.decided();
  await submitted.submit(submitted.rows('A', 0, 200, 'First'), { duplicate: 200 });
  await submitted.submit(submitted.rows('A', 200, 300, 'Second'), { conflict: 100 });
  await submitted.submit(submitted.rows('A', 300, 500, 'First'), { invalidated: 200 }, 'invalidate');
  await submitted.submit(submitted.rows('A', 500, 520, 'Second'), { not_yours: 20 }, 'invalidate');
  const holders = new Set(fleet.models.slice(0, 20).map((listed) => listed.holder));
  const { holder, model } = fleet.models.find((listed) => !holders.has(listed.holder))!;
  await submitted.submit(submitted.rows('A', 600, 650, 'Third', { holder, model }), { registered: 50 });
  const update = 'update_status';
  // More statuses in each partition than a slot tells apart: of the 28 that it does, the repetition changes nothing.
  const statuses = submitted
    .rows('A', 700, 1_000, 'First')
    .map((row, i) => ({ ...row, status: `status_${i}` }));
  await submitted.submit(statuses, { status_updated: 300 }, update);
  const toldApart = statusesMax * context.partitions;
  await submitted.submit(statuses, { unchanged: toldApart, status_updated: 300 - toldApart }, update);
  const same = submitted.rows('A', 700, 710, 'First', { status: 'status_3' });
  await submitted.submit(same, { status_updated: 9, unchanged: 1 }, update);
  await submitted.submit(submitted.rows('A', 700, 705, 'First'), { invalidated: 5 }, 'invalidate');
  await submitted.submit(
    submitted.rows('A', 700, 703, 'First', { status: 'Sold' }),
    { already_invalid: 3 },
    update,
  );
  await submitted.submit(
    submitted.rows('A', 710, 712, 'Second', { status: 'Sold' }),
    { not_yours: 2 },
    update,
  );
  await submitted.submit(submitted.rows('Z', 0, 4, 'First', { status: 'Lost' }), { not_found: 4 }, update);
  await submitted.submit(submitted.rows('N', 0, 40, 'First', { model: 'NO SUCH MODEL' }), { not_listed: 40 });
  await submitted.submit(submitted.rows('M', 0, 10, 'First', { finding: 'serial_missing' }), {
    malformed: 10,
  });
  await submitted.decided();
  await submitted.submit(submitted.rows('A', 300, 400, 'Second'), { registered: 100 });
  for (const claim of claims()) await log.claim(claim);
  await claimsDecided(claims().length);
  await log.claim(withdrawalEvent({ ...sender, event: 'withdrawn' }, claims()[2]!.claim, 'changed'));
  await claimsDecided(claims().length + 1);
}

const sender = { account: 'agent', submitted_by: 'key', received_at: Date.now() };

/** Confirmed on site, so that the serials need not be in the ledger; the last names a serial of the first. */
function claims(): readonly ClaimEvent[] {
  const { holder, model } = fleet.models[0]!;
  const named = [
    ['P-1', 'P-2'],
    ['P-3', 'P-4'],
    ['P-5', 'P-6'],
    ['P-2', 'P-7'],
  ];
  return named.map((serials, i) => ({
    ...claimOf(
      solarFacts({
        address: `${i + 1} Example Street`,
        installed_on: installed,
        verified: true,
        spv_package: 'SPV-1',
        equipment: [
          equipment('panel', serials, { holder, model }),
          equipment('inverter', [`I-${i}`], inverter),
        ],
      }),
      { token: `t${i}`, event: `event-${i}` },
    ),
    received_at: sender.received_at,
  }));
}

function claimsDecided(events: number) {
  return until(
    `${events} claim events`,
    async () => {
      const [row] = await context.clickhouse.query<{ events: number }>(
        'SELECT count() AS events FROM claims FINAL',
      );
      return row?.events ?? 0;
    },
    (count) => count >= events,
    60_000,
  );
}

async function dump() {
  await still(context, scopes);
  return Object.fromEntries(
    await Promise.all(scopes.map(async (scope) => [scope, await dumpIndex(context, scope)] as const)),
  );
}

function service(name: string) {
  return fleet.fleet.services.find((running) => running.service === name)!;
}

test('the result is what was there, byte for byte, at the same position', async () => {
  await expectNothingDiffers(fleet.fleet.engines.urls);
  const before = await dump();
  expect(JSON.stringify(before).length).toBeGreaterThan(50_000);
  const rebuilt = await runScript(fleet.fleet.engines.urls, 'rebuild-index');
  expect(rebuilt).toMatchObject({ code: 0 });
  expect(rebuilt.out).toMatch(/partition 0: \d+ serials and \d+ batches up to origin \d+/);
  expect(rebuilt.out).toMatch(/claims: 5 events up to offset 4/);
  expect(await dump()).toEqual(before);
  await expectNothingDiffers(fleet.fleet.engines.urls);
});

test('a new layout is another key and other buckets, and the same state', async () => {
  const relaid = await runScript(
    fleet.fleet.engines.urls,
    'rebuild-index',
    '--partition',
    '1',
    '--new-layout',
  );
  expect(relaid).toMatchObject({ code: 0 });
  await expectNothingDiffers(fleet.fleet.engines.urls);
});

test('Redis emptied under load: workers wait and say why, a rebuild lets them go on, and every row has one outcome (must survive 8)', async () => {
  const { urls } = fleet.fleet.engines;
  const files = Array.from({ length: 12 }, (_, i) => submitted.rows('B', i * 500, i * 500 + 1_000, 'First'));
  // Every file repeats half of the one before it.
  for (const [i, rows] of files.entries()) {
    await submitted.submit(rows, i === 0 ? { registered: 1_000 } : { registered: 500, duplicate: 500 });
    if (i === 5) await context.redis.flushall();
  }
  // cec-validation waits as well, for its lists.
  for (const [product, file] of [
    ['panel', syntheticList],
    ['inverter', inverterList],
  ] as const)
    await importList(urls, file, product);
  const waiting = await until(
    'dedup to say why it waits',
    () => readyz(fleet.fleet, 'dedup'),
    ({ body }) => /it waits to be rebuilt/.test(body.partitions ?? ''),
    30_000,
  );
  expect(waiting.status).toBe(503);
  expect(waiting.body.partitions).toMatch(
    /serials\.listed.* waits: the index of \{\d\} has not generation \d+: it waits to be rebuilt/,
  );
  expect((await readyz(fleet.fleet, 'certificate')).body.index).toMatch(
    /the index of \{claims\} has not generation/,
  );

  const found = await runScript(urls, 'reconcile', '--patience', '60');
  expect(found.code).toBe(1);
  expect(found.out).toMatch(/Redis has not generation \d+ of \{0\}: npm run rebuild-index -- --partition 0/);

  expect(await runScript(urls, 'rebuild-index')).toMatchObject({ code: 0 });
  await submitted.decided();
  await until(
    'the workers to be ready',
    async () => [
      (await readyz(fleet.fleet, 'dedup')).status,
      (await readyz(fleet.fleet, 'certificate')).status,
    ],
    (statuses) => statuses.every((status) => status === 200),
    30_000,
  );
  await expectNothingDiffers(fleet.fleet.engines.urls);
  expect(await metric('ledger-writer', 'ledger_imbalance_rows')).toBe(0);
});

test('Redis put back to an older copy under load: noticed by the position, read again, and decided the same (must survive 2, 12)', async () => {
  await still(context, scopes);
  const copy = copyRedis();
  try {
    await submitted.submit(submitted.rows('C', 0, 2_000, 'First'), { registered: 2_000 });
    await submitted.submit(submitted.rows('A', 1_000, 1_200, 'First'), { invalidated: 200 }, 'invalidate');
    await submitted.decided();
    await submitted.submit(submitted.rows('C', 1_000, 3_000, 'First'), {
      registered: 1_000,
      duplicate: 1_000,
    });
    await copy.putBack();
    await submitted.submit(submitted.rows('C', 2_000, 4_000, 'Second'), {
      registered: 1_000,
      conflict: 1_000,
    });
    await submitted.submit(submitted.rows('A', 1_000, 1_100, 'Second'), { registered: 100 });
    await submitted.decided();
    await expectNothingDiffers(fleet.fleet.engines.urls);
  } finally {
    copy.remove();
  }
});

test('put back to a copy that is behind the log: dedup stops and says what to do; after a rebuild it goes on (must survive 12)', async () => {
  const { urls } = fleet.fleet.engines;
  await still(context, scopes);
  const copy = copyRedis();
  try {
    await submitted.submit(submitted.rows('D', 0, 2_000, 'First'), { registered: 2_000 });
    await submitted.decided();
    await still(context, scopes);
    const listed = topicName('serials.listed');
    await withAdmin(log.kafka, 'let retention pass', async (admin) => {
      const ends = await admin.fetchTopicOffsets(listed);
      const partitions = ends.map(({ partition, high }) => ({ partition, offset: String(Number(high) - 1) }));
      await admin.deleteTopicRecords({ topic: listed, partitions });
    });
    const { process: running, name } = service('dedup');
    await copy.putBack();
    expect((await running.exited).code).toBe(1);
    expect(lastLines(running.logFile, 40)).toMatch(
      /position \d+ of serials\.listed.* lies outside the log .* rebuild the index, before starting again/,
    );
    expect(name).toBe('dedup-1');
    expect(await runScript(urls, 'rebuild-index')).toMatchObject({ code: 0 });
    await fleet.fleet.startService('dedup');
    await submitted.submit(submitted.rows('D', 1_000, 3_000, 'First'), {
      registered: 1_000,
      duplicate: 1_000,
    });
    await submitted.decided();
    await expectNothingDiffers(fleet.fleet.engines.urls);
  } finally {
    copy.remove();
  }
});

test('refused while decided rows lie in a dead letter, and when the log has lost what was not decided (R1)', async () => {
  const { urls } = fleet.fleet.engines;
  await still(context, scopes);
  const letter = {
    stage: 'ledger-writer',
    partition: 2,
    origin: 9_999_999,
    submission: 'x',
    batch: 0,
    rows: 3,
    cause: '',
  };
  await context.clickhouse.insertRows('dead_letters', [{ ...letter, settled: 0 }]);
  const before = await dumpIndex(context, '2');
  const refused = await runScript(urls, 'rebuild-index', '--partition', '2');
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('1 dead letters of ledger-writer hold rows that were decided');
  await context.clickhouse.insertRows('dead_letters', [{ ...letter, settled: 2 }]);
  expect(await dumpIndex(context, '2')).toEqual(before);
  expect(await runScript(urls, 'rebuild-index', '--partition', '2')).toMatchObject({ code: 0 });
  await expect(serialsSeekOffset(log.kafka, 2, 3)).rejects.toMatchObject({ code: 'seek_rule' });
  expect(
    await serialsSeekOffset(log.kafka, 2, await watermarkOf(context.clickhouse, 'serials.decided', 2)),
  ).toBeGreaterThan(0);
});

async function metric(name: string, wanted: string): Promise<number | undefined> {
  const text = await (await fetch(`${service(name).addresses.ops}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${wanted}{`));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

/** A copy of what Redis has on disk, to be put in the place of what it has later. */
function copyRedis() {
  const { engines } = fleet.fleet;
  const live = path.join(fleet.dataDir, 'redis');
  const kept = `${live}.copy`;
  cpSync(live, kept, { recursive: true });
  return {
    async putBack() {
      await engines.restart('redis', () => {
        rmSync(live, { recursive: true });
        cpSync(kept, live, { recursive: true });
      });
    },
    remove: () => rmSync(kept, { recursive: true, force: true }),
  };
}
