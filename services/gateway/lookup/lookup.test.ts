import { describe, expect, test } from 'vitest';
import { authorityTest } from '#gateway/accounts/authority.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import { accountOf } from '#test/support/accounts.ts';
import { type Entry, type LookupPorts, lookUp } from './lookup.ts';
import { type Stamps, Ticks } from './ticks.ts';
import { Watermarks } from './watermarks.ts';

/** Sends that end when the test says so. */
class Sends {
  readonly begun: { partitions: readonly number[]; end: (offset: number) => void; fail: () => void }[] = [];

  readonly send = (partitions: readonly number[]): Promise<Stamps> =>
    new Promise((resolve, reject) => {
      this.begun.push({
        partitions,
        end: (offset) => resolve(new Map(partitions.map((partition) => [partition, offset]))),
        fail: () => reject(new Error('no')),
      });
    });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('ticks', () => {
  test('the questions of one moment share one tick', async () => {
    const sends = new Sends();
    const ticks = new Ticks(sends.send);
    const asked = [ticks.stamp([1, 2]), ticks.stamp([2, 3])];
    await turn();
    expect(sends.begun.map(({ partitions }) => partitions)).toEqual([[1, 2, 3]]);
    sends.begun[0]!.end(40);
    for (const stamps of await Promise.all(asked)) expect(stamps.get(2)).toBe(40);
  });

  test('a question is never answered by a tick that was sent before it', async () => {
    const sends = new Sends();
    const ticks = new Ticks(sends.send);
    const first = ticks.stamp([1]);
    await turn();
    const later = [ticks.stamp([1]), ticks.stamp([4])];
    await turn();
    expect(sends.begun).toHaveLength(1);
    sends.begun[0]!.end(10);
    expect((await first).get(1)).toBe(10);
    await turn();
    expect(sends.begun.map(({ partitions }) => partitions)).toEqual([[1], [1, 4]]);
    sends.begun[1]!.end(11);
    for (const stamps of await Promise.all(later)) expect(stamps.get(1)).toBe(11);
  });

  test('a tick that fails is the failure of its own questions alone', async () => {
    const sends = new Sends();
    const ticks = new Ticks(sends.send);
    const first = ticks.stamp([1]);
    await turn();
    const second = ticks.stamp([1]);
    sends.begun[0]!.fail();
    await expect(first).rejects.toThrow('no');
    await turn();
    sends.begun[1]!.end(5);
    expect((await second).get(1)).toBe(5);
  });
});

describe('watermarks', () => {
  test('tells as soon as all are reached, those that wait together by the same reading', async () => {
    let reads = 0;
    const watermarks = new Watermarks(
      async () => {
        reads += 1;
        return new Map([[1, reads]]);
      },
      { pauseMs: 1, now: () => 0 },
    );
    const asked = [2, 3, 3].map((stamp) => watermarks.reached(new Map([[1, stamp]]), 1_000));
    for (const reached of await Promise.all(asked)) expect([...reached]).toEqual([1]);
    // The first to ask begins a reading at once; the others are told by the next ones.
    expect(reads).toBe(3);
  });

  test('when the time is over, those that are reached are told', async () => {
    let now = 0;
    const watermarks = new Watermarks(
      async () => {
        now += 10;
        return new Map([[1, 5]]);
      },
      { pauseMs: 1, now: () => now },
    );
    const stamps = new Map([
      [1, 5],
      [2, 0],
    ]);
    expect([...(await watermarks.reached(stamps, 25))]).toEqual([1]);
    expect(now).toBe(30);
  });

  test('a reading that fails is told to those it was for, and the next one works', async () => {
    let fail = true;
    const watermarks = new Watermarks(
      async () => {
        if (fail) throw new Error('no');
        return new Map([[1, 1]]);
      },
      { pauseMs: 1, now: () => 0 },
    );
    await expect(watermarks.reached(new Map([[1, 1]]), 100)).rejects.toThrow('no');
    fail = false;
    expect([...(await watermarks.reached(new Map([[1, 1]]), 100))]).toEqual([1]);
  });
});

const supplier = accountOf('a1', 'supplier', { suppliers: ['Acme'] });
const stranger = accountOf('a2', 'supplier', { suppliers: ['Other'] });
const servant = accountOf('a3', 'vsp', { suppliers: [' acme '] });
const regulator = accountOf('a4', 'regulator');

const entry: Entry = {
  serial_key: 'S1',
  holder_key: 'SUN',
  holder: 'Sun',
  series: '',
  model: 'M',
  serial: 's1',
  supplier: 'Acme',
  supplier_key: 'ACME',
  account: 'a1',
  outcome: 'registered',
  status: '',
  entry: 1,
  submission: 'sub',
  row: 1,
  received_at: 0,
  remarks: [],
};

function ports(reached: (partition: number) => boolean): LookupPorts & { order: string[] } {
  const order: string[] = [];
  return {
    order,
    partitions: 12,
    ticks: {
      async stamp(partitions) {
        order.push('tick');
        return new Map([...partitions].map((partition) => [partition, 7]));
      },
    },
    watermarks: {
      async reached(stamps) {
        order.push('watermark');
        return new Set([...stamps.keys()].filter(reached));
      },
    },
    authorityOf: ({ authorities }) => authorityTest(authorities, '2026-11-24'),
    async entries(_, serialKeys) {
      order.push('rows');
      return [entry].filter(({ serial_key }) => serialKeys.includes(serial_key));
    },
  };
}

describe('look-up', () => {
  test('stamp, then watermark, then rows', async () => {
    const given = ports(() => true);
    const answers = await lookUp(given, { product: 'panel', serials: [' s1', 'S2'], viewer: supplier }, 10);
    expect(given.order).toEqual(['tick', 'watermark', 'rows']);
    expect(answers).toEqual([
      { serial: ' s1', state: 'found', entries: [entry] },
      { serial: 'S2', state: 'not_found', entries: [] },
    ]);
  });

  test('where the ledger has not caught up, nothing is denied, and what is there is provisional', async () => {
    const behind = partitionOf('panel', 'S1', 12);
    const given = ports((partition) => partition !== behind);
    const answers = await lookUp(given, { product: 'panel', serials: ['S1', 'S2'], viewer: supplier }, 10);
    expect(answers).toMatchObject([{ state: 'not_yet', entries: [entry] }, { state: 'not_found' }]);
    expect(partitionOf('panel', 'S2', 12)).not.toBe(behind);
  });

  test.each([
    ['the account that sent it', supplier, 'found'],
    ['who may send for the supplier', servant, 'found'],
    ['the regulator', regulator, 'found'],
    ['anybody else', stranger, 'not_found'],
  ])('%s: %s', async (_, viewer, state) => {
    const answers = await lookUp(
      ports(() => true),
      { product: 'panel', serials: ['S1'], viewer },
      10,
    );
    expect(answers[0]?.state).toBe(state);
  });
});
