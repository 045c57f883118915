import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AssertionError, OperationalError } from '#shared/base/errors.ts';
import { Inserter, type InserterPorts, type Item, type ItemOwner, type Linger } from './inserter.ts';

class Refused extends Error {}

const idle: Linger = { insertRowsMax: 1_000, lingerMsMax: 0, fullRateRows: 1_000 };
const away = () => new OperationalError('clickhouse.timeout', 'away', { retryable: true });

/** What happened, in order. */
let events: string[];
let failures: unknown[];
let now: number;
const owner: ItemOwner = {
  refused: async (item) => {
    events.push(`refused ${item.offset}`);
  },
  failed: (error) => failures.push(error),
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  events = [];
  failures = [];
  now = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

const item = (offset: number, more: Partial<Item> = {}): Item => ({
  partition: 0,
  offset,
  rows: 1,
  schemaId: 1,
  value: Buffer.alloc(0),
  owner,
  ...more,
});

const offsets = (items: readonly Item[]) => items.map(({ offset }) => offset).join(',');

function open(more: Partial<InserterPorts> = {}, linger = idle): Inserter {
  return new Inserter(
    {
      insert: async (schemaId, items) => {
        events.push(`insert ${schemaId}: ${offsets(items)}`);
      },
      isDataRefused: (error) => error instanceof Refused,
      acknowledged: async (items) => {
        events.push(`acknowledged ${offsets(items)}`);
      },
      waiting: (_error, count) => events.push(`waiting ${count}`),
      now: () => now,
      ...more,
    },
    linger,
  );
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets time pass until nothing is queued or under way. */
async function settled(inserter: Inserter): Promise<void> {
  let done = false;
  const settling = inserter.settled().then(() => {
    done = true;
  });
  while (!done) {
    await turn();
    await vi.runOnlyPendingTimersAsync();
  }
  await settling;
}

describe('what goes together', () => {
  test('deliveries of one turn are one insert, acknowledged in the order of arrival', async () => {
    const inserter = open();
    await inserter.add([item(1), item(2)]);
    await inserter.add([item(7, { partition: 1 })]);
    await settled(inserter);
    expect(events).toEqual(['insert 1: 1,2,7', 'acknowledged 1,2,7']);
  });

  test('one schema id per container (L4)', async () => {
    const inserter = open();
    await inserter.add([item(1), item(2, { schemaId: 2 }), item(3), item(4, { schemaId: 2 })]);
    await settled(inserter);
    expect(events).toEqual(['insert 1: 1,3', 'insert 2: 2,4', 'acknowledged 1,2,3,4']);
  });

  test('ticks and stand-ins are not inserted, but acknowledged in their place (L3)', async () => {
    const inserter = open();
    await inserter.add([item(1, { rows: 0 })]);
    await inserter.add([item(2), item(3, { rows: 0 })]);
    await settled(inserter);
    expect(events).toEqual(['insert 1: 2', 'acknowledged 1,2,3']);
  });

  test('no more rows than an insert takes, unless one message has more', async () => {
    const inserter = open({}, { ...idle, insertRowsMax: 10 });
    await inserter.add([item(1, { rows: 6 }), item(2, { rows: 4 }), item(3, { rows: 30 }), item(4)]);
    await settled(inserter);
    expect(events.filter((event) => event.startsWith('insert'))).toEqual([
      'insert 1: 1,2',
      'insert 1: 3',
      'insert 1: 4',
    ]);
  });

  test('one insert at a time: what arrives meanwhile waits', async () => {
    let release = (): void => undefined;
    const inserter = open({
      insert: (_id, items) => {
        events.push(`begin ${offsets(items)}`);
        return new Promise((resolve) => {
          release = resolve;
        });
      },
    });
    await inserter.add([item(1)]);
    await turn();
    await inserter.add([item(2)]);
    await inserter.add([item(3)]);
    await turn();
    expect(events).toEqual(['begin 1']);
    release();
    await turn();
    expect(events).toEqual(['begin 1', 'acknowledged 1', 'begin 2,3']);
    release();
    await settled(inserter);
  });

  test('too much in the queue holds the stream back until there is room', async () => {
    let release = (): void => undefined;
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const inserter = open({ insert: () => first });
    let admitted = false;
    await inserter.add([item(1, { rows: 1_000 })]);
    await turn();
    const adding = inserter.add([item(2, { rows: 300_001 })]).then(() => {
      admitted = true;
    });
    await turn();
    expect(admitted).toBe(false);
    release();
    await adding;
    await settled(inserter);
  });
});

describe('linger', () => {
  const busy: Linger = { insertRowsMax: 1_000, lingerMsMax: 400, fullRateRows: 1_000 };

  /** Whether the rows were inserted after so many milliseconds. */
  async function insertedAfter(ms: number): Promise<boolean> {
    await turn();
    await vi.advanceTimersByTimeAsync(ms);
    await turn();
    return events.some((event) => event.startsWith('acknowledged'));
  }

  test('an idle fleet does not wait for company', async () => {
    const inserter = open({}, busy);
    await inserter.add([item(1, { rows: 40 })]);
    expect(await insertedAfter(0)).toBe(true);
  });

  test('half the full rate waits a quarter of the full linger, and no longer', async () => {
    const inserter = open({}, busy);
    await inserter.add([item(1, { rows: 500 })]);
    expect(await insertedAfter(99)).toBe(false);
    expect(await insertedAfter(1)).toBe(true);
  });

  test('few rows wait as well when the inserts before took much of the time', async () => {
    const inserter = open(
      {
        insert: async (_, items) => {
          events.push(`insert ${offsets(items)}`);
          now += 200;
        },
      },
      busy,
    );
    await inserter.add([item(0)]);
    await turn();
    await turn();
    expect(events).toContain('insert 0');
    await inserter.add([item(1)]);
    await turn();
    await vi.advanceTimersByTimeAsync(99);
    expect(events).not.toContain('insert 1');
    await vi.advanceTimersByTimeAsync(1);
    expect(events).toContain('insert 1');
  });

  test('arrivals of more than a second ago are not load', async () => {
    const inserter = open({}, busy);
    await inserter.add([item(1, { rows: 900 })]);
    await settled(inserter);
    events = [];
    now = 1_000;
    await inserter.add([item(2, { rows: 40 })]);
    expect(await insertedAfter(0)).toBe(true);
  });

  test('enough rows for an insert end the wait', async () => {
    const inserter = open({}, busy);
    await inserter.add([item(1, { rows: 900 })]);
    expect(await insertedAfter(0)).toBe(false);
    await inserter.add([item(2, { rows: 100 })]);
    expect(await insertedAfter(0)).toBe(true);
    expect(events).toEqual(['insert 1: 1,2', 'acknowledged 1,2']);
  });

  test('a drain ends it, for good', async () => {
    const inserter = open({}, busy);
    await inserter.add([item(1, { rows: 900 })]);
    expect(await insertedAfter(0)).toBe(false);
    inserter.drain();
    expect(await insertedAfter(0)).toBe(true);
    events = [];
    await inserter.add([item(2, { rows: 900 })]);
    expect(await insertedAfter(0)).toBe(true);
  });
});

describe('the world does not answer', () => {
  test('the same insert again, for as long as it takes, and only then the acknowledgement', async () => {
    let left = 3;
    const inserter = open({
      insert: async (_id, items) => {
        events.push(`insert ${offsets(items)}`);
        if (left-- > 0) throw away();
      },
    });
    await inserter.add([item(1), item(2)]);
    await settled(inserter);
    const tried = [
      'insert 1,2',
      'waiting 0',
      'insert 1,2',
      'waiting 1',
      'insert 1,2',
      'waiting 2',
      'insert 1,2',
    ];
    expect(events).toEqual([...tried, 'acknowledged 1,2']);
    expect(failures).toEqual([]);
  });

  test('what follows the rows is repeated too: dead letter, watermark', async () => {
    let left = 2;
    const inserter = open({
      acknowledged: async (items) => {
        if (left-- > 0) throw away();
        events.push(`acknowledged ${offsets(items)}`);
      },
    });
    await inserter.add([item(1)]);
    await settled(inserter);
    expect(events).toEqual(['insert 1: 1', 'waiting 0', 'waiting 1', 'acknowledged 1']);
  });
});

describe('data refused (L5)', () => {
  test('halved until the offenders stand alone: all others are inserted, and all acknowledged at the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(39)), async (count, bad) => {
        events = [];
        const offenders = new Set(bad.filter((offset) => offset < count));
        const inserted: number[] = [];
        const inserter = open({
          insert: async (_id, items) => {
            if (items.some(({ offset }) => offenders.has(offset))) throw new Refused('refused');
            inserted.push(...items.map(({ offset }) => offset));
          },
        });
        const items = Array.from({ length: count }, (_, i) => item(i));
        await inserter.add(items);
        await settled(inserter);
        expect(inserted).toEqual(
          items.map(({ offset }) => offset).filter((offset) => !offenders.has(offset)),
        );
        const refused = [...offenders].sort((a, b) => a - b).map((offset) => `refused ${offset}`);
        expect(events).toEqual([...refused, `acknowledged ${offsets(items)}`]);
      }),
      { numRuns: 60 },
    );
    expect(failures).toEqual([]);
  });

  test('a dead letter that cannot be kept holds the acknowledgement back', async () => {
    let left = 2;
    const stubborn: ItemOwner = {
      ...owner,
      refused: async (refused) => {
        if (left-- > 0) throw away();
        events.push(`refused ${refused.offset}`);
      },
    };
    const inserter = open({ insert: () => Promise.reject(new Refused('refused')) });
    await inserter.add([item(1, { owner: stubborn })]);
    await settled(inserter);
    expect(events).toEqual(['waiting 0', 'waiting 1', 'refused 1', 'acknowledged 1']);
  });
});

describe('our bug', () => {
  const bug = new AssertionError('no container');

  test('everybody is told, and nothing behind it is ever acknowledged: only the contiguous prefix (L6)', async () => {
    const inserter = open(
      { insert: async (_id, items) => (items[0]!.offset === 2 ? Promise.reject(bug) : undefined) },
      { ...idle, insertRowsMax: 1 },
    );
    await inserter.add([item(1), item(2), item(3)]);
    await settled(inserter);
    await inserter.add([item(4)]);
    await settled(inserter);
    expect(events).toEqual(['acknowledged 1']);
    expect(failures[0]).toBe(bug);
  });

  test('owners that only wait in the queue are told as well, and nobody waits for room', async () => {
    const told: string[] = [];
    const named = (name: string): ItemOwner => ({ ...owner, failed: () => told.push(name) });
    const inserter = open({ insert: () => Promise.reject(bug) }, { ...idle, insertRowsMax: 1 });
    await inserter.add([item(1, { owner: named('first') })]);
    const adding = inserter.add([item(2, { owner: named('second'), rows: 200_000 })]);
    await settled(inserter);
    await adding;
    expect(told.sort()).toEqual(['first', 'second']);
  });
});
