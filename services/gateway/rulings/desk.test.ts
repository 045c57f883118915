import { expect, test } from 'vitest';
import type { Ruling } from '#shared/domain/rulings/ruling.ts';
import { identity } from '#test/support/claim-desk.ts';
import type { ConflictRow } from './conflicts.ts';
import { RulingDesk, type RulingOrder } from './desk.ts';

const regulator = identity('cer', 'regulator');
const side = { supplier: 'b', account: '2', submission: 's', row: 1, received_at: 5 };
const conflict: ConflictRow = {
  product: 'panel',
  serial_key: 'S-1',
  holder_key: 'H',
  serial: 's-1',
  holder: 'h',
  model: 'm',
  latest_outcome: 'registered',
  held_by: 'A',
  held: side,
  disputing: [
    { ...side, supplier_key: 'C', model: 'm' },
    { ...side, supplier_key: 'B', model: 'm' },
    { ...side, supplier_key: 'B', model: 'm' },
  ],
};

function harness(more: { readonly found?: ConflictRow | undefined; readonly late?: boolean } = {}) {
  const { found, late = false } = { found: conflict, ...more };
  const published: Ruling[] = [];
  const asked: unknown[] = [];
  let now = 0;
  const desk = new RulingDesk({
    async publish(ruling) {
      published.push(ruling);
    },
    inLedger: async () => !late,
    beginningWith: async (beginning) =>
      published.map(({ ruling }) => ruling).filter((ruling) => ruling.startsWith(beginning)),
    async conflict(of) {
      asked.push(of);
      return found;
    },
    clock: () => 7,
    now: () => now,
    async pause(ms) {
      now += ms;
    },
  });
  return { desk, published, asked };
}

const onModel: RulingOrder = {
  kind: 'model_ineligible',
  product: 'panel',
  holder: ' Sunmaker  co ',
  model: 'SM-440',
  from: '2026-11-01',
  reason: 'recalled',
};

test('a ruling says who said what of what, by the names that things are compared by', async () => {
  const { desk, published } = harness();
  expect(await desk.rule(onModel, regulator, undefined)).toMatchObject({ in_force: true });
  expect(published[0]).toMatchObject({
    kind: 'model_ineligible',
    account: 'cer',
    submitted_by: 'key:key-of-cer',
    received_at: 7,
    holder: ' Sunmaker  co ',
    holder_key: 'SUNMAKER CO',
    model_key: 'SM-440',
    serial_key: '',
    from_day: '2026-11-01',
    held_by: '',
    disputed_by: [],
  });
});

test('with a key it is one ruling, however often it comes', async () => {
  const { desk, published } = harness();
  for (const key of ['k', 'k', 'k2']) await desk.rule(onModel, regulator, key);
  const [first, again, other] = published.map(({ ruling }) => ruling);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test('a resolution names the parties that the ledger shows', async () => {
  const { desk, published, asked } = harness();
  const order = {
    kind: 'conflict_resolved',
    product: 'panel',
    holder: 'h',
    serial: 's-1',
    reason: 'r',
  } as const;
  await desk.rule(order, regulator, undefined);
  expect(asked).toEqual([{ product: 'panel', serial_key: 'S-1', holder_key: 'H' }]);
  expect(published[0]).toMatchObject({ held_by: 'A', disputed_by: ['B', 'C'] });
});

test('where nobody was refused there is nothing to resolve', async () => {
  const { desk, published } = harness({ found: undefined });
  const order = {
    kind: 'conflict_resolved',
    product: 'panel',
    holder: 'h',
    serial: 'x',
    reason: 'r',
  } as const;
  expect(await desk.rule(order, regulator, undefined)).toMatchObject({ refused: 'resource_not_found' });
  expect(published).toEqual([]);
});

test('a ledger that is slow is not waited for for ever: the ruling stands, and will be in force', async () => {
  const { desk, published } = harness({ late: true });
  expect(await desk.rule(onModel, regulator, undefined)).toMatchObject({ in_force: false });
  expect(published).toHaveLength(1);
});
