import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type HistoryPlace,
  type HistoryPorts,
  type HistoryQuery,
  historyPage,
} from '#gateway/history/page.ts';
import { historyReads } from '#gateway/ledger/history.ts';
import { watermarkReader } from '#gateway/ledger/watermarks.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { type Stores, startStores, testDatabase } from '#test/support/stores.ts';

let stores: Stores;
let apart: Clickhouse;
let clickhouse: Clickhouse;
let ports: HistoryPorts;

const t0 = Date.UTC(2026, 0, 1);
const topic = 'serials.decided';
const id = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;

/** 300 submissions of three accounts, several at the same millisecond; of every tenth there is a later copy. */
const submissions = Array.from({ length: 300 }, (_, i) => ({
  submission: id(i),
  account: ['sun', 'harbour', 'vsp'][i % 3]!,
  supplier: 'Sun',
  channel: i % 4 === 0 ? 'json' : 'csv',
  product: i % 5 === 0 ? 'inverter' : 'panel',
  action: i % 7 === 0 ? 'invalidate' : 'register',
  received_at: t0 + Math.floor(i / 4) * 1_000,
  file_name: `${i}.csv`,
  declaration: 'file-upload-1',
  declared_by: 'user:ann',
  rows: 10,
  batches: 1,
  partitions: [{ partition: i % 2, rows: 10, batches: 1, last_offset: i }],
}));
type Written = (typeof submissions)[number];

const decidedUpTo = 200;
const stateOf = ({ partitions }: Written) => {
  const offset = partitions[0]!.last_offset;
  if (offset <= decidedUpTo) return 'final';
  return offset % 3 === 0 ? 'processing' : 'accepted';
};

beforeAll(async () => {
  stores = await startStores('clickhouse');
  apart = stores.clickhouse('default');
  clickhouse = stores.clickhouse(testDatabase());
  await migrate(clickhouse, apart, { now: () => new Date() });
  await clickhouse.insertRows('submissions', submissions);
  await clickhouse.insertRows(
    'submissions',
    submissions
      .filter((_, i) => i % 10 === 0)
      .map((row) => ({ ...row, received_at: row.received_at + 500_000 })),
  );
  await clickhouse.insertRows(
    'batch_outcomes',
    submissions
      .filter((row) => stateOf(row) !== 'accepted')
      .flatMap(({ submission, partitions: [share] }) =>
        [0, 1].map((batch) => ({
          submission,
          batch,
          partition: share!.partition,
          origin: share!.last_offset,
          rows: 5,
          outcomes: batch === 0 ? { registered: 5 } : { registered: 3, duplicate: 2 },
        })),
      ),
  );
  await clickhouse.insertRows(
    'watermarks',
    [0, 1].map((partition) => ({ topic, partition, origin: decidedUpTo })),
  );
  await clickhouse.insertRows('dead_letters', [
    {
      stage: 'dedup',
      partition: 1,
      origin: 299,
      submission: id(299),
      batch: 0,
      rows: 4,
      cause: '',
      settled: 0,
    },
  ]);
  ports = { ...historyReads(clickhouse), upTo: watermarkReader(clickhouse, topic) };
});

afterAll(async () => {
  await apart?.command(`DROP DATABASE IF EXISTS \`${clickhouse?.database}\``);
  await clickhouse?.close();
  await apart?.close();
  await stores?.stop();
});

async function walked(query: HistoryQuery, limit: number) {
  const entries = [];
  let after: HistoryPlace | undefined;
  do {
    const page = await historyPage(ports, query, { limit, ...(after ? { after } : {}) });
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    entries.push(...page.entries);
    after = page.next;
  } while (after);
  return entries;
}

const newestFirst = (rows: readonly Written[]) =>
  [...rows]
    .sort((a, b) => b.received_at - a.received_at || (a.submission < b.submission ? 1 : -1))
    .map(({ submission }) => submission);

test.each<[string, HistoryQuery, (row: Written) => boolean]>([
  ['all', {}, () => true],
  ['of an account', { account: 'sun' }, ({ account }) => account === 'sun'],
  ['of nobody', { account: 'SUN' }, () => false],
  [
    'of a product',
    { account: 'vsp', product: 'inverter' },
    (row) => row.account === 'vsp' && row.product === 'inverter',
  ],
  ['of an action', { action: 'invalidate' }, ({ action }) => action === 'invalidate'],
  [
    'of a time',
    { receivedFrom: t0 + 10_000, receivedBefore: t0 + 20_000 },
    ({ received_at: at }) => at >= t0 + 10_000 && at < t0 + 20_000,
  ],
  ['final', { state: 'final' }, (row) => stateOf(row) === 'final'],
  // A dead letter is a beginning too.
  [
    'processing',
    { state: 'processing' },
    (row) => stateOf(row) === 'processing' || row.submission === id(299),
  ],
  ['accepted', { state: 'accepted' }, (row) => stateOf(row) === 'accepted' && row.submission !== id(299)],
])('pages of any size hold what matches, each once, newest first: %s', async (_, query, test) => {
  const expected = newestFirst(submissions.filter(test));
  for (const limit of [7, 200])
    expect((await walked(query, limit)).map(({ row }) => row.submission)).toEqual(expected);
});

test('an entry has its file, who declared it, and its rows by outcome', async () => {
  const [entry] = await walked({ account: 'harbour', receivedBefore: t0 + 1_000 }, 10);
  expect(entry).toMatchObject({
    row: { submission: id(1), received_at: t0, file_name: '1.csv', channel: 'csv', declared_by: 'user:ann' },
    state: 'final',
    outcomes: { registered: 8, duplicate: 2 },
    pending: 0,
    imbalance: 0,
  });
  const [last] = await walked({ receivedFrom: t0 + 74_000, account: 'vsp', state: 'processing' }, 10);
  expect(last).toMatchObject({ row: { submission: id(299) }, dead_letters: 4, pending: 6, imbalance: null });
});
