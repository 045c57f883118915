import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listConflicts, rulingsOnSerials } from '#gateway/ledger/rulings.ts';
import { conflictPage, disputeOf } from '#gateway/rulings/conflicts.ts';
import { root } from '#scripts/engines/local.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { resolutionOf } from '#shared/domain/rulings/ruling.ts';
import { seedRegulatorLedger } from '#test/support/regulator-ledger.ts';
import { examplesOf } from '#test/support/sql-examples.ts';
import { type Stores, startStores, testDatabase } from '#test/support/stores.ts';

const document = readFileSync(path.join(root, 'deploy', 'clickhouse', 'REGULATOR.md'), 'utf8');

let stores: Stores;
let apart: Clickhouse;
let clickhouse: Clickhouse;

beforeAll(async () => {
  stores = await startStores('clickhouse');
  apart = stores.clickhouse('default');
  clickhouse = stores.clickhouse(testDatabase());
  await migrate(clickhouse, apart, { now: () => new Date() });
  await seedRegulatorLedger(clickhouse);
});
afterAll(async () => {
  await clickhouse?.close();
  await apart?.close();
  await stores?.stop();
});

describe("the document's queries give what it says", () => {
  test.each(examplesOf(document))('$about', async ({ sql, result }) => {
    const rows = await clickhouse.query<Record<string, unknown>>(sql);
    const cell = (value: unknown) => (Array.isArray(value) ? value.join(', ') : String(value));
    const lines = rows.map((row) => Object.values(row).map(cell).join('\t'));
    expect([Object.keys(rows[0] ?? {}).join('\t'), ...lines].join('\n')).toBe(result);
  });

  test('every view that the document names is there', async () => {
    const named = [...document.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1]!);
    expect(named.length).toBeGreaterThan(5);
    for (const view of named)
      expect(await clickhouse.query(`SELECT count() AS n FROM ${view}`), view).toHaveLength(1);
  });
});

describe('conflicts', () => {
  const page = { after: { product: '', serial_key: '', holder_key: '' }, limit: 100 };

  test('are open in SQL exactly when the rule finds no resolution', async () => {
    const conflicts = await listConflicts(clickhouse, page);
    const rulings = await rulingsOnSerials(
      clickhouse,
      conflicts.map(({ serial_key }) => serial_key),
    );
    const open = conflicts.filter((row) => resolutionOf(rulings, disputeOf(row)) === undefined);
    const listed = await clickhouse.query<{ serial_key: string }>(
      'SELECT serial_key FROM open_conflicts ORDER BY product, serial_key',
    );
    expect(listed.map(({ serial_key }) => serial_key)).toEqual(open.map(({ serial_key }) => serial_key));
    expect(open.length).toBeLessThan(conflicts.length);
  });

  test('a change of status is no change of validity, for the one that holds the serial', async () => {
    const { conflicts } = await conflictPage(
      {
        conflicts: (asked) => listConflicts(clickhouse, asked),
        rulings: (keys) => rulingsOnSerials(clickhouse, keys),
        accountName: (account) => account,
      },
      { state: '', after: '', limit: 100 },
    );
    const states = (conflicts as { serial: string; held_by: { state: string } }[]).map(
      ({ serial, held_by }) => [serial, held_by.state],
    );
    expect(states).toContainEqual(['GP-0002', 'registered']);
    expect(states).toContainEqual(['GP-0003', 'invalid']);
    const current = await clickhouse.query(
      "SELECT serial, state, status FROM current_serials WHERE product = 'inverter' AND serial_key IN ('GP-0002', 'GP-0003') ORDER BY serial",
    );
    expect(current).toEqual([
      { serial: 'GP-0002', state: 'registered', status: 'In stock' },
      { serial: 'GP-0003', state: 'invalid', status: '' },
    ]);
  });
});

test('no view tells of persons', async () => {
  const rows = await clickhouse.query(
    `SELECT table, name FROM system.columns
     WHERE database = currentDatabase() AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View')
        AND name IN (SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'claim_parties' AND name NOT IN ('claim', 'event'))`,
  );
  expect(rows).toEqual([]);
});
