import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeRedis, createRedis, type RedisClient } from '#shared/adapters/redis/client.ts';
import { RedisStateStore } from '#shared/adapters/redis/state-store.ts';
import { MemoryStateStore } from '#shared/runtime/memory-state-store.ts';
import {
  type Applied,
  type Bytes,
  type JournalEntry,
  journalEntriesMax,
  type Read,
  type Scope,
  type StateStore,
  type Write,
} from '#shared/runtime/state-store.ts';
import { type Stores, silent, startStores } from '#test/support/stores.ts';

let stores: Stores;
let redis: RedisClient;

beforeAll(async () => {
  stores = await startStores('redis');
  redis = createRedis({ url: stores.engines.urls.redisUrl, log: silent });
});

afterAll(async () => {
  if (redis) await closeRedis(redis);
  await stores?.stop();
});

let opened = 0;
const openRedisStore = () => new RedisStateStore(redis, `test:${process.pid}:${++opened}:`);

const scope: Scope = { name: '0', generation: '7' };
const everyByte: Bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));

function applied(position: number, more: Partial<Applied> = {}): Applied {
  return { position, seekOffset: position + 1, writes: [], journal: [], ...more };
}

function set(key: string, fields: Readonly<Record<Bytes, Bytes>>): Write {
  return { kind: 'set', key, fields: Object.entries(fields) };
}

function hash(key: string, ...fields: readonly Bytes[]): Read {
  return { kind: 'hash', key, fields };
}

function score(key: string, ...members: readonly Bytes[]): Read {
  return { kind: 'score', key, members };
}

function entry(origin: number, offset: number, payload: Bytes = ''): JournalEntry {
  return { origin, offset, payload: Buffer.from(payload, 'latin1') };
}

const numbered = (count: number): Bytes[] => Array.from({ length: count }, (_, i) => `n${i}`);

describe.each<[string, () => StateStore]>([
  ['in memory', () => new MemoryStateStore()],
  ['in Redis', openRedisStore],
])('a state store %s', (_name, open) => {
  let store: StateStore;

  beforeEach(async () => {
    store = open();
    await store.activate(scope);
  });

  /** One value by name, at the position given. */
  async function readOne(position: number, read: Read): Promise<Bytes | null> {
    const values = await store.read(scope, position, [read]);
    if (typeof values === 'string') throw new Error(values);
    return values[0]![0]!;
  }

  describe('position and generation', () => {
    test('a fresh generation stands before the first message', async () => {
      expect(await store.start(scope)).toEqual({ position: -1, seekOffset: 0, journal: [] });
      expect(await store.read(scope, -1, [hash('h', 'f'), score('z', 'm')])).toEqual([[null], [null]]);
    });

    test('position, seek offset and state move together (D1)', async () => {
      const writes = [set('h', { f: 'v' })];
      const moved = applied(41, { seekOffset: 97, writes, journal: [entry(41, 96, 'p')] });
      expect(await store.apply(scope, -1, moved)).toBe('applied');
      expect(await store.start(scope)).toEqual({
        position: 41,
        seekOffset: 97,
        journal: [entry(41, 96, 'p')],
      });
      expect(await readOne(41, hash('h', 'f'))).toBe('v');
    });

    test.each([[-1], [4], [6], [55]])(
      'believing in %i instead of 5: moved, nothing changed (D4)',
      async (expected) => {
        await store.apply(scope, -1, applied(5, { writes: [set('h', { f: 'before' })] }));
        const before = await store.start(scope);
        const late = applied(9, { writes: [set('h', { f: 'after' })], journal: [entry(9, 9)] });
        expect(await store.apply(scope, expected, late)).toBe('moved');
        expect(await store.read(scope, expected, [hash('h', 'f')])).toBe('moved');
        expect(await store.start(scope)).toEqual(before);
        expect(await readOne(5, hash('h', 'f'))).toBe('before');
      },
    );

    test('another generation: every call is refused and nothing is written (D7)', async () => {
      await store.apply(scope, -1, applied(5, { journal: [entry(5, 5)] }));
      for (const generation of ['6', '8', '70', '']) {
        const other = { ...scope, generation };
        expect(await store.start(other)).toBe('no_index');
        expect(await store.read(other, -1, [hash('h', 'f')])).toBe('no_index');
        expect(await store.apply(other, -1, applied(6))).toBe('no_index');
        expect(await store.apply(other, 5, applied(6))).toBe('no_index');
        expect(await store.trim(other, [5])).toBe('no_index');
      }
      expect(await store.start(scope)).toMatchObject({ position: 5, journal: [entry(5, 5)] });
    });

    test('switching the generation gives an empty state, and shuts the former one', async () => {
      await store.apply(scope, -1, applied(5, { writes: [set('h', { f: 'v' })], journal: [entry(5, 5)] }));
      const next = { ...scope, generation: '8' };
      await store.activate(next);
      expect(await store.start(next)).toEqual({ position: -1, seekOffset: 0, journal: [] });
      expect(await store.read(next, -1, [hash('h', 'f')])).toEqual([[null]]);
      expect(await store.start(scope)).toBe('no_index');
      expect(await store.apply(scope, 5, applied(6))).toBe('no_index');
    });

    test('scopes do not see each other', async () => {
      const other = { name: '1', generation: '7' };
      await store.activate(other);
      await store.apply(scope, -1, applied(5, { writes: [set('h', { f: 'v' })] }));
      expect(await store.start(other)).toMatchObject({ position: -1 });
      expect(await store.read(other, -1, [hash('h', 'f')])).toEqual([[null]]);
    });
  });

  describe('values', () => {
    test.each<[string, Bytes, Bytes]>([
      ['every byte, as a name and as a value', everyByte, everyByte],
      ['an empty name', '', 'v'],
      ['an empty value, which is not none', 'f', ''],
      ['words that are answers', 'no_index', 'moved'],
      ['8 KiB', 'f', ' '.repeat(8_192)],
      ['more than 64 KiB', 'n'.repeat(70_000), 'v'.repeat(70_000)],
    ])('%s', async (_what, field, value) => {
      await store.apply(scope, -1, applied(0, { writes: [set('h', { [field]: value })] }));
      expect(await store.read(scope, 0, [hash('h', field), hash('h', 'none', field)])).toEqual([
        [value],
        [null, value],
      ]);
    });

    test('scores are exact up to 2^53', async () => {
      const members = [
        [Number.MAX_SAFE_INTEGER, 'max'],
        [1_776_000_000_000_499, everyByte],
        [0, 'zero'],
      ] as const;
      await store.apply(scope, -1, applied(0, { writes: [{ kind: 'score', key: 'z', members }] }));
      const values = await store.read(scope, 0, [score('z', ...members.map(([, member]) => member), 'none')]);
      expect((values as Bytes[][])[0]).toEqual(['9007199254740991', '1776000000000499', '0', null]);
    });

    test('a group without names is nothing', async () => {
      const writes: Write[] = [
        { kind: 'set', key: 'h', fields: [] },
        { kind: 'delete', key: 'h', fields: [] },
        { kind: 'score', key: 'z', members: [] },
      ];
      expect(await store.apply(scope, -1, applied(0, { writes }))).toBe('applied');
      expect(await store.read(scope, 0, [hash('h'), score('z')])).toEqual([[], []]);
      expect(await store.read(scope, 0, [])).toEqual([]);
    });

    test('10,000 names of one key in one call', async () => {
      const names = numbered(10_000);
      const fields = names.map((name) => [name, `v${name}`] as const);
      const members = names.map((name, i) => [i, name] as const);
      const writes: Write[] = [
        { kind: 'set', key: 'h', fields },
        { kind: 'score', key: 'z', members },
      ];
      expect(await store.apply(scope, -1, applied(0, { writes }))).toBe('applied');
      expect(await store.read(scope, 0, [hash('h', ...names), score('z', ...names)])).toEqual([
        names.map((name) => `v${name}`),
        names.map((_, i) => String(i)),
      ]);
      const removal = applied(1, { writes: [{ kind: 'delete', key: 'h', fields: names.slice(1) }] });
      expect(await store.apply(scope, 0, removal)).toBe('applied');
      expect(await store.read(scope, 1, [hash('h', 'n0', 'n1', 'n9999')])).toEqual([['vn0', null, null]]);
    });
  });

  describe('writes', () => {
    test('happen in their order', async () => {
      const writes: Write[] = [
        set('h', { a: '1', b: '1' }),
        { kind: 'delete', key: 'h', fields: ['a', 'none'] },
        set('h', { b: '2', c: '2' }),
      ];
      await store.apply(scope, -1, applied(0, { writes }));
      expect(await store.read(scope, 0, [hash('h', 'a', 'b', 'c')])).toEqual([[null, '2', '2']]);
    });

    test('expire removes what is lower, and not what is equal', async () => {
      const members = [
        [9, 'lower'],
        [10, 'equal'],
        [11, 'higher'],
      ] as const;
      const writes: Write[] = [
        { kind: 'score', key: 'z', members },
        { kind: 'score', key: 'z', members: [[12, 'higher']] },
        { kind: 'expire', key: 'z', below: 10 },
        { kind: 'expire', key: 'none', below: 10 },
      ];
      await store.apply(scope, -1, applied(0, { writes }));
      expect(await store.read(scope, 0, [score('z', 'lower', 'equal', 'higher')])).toEqual([
        [null, '10', '12'],
      ]);
      await store.apply(scope, 0, applied(1, { writes: [{ kind: 'expire', key: 'z', below: -5e12 }] }));
      expect(await readOne(1, score('z', 'equal'))).toBe('10');
    });
  });

  describe('the journal', () => {
    test('comes in the order of offsets, with its bytes', async () => {
      const entries = [entry(10, 30, everyByte), entry(9, 100, ''), entry(2, 9, 'x')];
      await store.apply(scope, -1, applied(10, { journal: entries }));
      expect(await store.start(scope)).toMatchObject({ journal: [entries[2], entries[0], entries[1]] });
    });

    test('full: nothing is written; after a trim there is room again', async () => {
      const entries = Array.from({ length: journalEntriesMax }, (_, i) => entry(i, i, 'p'));
      expect(await store.apply(scope, -1, applied(63, { journal: entries }))).toBe('applied');
      const more = applied(64, { writes: [set('h', { f: 'v' })], journal: [entry(64, 64)] });
      expect(await store.apply(scope, 63, more)).toBe('full');
      expect(await store.start(scope)).toMatchObject({ position: 63, seekOffset: 64, journal: entries });
      expect(await readOne(63, hash('h', 'f'))).toBe(null);
      // A full journal does not stop what journals nothing.
      expect(await store.apply(scope, 63, applied(63))).toBe('applied');
      expect(await store.trim(scope, [0, 999])).toBe('trimmed');
      expect(await store.apply(scope, 63, more)).toBe('applied');
      const now = (await store.start(scope)) as { journal: readonly JournalEntry[] };
      expect(now.journal.map(({ origin }) => origin)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
    });

    test('a trim moves nothing else, and may come twice', async () => {
      await store.apply(scope, -1, applied(5, { seekOffset: 8, journal: [entry(4, 6), entry(5, 7)] }));
      for (const origins of [[4], [4], []]) expect(await store.trim(scope, origins)).toBe('trimmed');
      expect(await store.start(scope)).toEqual({ position: 5, seekOffset: 8, journal: [entry(5, 7)] });
    });
  });
});

/** Names are few, so that histories meet; values hold what lengths and answers could be taken for. */
const name = fc.constantFrom('', 'a', 'b', everyByte);
const key = fc.constantFrom('h1', 'h2');
const step = fc.oneof(
  fc.record({
    kind: fc.constant('apply' as const),
    lag: fc.constantFrom(0, 0, 0, 0, 1),
    generation: fc.constantFrom('7', '7', '7', '8'),
    writes: fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constant('set' as const),
          key,
          fields: fc.array(fc.tuple(name, fc.constantFrom('', 'moved', everyByte, 'x'.repeat(9_000)))),
        }),
        fc.record({ kind: fc.constant('delete' as const), key, fields: fc.array(name) }),
        fc.record({
          kind: fc.constant('score' as const),
          key: fc.constant('z'),
          members: fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), name)),
        }),
        fc.record({
          kind: fc.constant('expire' as const),
          key: fc.constant('z'),
          below: fc.integer({ min: 0, max: 20 }),
        }),
      ),
      { maxLength: 4 },
    ),
    journal: fc.integer({ min: 0, max: 30 }),
  }),
  fc.record({ kind: fc.constant('trim' as const), origins: fc.array(fc.integer({ min: 0, max: 40 })) }),
  fc.record({ kind: fc.constant('activate' as const), generation: fc.constantFrom('7', '8') }),
);

test('both give the same answers to any history', async () => {
  const names = ['', 'a', 'b', everyByte];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const [memory, real] = [new MemoryStateStore(), openRedisStore()];
      const both = async <T>(ask: (store: StateStore) => Promise<T>): Promise<T> => {
        const [expected, answer] = [await ask(memory), await ask(real)];
        expect(answer).toEqual(expected);
        return expected;
      };
      await both((store) => store.activate(scope));
      for (const one of steps) {
        if (one.kind === 'activate')
          await both((store) => store.activate({ ...scope, generation: one.generation }));
        if (one.kind === 'trim') await both((store) => store.trim(scope, one.origins));
        if (one.kind === 'apply') {
          const own = { ...scope, generation: one.generation };
          const started = await both((store) => store.start(own));
          const position = started === 'no_index' ? -1 : started.position;
          const journal = Array.from({ length: one.journal }, (_, i) => entry(position + 1 + i, i, 'p'));
          const next = applied(position + 1, { writes: one.writes, journal });
          await both((store) => store.apply(own, position - one.lag, next));
        }
        for (const generation of ['7', '8']) {
          const own = { ...scope, generation };
          const started = await both((store) => store.start(own));
          const position = started === 'no_index' ? -1 : started.position;
          const reads = [hash('h1', ...names), hash('h2', ...names), score('z', ...names)];
          await both((store) => store.read(own, position, reads));
        }
      }
    }),
    { numRuns: 60 },
  );
});
