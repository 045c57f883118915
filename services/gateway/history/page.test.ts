import { expect, test } from 'vitest';
import { accountOf } from '#test/support/accounts.ts';
import {
  cursorOf,
  entryView,
  type HistoryPlace,
  type HistoryPorts,
  type HistoryQuery,
  type HistoryRow,
  historyPage,
  historyScope,
  readCursor,
} from './page.ts';

const id = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;

const manifest = (number: number, at: number, more: Partial<HistoryRow> = {}): HistoryRow => ({
  submission: id(number),
  received_at: at,
  account: 'acme',
  channel: 'csv',
  product: 'panel',
  action: 'register',
  file_name: `${number}.csv`,
  declaration: 'file-upload-1',
  declared_by: 'user:ann',
  rows: 10,
  body_bytes: 100,
  body_sha256: '',
  stream: '',
  last_offsets: [{ partition: 0, last_offset: number }],
  ...more,
});

/** A ledger in memory: manifests as they were written, copies included; decided up to an origin. */
function ledger(written: readonly HistoryRow[], decided: number): HistoryPorts & { looks: number } {
  const before = (a: HistoryPlace, b: HistoryPlace) =>
    a.received_at - b.received_at || (a.submission < b.submission ? -1 : Number(a.submission > b.submission));
  const ports = {
    looks: 0,
    upTo: async () => new Map([[0, decided]]),
    async places(query: HistoryQuery, _: unknown, after: HistoryPlace | undefined, limit: number) {
      ports.looks += 1;
      return written
        .filter((row) => query.account === undefined || row.account === query.account)
        .filter((row) => after === undefined || before(row, after) < 0)
        .sort((a, b) => before(b, a))
        .slice(0, limit);
    },
    rows: async (ids: readonly string[]) =>
      ids.map((wanted) => written.filter(({ submission }) => submission === wanted).sort(before)[0]!),
    outcomes: async () =>
      new Map([
        [id(1), { registered: 9, not_yours: 1 }],
        [id(3), { registered: 4 }],
      ]),
    deadRows: async () => new Map([[id(1), { dead: 0, discarded: 0 }]]),
  };
  return ports;
}

const names = (page: { entries: readonly { row: HistoryRow }[] }) =>
  page.entries.map(({ row }) => Number(row.submission.slice(-2)));

test('the newest first, page by page, each once; a submission that was written again keeps its place', async () => {
  const written = [1, 2, 3, 4, 5, 6].map((number) => manifest(number, number * 10));
  const ports = ledger([...written, manifest(2, 55), manifest(3, 61)], 10);
  const all: number[] = [];
  let after: HistoryPlace | undefined;
  do {
    const page = await historyPage(ports, {}, { limit: 2, ...(after ? { after } : {}) });
    all.push(...names(page));
    after = page.next && readCursor(cursorOf(page.next));
  } while (after);
  expect(all).toEqual([6, 5, 4, 3, 2, 1]);
});

test('what comes while somebody turns pages moves nothing', async () => {
  const written = [1, 2, 3, 4].map((number) => manifest(number, 10));
  const first = await historyPage(ledger(written, 10), {}, { limit: 2 });
  const later = ledger([...written, manifest(9, 90)], 10);
  const second = await historyPage(later, {}, { limit: 2, after: first.next! });
  expect([names(first), names(second), second.next]).toEqual([[4, 3], [2, 1], undefined]);
});

test('state and counts are those of the submission: accepted, processing, final', async () => {
  const ports = ledger([manifest(1, 10), manifest(2, 20), manifest(3, 30)], 1);
  const { entries } = await historyPage(ports, {}, { limit: 10 });
  expect(entries).toMatchObject([
    { row: { submission: id(3) }, state: 'processing', pending: 6, imbalance: null },
    { row: { submission: id(2) }, state: 'accepted', pending: 10, imbalance: null },
    { row: { submission: id(1) }, state: 'final', pending: 0, imbalance: 0 },
  ]);
  const processing = await historyPage(ports, { state: 'processing' }, { limit: 1 });
  expect(names(processing)).toEqual([3]);
  expect(names(await historyPage(ports, { state: 'accepted' }, { limit: 1 }))).toEqual([2]);
});

test('an account asks for its own whatever it names; only the regulator is told whose it is, and that a serial is another’s', async () => {
  const [acme, cer] = [accountOf('acme', 'supplier'), accountOf('cer', 'regulator')].map((account) => ({
    account,
    key: account.id,
  }));
  expect(historyScope({ account: 'other' }, acme!)).toEqual({ account: 'acme' });
  expect(historyScope({}, cer!)).toEqual({});
  const { entries } = await historyPage(ledger([manifest(1, 10)], 1), {}, { limit: 1 });
  expect(entryView(entries[0]!, acme!)).toMatchObject({ outcomes: { registered: 9, not_found: 1 } });
  expect(entryView(entries[0]!, acme!)).not.toHaveProperty('account');
  expect(entryView(entries[0]!, cer!)).toMatchObject({
    account: 'acme',
    outcomes: { registered: 9, not_yours: 1 },
  });
});

test.each(['', 'x', '1', `1.${id(1)}x`, `-1.${id(1)}`, `1.${id(1).toUpperCase().replace('8', 'G')}`])(
  'no cursor of ours: %j',
  (cursor) => {
    expect(readCursor(cursor)).toBeUndefined();
  },
);
