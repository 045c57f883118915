import { expect, test } from 'vitest';
import type { StoredRuling } from '#gateway/ledger/rulings.ts';
import { type ConflictRow, conflictPage } from './conflicts.ts';

function conflict(serial: string, more: Partial<ConflictRow> = {}): ConflictRow {
  const side = { submission: 's1', row: 1, received_at: 5 };
  return {
    product: 'panel',
    serial_key: serial,
    holder_key: 'H',
    serial,
    holder: 'h',
    model: 'm',
    latest_outcome: 'registered',
    held_by: 'A',
    held: { ...side, supplier: 'a', account: '1' },
    disputing: [{ ...side, supplier: 'b', supplier_key: 'B', account: '2', model: 'm2' }],
    ...more,
  };
}

const resolution: StoredRuling = {
  ruling: 'r1',
  kind: 'conflict_resolved',
  account: 'cer',
  submitted_by: 'key',
  received_at: 9,
  reason: 'papers seen',
  product: 'panel',
  holder: 'h',
  holder_key: 'H',
  model: '',
  model_key: '',
  serial: 'S-1',
  serial_key: 'S-1',
  from_day: '',
  held_by: 'A',
  disputed_by: ['B'],
  offset: 0,
};

function ports(rows: readonly ConflictRow[]) {
  return {
    conflicts: async ({ after, limit }: { after: { serial_key: string }; limit: number }) =>
      rows.filter(({ serial_key }) => serial_key > after.serial_key).slice(0, limit),
    rulings: async (keys: readonly string[]) => (keys.includes('S-1') ? [resolution] : []),
    accountName: (account: string) => `Name of ${account}`,
  };
}

test('both sides are shown by name, and who resolved it why', async () => {
  const page = await conflictPage(ports([conflict('S-1')]), { state: '', after: '', limit: 10 });
  expect(page.conflicts).toMatchObject([
    {
      serial: 'S-1',
      state: 'resolved',
      held_by: { supplier: 'a', account_name: 'Name of 1', state: 'registered' },
      disputed_by: [{ supplier: 'b', account_name: 'Name of 2', model: 'm2' }],
      resolution: { by: 'cer', reason: 'papers seen' },
    },
  ]);
});

test('the state picks; pages go through all of them', async () => {
  const rows = ['S-1', 'S-2', 'S-3'].map((serial) => conflict(serial));
  const states = async (state: 'open' | 'resolved' | '') => {
    const found: string[] = [];
    for (let after = ''; ; ) {
      const { conflicts, next } = await conflictPage(ports(rows), { state, after, limit: 1 });
      found.push(...(conflicts as { serial: string }[]).map(({ serial }) => serial));
      if (next === undefined) return found;
      after = next;
    }
  };
  expect(await states('')).toEqual(['S-1', 'S-2', 'S-3']);
  expect(await states('open')).toEqual(['S-2', 'S-3']);
  expect(await states('resolved')).toEqual(['S-1']);
});

test('another supplier that was refused since opens a conflict anew', async () => {
  const [first] = conflict('S-1').disputing;
  const again = conflict('S-1', { disputing: [first!, { ...first!, supplier_key: 'C' }] });
  const page = await conflictPage(ports([again]), { state: 'open', after: '', limit: 10 });
  expect(page.conflicts).toHaveLength(1);
  expect(page.conflicts[0]).not.toHaveProperty('resolution');
});

test('a cursor that is none begins at the beginning', async () => {
  const page = await conflictPage(ports([conflict('S-2')]), { state: '', after: 'W10', limit: 10 });
  expect(page.conflicts).toHaveLength(1);
});
