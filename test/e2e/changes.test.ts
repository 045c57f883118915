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
let maker: Member;
let otherMaker: Member;
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
  maker = await casting.made('Inverting Pty Ltd', 'inverter_supplier');
  otherMaker = await casting.made('Other Inverting Pty Ltd', 'inverter_supplier');
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

const invalidate = (member: Member, key: string, body: object) =>
  api.call('invalidateSerials', { key: member.key, headers: { 'idempotency-key': key }, body });

interface Line {
  readonly event: string;
  readonly id: string;
  readonly rows: number;
  readonly repeated: boolean;
}
const linesOf = (reply: Reply) => reply.lines as readonly Line[];
const submissionsOf = (reply: Reply) => linesOf(reply).filter(({ event }) => event === 'submission');

it('all that matched a search is marked, as seen and once; then the correction is taken, and a look-up shows it', async () => {
  const prefix = uniquePrefix();
  const serials = Array.from({ length: 6_000 }, (_, i) => `${prefix}${String(i).padStart(5, '0')}`);
  await sent(source, registration(serials.slice(0, 5_000), wrong));
  await sent(verifier, registration(serials.slice(5_000), wrong));
  await sent(stranger, registration([`${prefix}X`], wrong, other));

  const search = { serial_prefix: prefix, model: wrong.model, state: 'registered' };
  const seen = await found(source.key, { ...search, count: 'true', limit: '10' });
  expect(seen.body.count).toBe(6_000);
  const body = { product: 'panel', reason: 'Model number is wrong', search, count: 6_000 };
  const key = `mark-${prefix}`;

  const unseen = await invalidate(source, key, { ...body, count: 5_999 });
  expect([unseen.status, unseen.body]).toMatchObject([
    409,
    { code: 'selection_changed', count: 6_000, result: 'Unsuccessful' },
  ]);
  expect((await found(source.key, { ...search, count: 'true' })).body.count).toBe(6_000);

  const marked = await invalidate(source, key, body);
  expect(linesOf(marked).at(-1)).toMatchObject({
    event: 'complete',
    result: 'Successful',
    rows: 6_000,
    submissions: 2,
    repeated: 0,
    findings: {},
  });
  expect(submissionsOf(marked).map(({ rows }) => rows)).toEqual([5_000, 1_000]);
  for (const { id, rows } of submissionsOf(marked))
    expect((await final(source, id)).body).toMatchObject({
      action: 'invalidate',
      outcomes: { invalidated: rows },
    });

  const again = await invalidate(source, key, body);
  expect(linesOf(again).at(-1)).toMatchObject({ event: 'complete', rows: 6_000, repeated: 2 });
  expect(submissionsOf(again).map(({ id, repeated }) => [id, repeated])).toEqual(
    submissionsOf(marked).map(({ id }) => [id, true]),
  );
  const differing = await invalidate(source, key, { ...body, reason: 'serial_wrong' });
  expect([differing.status, differing.body.code]).toEqual([422, 'idempotency_key_reused']);

  const invalid = await found(source.key, {
    serial_prefix: prefix,
    state: 'invalid',
    count: 'true',
    limit: '1',
  });
  expect(invalid.body).toMatchObject({ count: 6_000, serials: [{ reason: 'model_wrong', entry: 2 }] });
  const kept = await api.call('getSubmissionFile', {
    key: source.key,
    params: { submission: submissionsOf(marked)[1]!.id },
  });
  expect(kept.text.trimEnd().split('\n')).toHaveLength(1_000);

  const corrected = await sent(source, registration(serials.slice(0, 3), right));
  expect(corrected.body.outcomes).toEqual({ registered: 3 });
  const shown = await api.call('getSerial', {
    key: source.key,
    params: { product: 'panel', serial: serials[0]! },
  });
  expect(shown.body.entries).toMatchObject([{ state: 'registered', model: right.model, entry: 3 }]);
  // What another supplier has under the same text is as it was.
  const theirs = await found(stranger.key, { serial_prefix: prefix });
  expect(theirs.body.serials).toMatchObject([{ serial: `${prefix}X`, state: 'registered', entry: 1 }]);
});

it('serials that are named are marked; those of somebody else are as if there were none', async () => {
  const prefix = uniquePrefix();
  await sent(source, registration([`${prefix}1`], wrong));
  await sent(stranger, registration([`${prefix}2`], wrong, other));
  const named = (serial: string, name = supplier) => ({ ...wrong, supplier: name, serial });
  const serialOf = ({ supplier, holder, model, serial }: ReturnType<typeof named>) => ({
    supplier,
    holder,
    model,
    serial,
  });
  const marked = await invalidate(verifier, `named-${prefix}`, {
    product: 'panel',
    reason: 'other',
    note: 'sent back',
    serials: [named(`${prefix}1`), named(`${prefix}2`), named(`${prefix}3`), named(`${prefix}2`, other)].map(
      serialOf,
    ),
  });
  expect(linesOf(marked).at(-1)).toMatchObject({
    event: 'complete',
    findings: { supplier_not_authorised: 1 },
  });
  const { id } = submissionsOf(marked)[0]!;
  expect((await final(verifier, id)).body.outcomes).toEqual({
    invalidated: 1,
    not_found: 2,
    supplier_not_authorised: 1,
  });
  const report = await api.call('getReport', {
    key: verifier.key,
    params: { submission: id },
    query: { format: 'json' },
  });
  const [theirs, nobodys] = report.body.rows.map(
    ({ record: _, line: __, serial: ___, value: ____, ...row }: Record<string, unknown>) => row,
  );
  expect(theirs).toEqual(nobodys);
  const explained = await api.call('explainSerial', {
    key: verifier.key,
    params: { product: 'panel', serial: `${prefix}2` },
  });
  expect(JSON.stringify(explained.body)).not.toContain('not_yours');
  const untouched = await found(stranger.key, { serial_prefix: prefix });
  expect(untouched.body.serials).toMatchObject([{ serial: `${prefix}2`, state: 'registered', entry: 1 }]);
});

const inverter = {
  holder: 'Brightgrid Power Electronics Co Ltd',
  model: 'BG-5000TL (AS4777-2 2020)',
  series: 'BG',
};

it('inverters: registered, their status changed with its reason, shown with since when, and history', async () => {
  const prefix = uniquePrefix();
  const headings = ['Serial number', 'Brand', 'Series', 'Model'];
  const row = (serial: string, ...more: readonly string[]) => [
    `${prefix}${serial}`,
    inverter.holder,
    inverter.series,
    inverter.model,
    ...more,
  ];
  const registered = await sent(maker, table(headings, [row('1'), row('2'), row('3')]), {
    product: 'inverter',
  });
  expect(registered.body.outcomes).toEqual({ registered: 3 });
  await sent(otherMaker, table(headings, [row('9')]), { product: 'inverter' });

  const query = { product: 'inverter', action: 'update_status' };
  const update = (rows: readonly (readonly string[])[]) =>
    sent(maker, table([...headings, 'Reason', 'Status', 'Note'], rows), query);
  const updated = await update([
    row('1', 'Reported stolen', 'Missing', ''),
    row('2', 'other', 'missing', 'fell off the lorry'),
    row('2', 'failed', 'missing', ''),
    row('8', 'theft', 'missing', ''),
    row('9', 'theft', 'missing', ''),
  ]);
  expect(updated.body).toMatchObject({
    action: 'update_status',
    outcomes: { status_updated: 2, malformed: 1, not_found: 2 },
  });
  const repeated = await update([
    row('1', 'loss', 'MISSING', ''),
    row('1', 'back_in_stock', 'Available', ''),
  ]);
  expect(repeated.body.outcomes).toEqual({ unchanged: 1, status_updated: 1 });

  const shown = await found(maker.key, { product: 'inverter', serial_prefix: prefix });
  expect(shown.body.serials).toMatchObject([
    { serial: `${prefix}1`, series: 'BG', status: 'available', reason: 'back_in_stock', note: '', entry: 3 },
    { serial: `${prefix}2`, status: 'missing', reason: 'other', note: 'fell off the lorry', entry: 2 },
    { serial: `${prefix}3`, status: '', status_since: null, entry: 1 },
  ]);
  const [first, second] = shown.body.serials;
  expect(first.status_since).toBe(first.received_at);
  expect(second.status_since).toBeLessThan(first.status_since);
  const missing = await found(maker.key, { product: 'inverter', serial_prefix: prefix, status: 'Missing' });
  expect(missing.body.serials).toHaveLength(1);

  const marked = await invalidate(maker, `inverter-${prefix}`, {
    product: 'inverter',
    reason: 'not_supplied',
    search: { serial_prefix: prefix, status: 'missing' },
    count: 1,
  });
  await final(maker, submissionsOf(marked)[0]!.id);
  expect((await update([row('2', 'sold', 'supplied', '')])).body.outcomes).toEqual({ already_invalid: 1 });
  const explained = await api.call('explainSerial', {
    key: maker.key,
    params: { product: 'inverter', serial: `${prefix}2` },
  });
  expect(
    explained.body.holders[0].rows.map(
      (of: { outcome: string; status: string; reason: string; note: string }) => [
        of.outcome,
        of.status,
        of.reason,
        of.note,
      ],
    ),
  ).toEqual([
    ['registered', '', '', ''],
    ['status_updated', 'missing', 'other', 'fell off the lorry'],
    ['malformed', 'missing', 'failed', ''],
    ['invalidated', '', 'not_supplied', ''],
    ['already_invalid', 'supplied', 'sold', ''],
  ]);
  const history = await api.call('listSubmissions', { key: maker.key, query: { action: 'update_status' } });
  expect(history.body.submissions.map(({ rows }: { rows: number }) => rows)).toEqual([1, 2, 5]);

  // F5: an add file with what is for updating only, and an update without.
  const refused = async (csv: string, of: Record<string, string>) =>
    (
      await api.call('createSubmission', {
        key: maker.key,
        query: { declaration: 'file-upload-1', ...of },
        headers: { 'content-type': 'text/csv' },
        body: csv,
      })
    ).body;
  const extended = table([...headings, 'Status', 'Reason'], [row('4', 'missing', 'theft')]);
  expect(await refused(extended, { product: 'inverter' })).toMatchObject({
    code: 'headings_unknown',
    unknown: ['Status', 'Reason'],
  });
  expect(await refused(table(headings, [row('4')]), query)).toMatchObject({
    code: 'headings_missing',
    missing: ['Status', 'Reason'],
  });
  expect(await refused(extended, { product: 'panel', action: 'update_status' })).toMatchObject({
    code: 'request_invalid',
  });
});

it('a stream and rows of JSON ask for changes as files do', async () => {
  const prefix = uniquePrefix();
  await sent(source, registration([`${prefix}1`, `${prefix}2`], wrong));
  await api.call('declareForApi', { key: source.key, body: api.example('declareForApi') });
  const streamed = await api.call('createStream', {
    key: source.key,
    query: { action: 'invalidate' },
    headers: { 'content-type': 'text/csv', 'idempotency-key': `stream-${prefix}` },
    body: table(
      [...panelHeadings, 'Reason'],
      [[supplier, wrong.holder, wrong.model, `${prefix}1`, 'model_wrong']],
    ),
  });
  const { id } = submissionsOf(streamed)[0]!;
  expect((await final(source, id)).body).toMatchObject({
    action: 'invalidate',
    outcomes: { invalidated: 1 },
  });
  const json = await api.call('registerSerials', {
    key: source.key,
    query: { wait_ms: '30000' },
    body: {
      action: 'invalidate',
      rows: [
        {
          supplier_name: supplier,
          licensee_certificate_holder: wrong.holder,
          model_number: wrong.model,
          serial_number: `${prefix}2`,
          reason: 'Other',
          note: 'sent back',
        },
      ],
    },
  });
  expect(json.body).toMatchObject({
    result: 'Successful',
    state: 'final',
    outcomes: { invalidated: 1 },
    rows: [],
  });
});
