import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeRedis, createRedis, type RedisClient } from '#shared/adapters/redis/client.ts';
import { RedisStateStore } from '#shared/adapters/redis/state-store.ts';
import type { Applied, Read, Scope } from '#shared/runtime/state-store.ts';
import { type Stores, silent, startStores } from '#test/support/stores.ts';

/**
 * D1 on the real Redis: a call of the index writes nothing or all of it. A Lua error does not undo writes, so a call that
 * is cut off after its first write must leave an index that answers `no_index` to everybody, and is never decided from.
 */
let stores: Stores;
let redis: RedisClient;
let store: RedisStateStore;
let prefix: string;
let opened = 0;

const scope: Scope = { name: '0', generation: '7' };
const lua = readFileSync(
  new URL('../../services/shared/adapters/redis/lua/apply.lua', import.meta.url),
  'utf8',
);

const first: Applied = {
  position: 5,
  seekOffset: 6,
  writes: [
    { kind: 'set', key: 'bucket', fields: [['a', '1'], ['b', '1']] }, // biome-ignore format: one line
    { kind: 'score', key: 'seen', members: [[10, 'old'], [20, 'new']] }, // biome-ignore format: one line
  ],
  journal: [{ origin: 5, offset: 5, payload: Buffer.from('p') }],
};

/** Every kind of write, more names than one Lua call takes, and several journal entries. */
const second: Applied = {
  position: 9,
  seekOffset: 11,
  writes: [
    { kind: 'set', key: 'bucket', fields: [['a', '2'], ['c', '2']] }, // biome-ignore format: one line
    { kind: 'set', key: 'holders', fields: Array.from({ length: 2_500 }, (_, i) => [`n${i}`, 'v']) },
    { kind: 'delete', key: 'bucket', fields: ['b'] },
    { kind: 'score', key: 'seen', members: [[30, 'newest']] },
    { kind: 'expire', key: 'seen', below: 15 },
  ],
  journal: [8, 9].map((origin) => ({ origin, offset: origin + 1, payload: Buffer.from('q') })),
};

const reads: readonly Read[] = [
  { kind: 'hash', key: 'bucket', fields: ['a', 'b', 'c'] },
  { kind: 'hash', key: 'holders', fields: ['n0', 'n2499'] },
  { kind: 'score', key: 'seen', members: ['old', 'new', 'newest'] },
];

beforeAll(async () => {
  stores = await startStores('redis');
  redis = createRedis({ url: stores.engines.urls.redisUrl, log: silent });
});

afterAll(async () => {
  if (redis) await closeRedis(redis);
  await stores?.stop();
});

beforeEach(async () => {
  prefix = `test:${process.pid}:${++opened}:`;
  store = new RedisStateStore(redis, prefix);
  await store.activate(scope);
  expect(await store.apply(scope, -1, first)).toBe('applied');
});

type View = 'nothing' | 'all' | 'no_index';

/** What a worker would find now. Anything between nothing and all throws. */
async function found(): Promise<View> {
  const started = await store.start(scope);
  if (started === 'no_index') {
    // Nobody can decide from a torn state, whatever position he believes in.
    for (const position of [first.position, second.position]) {
      expect(await store.read(scope, position, reads)).toBe('no_index');
      expect(await store.apply(scope, position, second)).toBe('no_index');
    }
    expect(await store.trim(scope, [5])).toBe('no_index');
    return 'no_index';
  }
  const values = await store.read(scope, started.position, reads);
  if (started.position === first.position) {
    expect(started).toEqual({ position: 5, seekOffset: 6, journal: first.journal });
    expect(values).toEqual([
      ['1', '1', null],
      [null, null],
      ['10', '20', null],
    ]);
    return 'nothing';
  }
  expect(started).toEqual({ position: 9, seekOffset: 11, journal: [...first.journal, ...second.journal] });
  expect(values).toEqual([
    ['2', null, '2'],
    ['v', 'v'],
    [null, '20', '30'],
  ]);
  return 'all';
}

describe('a failure after any command', () => {
  /** The script with an error after its n-th command; it answers the number of its commands when there are fewer. */
  function failingAfter(n: number): string {
    const counted = `local commands_run = 0
      local function counted_call(...)
        local answer = redis.call(...)
        commands_run = commands_run + 1
        if commands_run == ${n} then error('injected after ' .. (...)) end
        return answer
      end\n`;
    return (
      counted +
      lua.replaceAll('redis.call(', 'counted_call(').replace("return 'applied'", 'return commands_run')
    );
  }

  async function applyWith(script: string): Promise<unknown> {
    redis.defineCommand('ledgerApply', { lua: script });
    try {
      return await store.apply(scope, first.position, second);
    } finally {
      redis.defineCommand('ledgerApply', { lua });
    }
  }

  test('leaves nothing, or all, or an index that says that it is broken', async () => {
    const commands = (await applyWith(failingAfter(0))) as unknown as number;
    expect(await found()).toBe('all');
    const views: View[] = [];
    for (let n = 1; n <= commands; n++) {
      store = new RedisStateStore(redis, `${prefix}${n}:`);
      await store.activate(scope);
      await store.apply(scope, -1, first);
      await expect(applyWith(failingAfter(n))).rejects.toThrow('injected after');
      views.push(await found());
    }
    // Generation, position and journal are looked at; then it writes; the last command completes it.
    const checks = 3;
    expect(views.slice(0, checks)).toEqual(new Array(checks).fill('nothing'));
    expect(views.slice(checks, -1)).toEqual(new Array(commands - checks - 1).fill('no_index'));
    expect(views.at(-1)).toBe('all');
    expect(commands).toBeGreaterThan(checks + 8);
  });
});

describe('a server that refuses', () => {
  const notOurs = 'settings and users of a server that others use are not touched';
  let undo: () => Promise<unknown> = async () => undefined;

  afterEach(async () => {
    await undo();
    undo = async () => undefined;
  });

  const key = (name: string) => `${prefix}{0}:7:${name}`;

  /** Something else stands under the key while `during` runs. */
  async function misused(name: string, during: () => Promise<void>): Promise<void> {
    await redis.rename(key(name), `${prefix}aside`).catch(() => undefined);
    await redis.set(key(name), 'text');
    await during();
    await redis.del(key(name));
    await redis.rename(`${prefix}aside`, key(name)).catch(() => undefined);
  }

  const refused = {
    code: 'redis_refused',
    retryable: false,
    message: expect.stringContaining('WRONGTYPE'),
  };

  test.each(['position', 'journal'])(
    'a key of another type (%s): an error of ours, nothing is written',
    async (name) => {
      await misused(name, async () => {
        await expect(store.apply(scope, first.position, second)).rejects.toMatchObject(refused);
      });
      expect(await found()).toBe('nothing');
    },
  );

  test.each(['bucket', 'seen', 'holders'])(
    'a key of another type (%s) is found when it is read, as every key is before it is written',
    async (name) => {
      await misused(name, async () => {
        await expect(store.read(scope, first.position, reads)).rejects.toMatchObject(refused);
      });
      expect(await found()).toBe('nothing');
    },
  );

  test('a key of another type that was not read: an index that says that it is broken', async () => {
    await misused('bucket', async () => {
      await expect(store.apply(scope, first.position, second)).rejects.toMatchObject({
        code: 'redis_refused',
      });
    });
    expect(await found()).toBe('no_index');
  });

  test.for<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ['OOM', () => redis.config('SET', 'maxmemory', 1), () => redis.config('SET', 'maxmemory', 0)],
    [
      'NOREPLICAS',
      () => redis.config('SET', 'min-replicas-to-write', 1),
      () => redis.config('SET', 'min-replicas-to-write', 0),
    ],
    ['READONLY', () => redis.replicaof('127.0.0.1', 1), () => redis.replicaof('NO', 'ONE')],
  ])(
    '%s passes by itself: retryable, nothing is written, and then it goes on',
    async ([word, begin, end], { skip }) => {
      if (stores.engines.way === 'urls') return skip(notOurs);
      undo = end;
      await begin();
      await expect(store.apply(scope, first.position, second)).rejects.toMatchObject({
        code: 'redis_unavailable',
        retryable: true,
        message: expect.stringContaining(word),
      });
      await end();
      expect(await found()).toBe('nothing');
      expect(await store.apply(scope, first.position, second)).toBe('applied');
      expect(await found()).toBe('all');
    },
  );

  test.for([
    ['set', 'nothing'],
    ['hset', 'no_index'],
    ['zadd', 'no_index'],
    ['hdel', 'no_index'],
    ['zremrangebyscore', 'no_index'],
  ])('a user without %s: an error of ours, and %s', async ([command, view], { skip }) => {
    if (stores.engines.way === 'urls') return skip(notOurs);
    const user = `test-${command}`;
    undo = () => redis.call('ACL', 'DELUSER', user);
    await redis.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '+@all', `-${command}`);
    const url = new URL(stores.engines.urls.redisUrl);
    url.username = user;
    url.password = 'secret';
    const limited = createRedis({ url: url.href, log: silent });
    const attempt = new RedisStateStore(limited, prefix).apply(scope, first.position, second);
    await expect(attempt).rejects.toMatchObject({ code: 'redis_refused', retryable: false });
    await closeRedis(limited);
    expect(await found()).toBe(view);
  });

  test('two writes that make one new key of two types', async () => {
    const wrong: Applied = {
      ...second,
      writes: [
        { kind: 'set', key: 'fresh', fields: [['a', '1']] },
        { kind: 'score', key: 'fresh', members: [[1, 'a']] },
      ],
    };
    await expect(store.apply(scope, first.position, wrong)).rejects.toMatchObject({ retryable: false });
    expect(await found()).toBe('no_index');
  });
});
