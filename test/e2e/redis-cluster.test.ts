import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '#scripts/demo/client.ts';
import { importList } from '#scripts/demo/scenario.ts';
import type { RedisNode } from '#scripts/engines/engines.ts';
import { root } from '#scripts/engines/local.ts';
import type { RecoveryContext } from '#scripts/recovery/context.ts';
import { runScript } from '#scripts/run-script.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import { startTestFleet, type TestFleet } from '#test/support/fleet.ts';
import { GatewayLog } from '#test/support/gateway-log.ts';
import { expectNothingDiffers, readyz, recoveryContext, Submitted } from '#test/support/recovery.ts';

/**
 * The fleet on a Redis Cluster of three nodes. A script that touched a key it does not declare, or keys of two slots,
 * would be refused here; a node that dies takes some partitions with it and not the others.
 */
let fleet: TestFleet;
let log: GatewayLog;
let context: RecoveryContext;
let close: () => Promise<void>;
let submitted: Submitted;
/** Serials, claims and lists, by the node that serves them. */
let tagsOf: ReadonlyMap<RedisNode, readonly string[]>;
let round = 0;

beforeAll(async () => {
  fleet = await startTestFleet({
    redisNodes: 3,
    instances: { dedup: 2 },
    settings: { SESSION_TIMEOUT_MS: '6000' },
  });
  const { urls } = fleet.fleet.engines;
  await importList(urls, path.join(root, 'deploy', 'lists', 'synthetic_inverters_20260423.csv'), 'inverter');
  log = await GatewayLog.open(urls);
  ({ context, close } = recoveryContext(urls));
  submitted = new Submitted(log, context, fleet.models);
  tagsOf = await tagsByNode();
});

afterAll(async () => {
  await log?.close();
  await close?.();
  await fleet?.stop();
});

beforeEach(() => submitted.decided());

async function tagsByNode(): Promise<ReadonlyMap<RedisNode, readonly string[]>> {
  const { redisNodes } = fleet.fleet.engines;
  const { redis } = context;
  const ranges = (await redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const tags = [...Array.from({ length: context.partitions }, (_, i) => String(i)), 'claims', 'panel'];
  const nodes = await Promise.all(
    tags.map(async (tag) => {
      const slot = Number(await redis.call('CLUSTER', 'KEYSLOT', `{${tag}}`));
      const [, , [, port]] = ranges.find(([from, to]) => from <= slot && slot <= to)!;
      return redisNodes.find(({ url }) => Number(new URL(url).port) === port)!;
    }),
  );
  return new Map(redisNodes.map((node) => [node, tags.filter((_, i) => nodes[i] === node)]));
}

function nodeOf(tag: string): RedisNode {
  return [...tagsOf].find(([, tags]) => tags.includes(tag))![0];
}

/** One round of lives: new, repeated, in conflict, invalid, registered again by somebody else; `between` its parts. */
async function load(between: (part: number) => Promise<void> = async () => undefined): Promise<void> {
  const prefix = `R${++round}-`;
  const rows = (from: number, to: number, supplier: string) => submitted.rows(prefix, from, to, supplier);
  await submitted.submit(rows(0, 1_500, 'First'), { registered: 1_500 });
  await between(0);
  await submitted.submit(rows(1_000, 2_000, 'First'), { registered: 500, duplicate: 500 });
  await submitted.submit(rows(0, 300, 'Second'), { conflict: 300 });
  await between(1);
  await submitted.submit(rows(300, 600, 'First'), { invalidated: 300 }, 'invalidate');
  await submitted.submit(rows(500, 700, 'Second'), { registered: 100, conflict: 100 });
  await between(2);
  await submitted.submit(rows(500, 650, 'First'), { conflict: 100, duplicate: 50 });
  await submitted.submit(rows(600, 700, 'Second'), { not_yours: 100 }, 'invalidate');
}

test('every partition, the claims and the lists lie on one node each, and no node has all', () => {
  expect([...tagsOf.values()].flat().length).toBe(context.partitions + 2);
  for (const tags of tagsOf.values()) expect(tags.length).toBeGreaterThan(0);
});

test('a node killed under load: its partitions wait until it is back, and nothing is lost or doubled', async () => {
  const node = nodeOf('0');
  await load(async (part) => {
    if (part === 0) node.kill('SIGKILL');
    if (part === 1)
      await until(
        'dedup to say that it waits',
        () => readyz(fleet.fleet, 'dedup'),
        ({ status }) => status === 503,
        60_000,
      );
    if (part === 2) await node.restart();
  });
  await submitted.decided();
  await expectNothingDiffers(fleet.fleet.engines.urls);
});

test('a node emptied under load: its partitions wait for a rebuild, the others go on; then every row has one outcome', async () => {
  const { urls } = fleet.fleet.engines;
  const node = nodeOf('1');
  const lost = tagsOf.get(node)!;
  const kept = Array.from({ length: context.partitions }, (_, i) => String(i)).filter(
    (tag) => !lost.includes(tag),
  );
  expect(kept.length).toBeGreaterThan(0);
  await load(async (part) => {
    if (part === 1) await node.restart(() => empty(node));
  });
  const waits = await until(
    'dedup to say which partitions wait',
    () => readyz(fleet.fleet, 'dedup'),
    ({ body }) => Object.values(body).some((text) => text.includes('it waits to be rebuilt')),
    60_000,
  );
  expect(waits.status).toBe(503);

  const found = await runScript(urls, 'reconcile', '--patience', '60');
  expect(found.code).toBe(1);
  for (const tag of lost.filter((name) => /^\d+$/.test(name)))
    expect(found.out).toMatch(new RegExp(`Redis has not generation \\d+ of \\{${tag}\\}`));

  // What belongs to the other nodes is decided all the same.
  const others = submitted
    .rows('OTHERS-', 0, 300, 'First')
    .filter(({ serial }) => kept.includes(String(partitionOf('panel', serial, context.partitions))));
  const id = await submitted.submit(others, { registered: others.length });
  await until(
    'the partitions of the other nodes',
    async () => {
      const [row] = await context.clickhouse.query<{ rows: number }>(
        'SELECT sum(rows) AS rows FROM batch_outcomes FINAL WHERE submission = {id:UUID}',
        { id },
      );
      return row?.rows ?? 0;
    },
    (rows) => rows === others.length,
    60_000,
  );

  const rebuilt = await runScript(urls, 'rebuild-index');
  expect(rebuilt).toMatchObject({ code: 0 });
  await submitted.decided();
  await until(
    'the workers to be ready',
    () => readyz(fleet.fleet, 'dedup'),
    ({ status }) => status === 200,
    60_000,
  );
  await load();
  await submitted.decided();
  await expectNothingDiffers(urls);
});

/** Its data is gone; its place in the cluster is not. */
function empty(node: RedisNode): void {
  for (const name of readdirSync(node.folder))
    if (name.startsWith('appendonly') || name.endsWith('.rdb'))
      rmSync(path.join(node.folder, name), { recursive: true });
}
