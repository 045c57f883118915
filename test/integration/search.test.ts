import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { searchReads } from '#gateway/ledger/search.ts';
import {
  type FoundEntry,
  matches,
  readCursor,
  type SearchQuery,
  type SearchScope,
} from '#gateway/search/query.ts';
import { searchAll, searchPage } from '#gateway/search/search.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { type Stores, startStores, testDatabase } from '#test/support/stores.ts';

let stores: Stores;
let apart: Clickhouse;
let clickhouse: Clickhouse;

const submissions = ['00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002'] as const;
const t0 = Date.UTC(2026, 0, 1);

interface Entry {
  readonly supplier: string;
  readonly account: string;
  readonly holder: string;
  readonly model: string;
  readonly serial: string;
  readonly entry: number;
  readonly outcome: string;
  readonly status?: string;
  readonly submission: string;
  readonly row: number;
  readonly at: number;
}

/** Two suppliers, three accounts, serials that were changed again and again: every third invalid, every sixth back. */
function entries(): Entry[] {
  return Array.from({ length: 600 }, (_, i) => {
    const supplier = i % 2 === 0 ? 'SUN' : 'HARBOUR';
    const account = i % 2 === 0 ? (i % 10 === 0 ? 'vsp' : 'sun') : 'harbour';
    const base = { supplier, account, holder: `Holder ${i % 3}`, serial: `S-${String(i).padStart(4, '0')}` };
    const first = { ...base, model: `M${i % 7}`, entry: 1, outcome: 'registered', row: i + 1 };
    const history: Entry[] = [{ ...first, submission: submissions[0], at: t0 + i * 1_000 }];
    if (i % 3 === 0)
      history.push({
        ...history[0]!,
        entry: 2,
        outcome: 'invalidated',
        submission: submissions[1],
        at: t0 + 10_000_000,
      });
    if (i % 6 === 0)
      history.push({
        ...history[0]!,
        model: 'm9 ',
        entry: 3,
        submission: submissions[1],
        at: t0 + 20_000_000 + i,
      });
    if (i % 25 === 1 && history.length === 1)
      history.push({
        ...history[0]!,
        entry: 2,
        outcome: 'status_updated',
        status: 'Faulty',
        submission: submissions[1],
        at: t0 + 30_000_000,
      });
    return history;
  }).flat();
}

const written = entries();

beforeAll(async () => {
  stores = await startStores('clickhouse');
  apart = stores.clickhouse('default');
  clickhouse = stores.clickhouse(testDatabase());
  await migrate(clickhouse, apart, { now: () => new Date() });
  const rows = written.map((entry) => ({
    product: 'panel',
    serial_key: entry.serial,
    holder_key: entry.holder.toUpperCase(),
    holder: entry.holder,
    submission: entry.submission,
    row: entry.row,
    outcome: entry.outcome,
    entry: entry.entry,
    action: 'register',
    account: entry.account,
    supplier: entry.supplier,
    supplier_key: entry.supplier,
    series: '',
    model: entry.model,
    serial: entry.serial,
    status: entry.status ?? '',
    received_at: entry.at,
    partition: 0,
    origin: 0,
  }));
  // Rows that made no entry are in nobody's search; and a repeated insert changes nothing.
  const refused = {
    ...rows[0]!,
    row: 9_999,
    entry: 0,
    outcome: 'duplicate',
    serial_key: 'S-NEVER',
    serial: 'S-NEVER',
  };
  await clickhouse.insertRows('serial_rows', [...rows, refused]);
  await clickhouse.insertRows('serial_rows', rows);
});

afterAll(async () => {
  await apart?.command(`DROP DATABASE IF EXISTS \`${clickhouse?.database}\``);
  await clickhouse?.close();
  await apart?.close();
  await stores?.stop();
});

const all: SearchScope = { kind: 'all' };
const sun: SearchScope = { kind: 'own', account: 'sun', served: ['SUN'], suppliers: ['SUN'] };
const vsp: SearchScope = { kind: 'own', account: 'vsp', served: [], suppliers: ['SUN'] };

async function pages(query: SearchQuery, scope: SearchScope, limit: number): Promise<FoundEntry[]> {
  const ports = searchReads(clickhouse);
  const found: FoundEntry[] = [];
  let after = undefined as ReturnType<typeof readCursor>;
  for (;;) {
    const page = await searchPage(ports, query, scope, { limit, ...(after ? { after } : {}) });
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    found.push(...page.entries);
    if (page.next === undefined) return found;
    after = readCursor(page.next);
    expect(after).toBeDefined();
  }
}

/** What must be found, by looking at every entry. */
function expected(query: SearchQuery, scope: SearchScope): string[] {
  const latest = new Map<string, Entry>();
  for (const entry of written) {
    const key = `${entry.supplier}\n${entry.serial}`;
    if ((latest.get(key)?.entry ?? 0) < entry.entry) latest.set(key, entry);
  }
  return [...latest.values()]
    .filter((entry) =>
      matches(query, scope, {
        ...entry,
        status: entry.status ?? '',
        supplier_key: entry.supplier,
        serial_key: entry.serial,
        holder_key: entry.holder.toUpperCase(),
        received_at: entry.at,
      } as unknown as FoundEntry),
    )
    .map(({ supplier, serial, entry }) => `${supplier} ${serial} ${entry}`)
    .sort();
}

const names = (found: readonly FoundEntry[]) =>
  found.map(({ supplier, serial, entry }) => `${supplier} ${serial} ${entry}`);

const queries: readonly (readonly [string, Partial<SearchQuery>])[] = [
  ['everything', {}],
  ['a supplier', { supplier: 'sun' }],
  ['a holder, in other case', { holder: 'hOLDER 1' }],
  ['a model that only latest entries have', { model: 'M9' }],
  ['a model that some serials had before', { model: 'm0' }],
  ['a serial', { serial: 's-0006' }],
  ['a prefix', { serialPrefix: 's-01' }],
  ['invalid ones', { state: 'invalid' }],
  ['registered ones', { state: 'registered' }],
  ['a status', { status: 'faulty' }],
  ['an upload', { submission: submissions[1] }],
  ['dates', { receivedFrom: t0 + 100_000, receivedBefore: t0 + 200_000 }],
  [
    'everything at once',
    { supplier: 'SUN', holder: 'Holder 0', model: 'M9', serialPrefix: 'S-0', state: 'registered' },
  ],
];

describe('search by the entries of suppliers', () => {
  test.each(queries)('%s: pages of any size, in order, each once', async (_, more) => {
    const query: SearchQuery = { product: 'panel', ...more };
    for (const scope of [all, sun, vsp]) {
      const wanted = expected(query, scope);
      for (const limit of [7, 1_000]) expect(names(await pages(query, scope, limit))).toEqual(wanted);
      expect(await searchReads(clickhouse).count(query, scope)).toBe(wanted.length);
      const exported: FoundEntry[] = [];
      for await (const block of searchAll(searchReads(clickhouse), query, scope)) exported.push(...block);
      expect(names(exported)).toEqual(wanted);
    }
  });

  test('the query finds something in each case that it should', () => {
    for (const [, more] of queries) expect(expected({ product: 'panel', ...more }, all)).not.toEqual([]);
  });

  test('what an account has sent stays visible to it, the rest of that supplier does not', async () => {
    expect(await searchReads(clickhouse).suppliersOf('vsp')).toEqual(['SUN']);
    const found = await pages({ product: 'panel' }, vsp, 1_000);
    expect(found.length).toBe(60);
    expect(new Set(found.map(({ account }) => account))).toEqual(new Set(['vsp']));
  });

  test('another product has nothing, and text that looks like SQL is text', async () => {
    expect(await pages({ product: 'battery' }, all, 10)).toEqual([]);
    expect(await pages({ product: 'panel', model: "' OR 1=1 --", serialPrefix: '%' }, all, 10)).toEqual([]);
  });
});
