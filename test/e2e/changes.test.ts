import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importList } from '#scripts/demo/scenario.ts';
import { root } from '#scripts/engines/local.ts';
import { Casting, type Member } from '#test/support/cast.ts';
import { DescribedApi, type Reply } from '#test/support/described-api.ts';
import { startTestFleet, type TestFleet, uniquePrefix } from '#test/support/fleet.ts';

const supplier = 'Mendable Imports Pty Ltd';
const other = 'Bystander Imports Pty Ltd';
const panelHeadings = ['Supplier name', 'Licensee/Certificate holder', 'Model number', 'Serial number'];

let test: TestFleet;
let api: DescribedApi;
let regulator: string;
let source: Member;
let verifier: Member;
let stranger: Member;
/** Two models of one holder. */
let wrong: { holder: string; model: string };
let right: { holder: string; model: string };

beforeAll(async () => {
  test = await startTestFleet();
  const { urls } = test.fleet.engines;
  const list = path.join(root, 'deploy', 'lists', 'synthetic_inverters_20260423.csv');
  await importList(urls, list, 'inverter');
  api = await DescribedApi.open(test.fleet.gatewayUrl);
  const casting = new Casting(api, test.operatorKey);
  regulator = (await casting.made('Regulator', 'regulator')).key;
  source = await casting.made(supplier, 'supplier');
  verifier = await casting.made('Verifier', 'vsp', [supplier]);
  stranger = await casting.made(other, 'supplier');
  const byHolder = Map.groupBy(test.models, ({ holder }) => holder);
  const models = [...byHolder.values()].find((own) => new Set(own.map(({ model }) => model)).size > 1)!;
  wrong = models[0]!;
  right = models.find(({ model }) => model !== wrong.model)!;
});
afterAll(() => test?.stop());

const table = (headings: readonly string[], rows: readonly (readonly string[])[]) =>
  [headings, ...rows]
    .map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','))
    .join('\n');

/** Uploads a file, and waits until it is final. */
async function sent(member: Member, csv: string, query: Record<string, string> = {}): Promise<Reply> {
  const taken = await api.call('createSubmission', {
    key: member.key,
    query: { declaration: 'file-upload-1', ...query },
    headers: { 'content-type': 'text/csv' },
    body: csv,
  });
  expect(taken.status, taken.text).toBe(202);
  return final(member, taken.body.id);
}

async function final(member: Member, submission: string): Promise<Reply> {
  const status = await api.call('getSubmission', {
    key: member.key,
    params: { submission },
    query: { wait_ms: '30000' },
  });
  expect(status.body, status.text).toMatchObject({ state: 'final', imbalance: 0 });
  return status;
}

const registration = (serials: readonly string[], of: { holder: string; model: string }, name = supplier) =>
  table(
    panelHeadings,
    serials.map((serial) => [name, of.holder, of.model, serial]),
  );

const found = (key: string, query: Record<string, string>) =>
  api.call('searchSerials', { key, query: { product: 'panel', ...query } });

it('a file marks as invalid; then the corrected data is taken, and a look-up shows it', async () => {
  const prefix = uniquePrefix();
  const serials = [`${prefix}1`, `${prefix}2`, `${prefix}3`];
  const first = await sent(source, registration(serials, wrong));
  expect(first.body.outcomes).toEqual({ registered: 3 });
  const again = await sent(source, registration(serials, right));
  expect(again.body.outcomes).toEqual({ duplicate: 3 });
  const theirs = await sent(stranger, registration([`${prefix}9`], wrong, other));
  expect(theirs.body.outcomes).toEqual({ registered: 1 });

  const mark = (serial: string, reason: string, note: string) => [
    supplier,
    wrong.holder,
    wrong.model,
    serial,
    reason,
    note,
  ];
  const csv = table(
    [...panelHeadings, 'Reason', 'Note'],
    [
      mark(serials[0]!, 'Model number is wrong', ''),
      mark(serials[1]!, 'other', 'serial_look_alike, says the label'),
      mark(serials[1]!, 'serial_wrong', ''),
      mark(serials[2]!, 'Other', ' '),
      mark(`${prefix}8`, 'serial_wrong', ''),
      mark(`${prefix}9`, 'serial_wrong', ''),
    ],
  );
  const marked = await sent(verifier, csv, { action: 'invalidate' });
  // What is somebody else's is as if it were not there (SEC-1).
  expect(marked.body).toMatchObject({
    action: 'invalidate',
    outcomes: { invalidated: 2, already_invalid: 1, malformed: 1, not_found: 2 },
  });
  const seenBy = (key: string) =>
    api.call('getReport', { key, params: { submission: marked.body.id }, query: { format: 'json' } });
  const report = await seenBy(verifier.key);
  expect(report.body.rows.map((row: { record: number; code: string }) => [row.record, row.code])).toEqual([
    [3, 'already_invalid'],
    [4, 'note_missing'],
    [5, 'not_found'],
    [6, 'not_found'],
  ]);
  expect(report.body.rows[0].change).toEqual({ status: '', reason: 'serial_wrong', note: '' });
  expect((await seenBy(regulator)).body.rows.at(-1).code).toBe('not_yours');

  const invalid = await found(source.key, { serial_prefix: prefix, state: 'invalid' });
  expect(invalid.body.serials).toMatchObject([
    { serial: serials[0], reason: 'model_wrong', note: '', remarks: [] },
    { serial: serials[1], reason: 'other', note: 'serial_look_alike, says the label', remarks: [] },
  ]);
  const explained = await api.call('explainSerial', {
    key: source.key,
    params: { product: 'panel', serial: serials[1]! },
  });
  expect(explained.body.holders[0]).toMatchObject({ state: 'invalid' });
  expect(explained.body.holders[0].rows.at(-2)).toMatchObject({
    action: 'invalidate',
    outcome: 'invalidated',
    reason: 'other',
    note: 'serial_look_alike, says the label',
    remarks: [],
  });

  const corrected = await sent(source, registration(serials, right));
  expect(corrected.body.outcomes).toEqual({ registered: 2, duplicate: 1 });
  const shown = await api.call('getSerial', {
    key: source.key,
    params: { product: 'panel', serial: serials[0]! },
  });
  expect(shown.body).toMatchObject({
    state: 'found',
    entries: [{ state: 'registered', model: right.model, entry: 3 }],
  });
  const untouched = await found(stranger.key, { serial_prefix: prefix });
  expect(untouched.body.serials).toMatchObject([{ serial: `${prefix}9`, state: 'registered' }]);
});

it('the upload history shows each account its own, and the regulator all', async () => {
  const prefix = uniquePrefix();
  const mine = await sent(source, registration([`${prefix}1`], wrong), { file_name: 'mine.csv' });
  const theirs = await sent(verifier, registration([`${prefix}1`, `${prefix}2`], wrong));
  const list = (key: string, query: Record<string, string> = {}) =>
    api.call('listSubmissions', { key, query });
  const { body } = await list(source.key, { limit: '1' });
  expect(body).toMatchObject({
    complete: true,
    submissions: [
      {
        id: mine.body.id,
        state: 'final',
        action: 'register',
        channel: 'csv',
        file_name: 'mine.csv',
        rows: 1,
        outcomes: { registered: 1 },
        imbalance: 0,
        declaration: 'file-upload-1',
      },
    ],
  });
  const next = await list(source.key, { cursor: body.next });
  const idsOf = (reply: Reply) => reply.body.submissions.map(({ id }: { id: string }) => id);
  expect(idsOf(next)).not.toContain(mine.body.id);
  const ofAccounts = await Promise.all(
    [source, verifier, stranger].map(async ({ key, account }) => idsOf(await list(key, { account }))),
  );
  expect(ofAccounts[0]).toContain(mine.body.id);
  expect(ofAccounts[1]).toContain(theirs.body.id);
  expect(new Set(ofAccounts.flat()).size).toBe(ofAccounts.flat().length);
  expect(idsOf(await list(stranger.key, { account: source.account }))).toEqual(ofAccounts[2]);
  const all = await list(regulator);
  expect([...idsOf(all)].sort()).toEqual(ofAccounts.flat().sort());
  const ofOne = await list(regulator, { account: verifier.account, action: 'invalidate', state: 'final' });
  expect(ofOne.body.submissions).toMatchObject([
    { action: 'invalidate', account: verifier.account, rows: 6 },
  ]);
});
