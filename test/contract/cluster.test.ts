import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '#scripts/demo/client.ts';
import { redisProgram } from '#scripts/engines/local.ts';
import type { Supervised } from '#scripts/engines/supervise.ts';
import { closeRedis, createRedis, type RedisClient } from '#shared/adapters/redis/client.ts';
import { RedisStateStore } from '#shared/adapters/redis/state-store.ts';
import { openTestSupervisor } from '#test/support/engines.ts';
import { silent } from '#test/support/stores.ts';

/** One node of a Redis Cluster that serves two slots and no other: those of {0} and {claims}. */
let redis: RedisClient;
let server: Supervised;
let close = (): void => undefined;
const prefix = 'ledger:t1:';

beforeAll(async () => {
  const test = await openTestSupervisor();
  close = test.close;
  const port = await freePort();
  const cwd = path.join(test.dataDir, 'cluster');
  mkdirSync(cwd, { recursive: true });
  const settings = ['--port', port, '--bind', '127.0.0.1', '--cluster-enabled', 'yes', '--save', ''];
  // Without this the node would answer nothing at all while other slots are served by nobody.
  settings.push('--cluster-require-full-coverage', 'no', '--dir', cwd);
  server = await test.supervisor.spawn({
    name: 'redis',
    command: redisProgram(),
    args: settings.map(String),
    env: {},
    cwd,
    logFile: path.join(cwd, 'redis.log'),
  });
  redis = createRedis({ url: `redis://127.0.0.1:${port}`, log: silent });
  await until(
    'the node',
    () => redis.ping(),
    (answer) => answer === 'PONG',
    20_000,
  );
  for (const tag of ['{0}', '{claims}'])
    await redis.call('CLUSTER', 'ADDSLOTS', Number(await redis.call('CLUSTER', 'KEYSLOT', tag)));
  await until(
    'the cluster',
    () => redis.call('CLUSTER', 'INFO'),
    (info) => String(info).includes('cluster_state:ok'),
    20_000,
  );
});

afterAll(async () => {
  if (redis) await closeRedis(redis);
  await server?.stop(5_000);
  close();
});

/** A free port low enough for the nodes' own traffic, which has a port 10,000 higher. */
async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    if (port < 55_000) return port;
  }
}

test.each(['0', 'claims'])('all calls of scope %s are served from one slot', async (name) => {
  const store = new RedisStateStore(redis, prefix);
  const scope = { name, generation: '1' };
  await store.activate(scope);
  const applied = await store.apply(scope, -1, {
    position: 3,
    seekOffset: 4,
    writes: [
      { kind: 'set', key: 's1', fields: [['f', 'v']] },
      { kind: 'set', key: 'slots:abc', fields: [['g', 'v']] },
      { kind: 'delete', key: 'holders', fields: ['f'] },
      { kind: 'score', key: 'seen', members: [[1, 'm']] },
      { kind: 'expire', key: 'events', below: 1 },
    ],
    journal: [{ origin: 3, offset: 3, payload: Buffer.from('p') }],
  });
  expect(applied).toBe('applied');
  const reads = [
    { kind: 'hash', key: 's1', fields: ['f'] },
    { kind: 'hash', key: 'slots:abc', fields: ['g'] },
    { kind: 'score', key: 'seen', members: ['m'] },
  ] as const;
  expect(await store.read(scope, 3, reads)).toEqual([['v'], ['v'], ['1']]);
  expect(await store.trim(scope, [3])).toBe('trimmed');
  expect(await store.start(scope)).toEqual({ position: 3, seekOffset: 4, journal: [] });
});

test('the node refuses what lies in another slot, declared or not: these tests can fail', async () => {
  const other = new RedisStateStore(redis, prefix).activate({ name: '1', generation: '1' });
  await expect(other).rejects.toMatchObject({ code: 'redis_unavailable', retryable: true });
  await expect(redis.eval("return redis.call('GET', '{1}:undeclared')", 1, '{0}:declared')).rejects.toThrow(
    /non local key|not served|CLUSTERDOWN/,
  );
});
