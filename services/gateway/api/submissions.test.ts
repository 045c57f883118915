import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Account } from '#gateway/accounts/account.ts';
import { permitCheck, permitUpload } from '#gateway/accounts/upload.ts';
import { apiDeclarationOf } from '#gateway/declarations/api-users.ts';
import { createServer } from '#gateway/http/server.ts';
import { SubmissionDesk } from '#gateway/submissions/desk.ts';
import { Intake } from '#gateway/submissions/intake.ts';
import { rowLimitsDefault } from '#gateway/submissions/limits.ts';
import type { SubmissionStatus } from '#gateway/submissions/status.ts';
import type { Submission } from '#gateway/submissions/submission.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { ListIndex } from '#shared/domain/listing/list-index.ts';
import { accountOf } from '#test/support/accounts.ts';
import { catalogue } from '#test/support/catalogue.ts';
import { registrationEndpoints } from './registrations.ts';
import { type SubmissionApi, submissionEndpoints } from './submissions.ts';

const now = () => Date.parse('2026-11-24T00:00:00Z');
const made = { text: 'api-users-1', at: now(), by: 'user:ann' };
const accounts: Readonly<Record<string, Account>> = {
  acme: {
    ...accountOf('acme', 'supplier', { name: 'Acme Imports Pty Ltd', suppliers: ['Acme Imports Pty Ltd'] }),
    apiDeclarations: [made],
  },
  other: accountOf('other', 'supplier', { suppliers: ['Other Pty Ltd'] }),
  cer: accountOf('cer', 'regulator'),
  agent: accountOf('agent', 'agent'),
  maker: accountOf('maker', 'inverter_supplier', { suppliers: ['Maker Pty Ltd'] }),
};
const knowledge = {
  now,
  authoritiesOf: ({ authorities }: Account) => authorities,
  apiDeclarationOf: (account: Account) => apiDeclarationOf(account, now()),
};

const listed = (holder: string, model: string, expires = '2030-01-01') => ({
  holder,
  model,
  brand: '',
  series: '',
  approved: '2024-01-01',
  expires,
  current: true,
  nominalKwh: '',
  usableKwh: '',
  acPowerKw: '',
});
const list = new ListIndex([
  listed('Sun GmbH', 'M-100 (II)'),
  listed('Sun GmbH', 'OLD-9', '2025-01-01'),
  listed('Drusluntis Solar Co Ltd', 'DRU54RNs-280 (IEC 61215-2021)'),
  listed('Drusluntis Solar Co Ltd', 'DRU60RNs-400 (IEC 61215-2021)'),
]);

/** The endpoints on a log in memory; the ledger is what the log holds, decided at once or never. */
async function open(options: { list?: () => Promise<ListIndex | undefined>; decided?: boolean } = {}) {
  const written: Submission[] = [];
  const log = { write: async (submission: Submission) => void written.push(submission) };
  const desk = new SubmissionDesk(log, { withKey: async () => [] }, { now, earlierWaitMs: 10 });
  const find = (id: string) => written.find((submission) => submission.id === id);
  const api: SubmissionApi = {
    intake: new Intake({
      permit: (identity, intent) => permitUpload(knowledge, identity, intent),
      permitCheck: (identity, product) => permitCheck(knowledge, identity, product),
      desk,
      partitions: 6,
      damageShareMax: 0.5,
      catalogue,
      list: options.list ?? (async () => list),
      now,
    }),
    bodyBytesMax: 1024 * 1024,
    rowLimits: rowLimitsDefault,
    async status(id) {
      const found = find(id);
      return found && statusOf(found, options.decided ?? false);
    },
    async *report() {},
    async file(id) {
      const found = find(id);
      if (!found) return undefined;
      const { bodyGzip: gzip, bodySha256: sha256, bodyBytes: bytes, fileName: file_name, channel } = found;
      return { gzip, sha256, bytes, file_name, channel, media_type: '' };
    },
  };
  const server = await createServer({
    endpoints: [...submissionEndpoints(api), ...registrationEndpoints(api)],
    log: pino({ level: 'silent' }),
    ready: () => true,
    identify: (key) => (accounts[key] ? { account: accounts[key], key } : undefined),
    load: { uploadsMax: 4 },
  });
  const call = async (key: string, method: 'GET' | 'POST', url: string, body?: object | string | Buffer) => {
    const type = typeof body === 'string' || Buffer.isBuffer(body) ? 'text/csv' : 'application/json';
    const answer = await server.inject({
      method,
      url,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { payload: body }),
    });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      raw: answer.rawPayload,
      body: parsed(answer.body),
    };
  };
  return { server, written, call, find };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function statusOf(submission: Submission, decided: boolean): SubmissionStatus {
  return {
    id: submission.id,
    account: submission.account,
    state: decided ? 'final' : 'accepted',
    product: submission.product,
    action: submission.action,
    file_name: submission.fileName,
    received: submission.rows,
    outcomes: decided ? { registered: submission.rows } : {},
    pending: 0,
    dead_letters: 0,
    discarded: 0,
    imbalance: null,
    received_at: submission.receivedAt,
    accepted_ms: null,
    final_seen_ms: null,
  };
}

const heading = 'Supplier name,Licensee/Certificate holder,Model number,Serial number\n';
const row = (serial: string, model = 'M-100 (II)', holder = 'Sun GmbH') =>
  `Acme Imports Pty Ltd,${holder},${model},${serial}\n`;
const declared = 'declaration=file-upload-1';
const mixed =
  heading + row('S1') + row('S1') + row("'S2", 'OLD-9') + row('S;3') + row('S4', 'M-100') + row('S5');

test('validateOnly checks rows, lists and repetitions, and stores nothing', async () => {
  const { call, written } = await open();
  const { status, body } = await call('acme', 'POST', '/v1/submissions?validateOnly=true', mixed);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    message: 'File checked, nothing was stored',
    received: 6,
    refused: 3,
    remarked: 1,
    encoding: 'UTF-8',
    delimiter: 'comma',
    lists: 'checked',
  });
  expect((body.rows as { record: number; code: string }[]).map(({ record, code }) => [record, code])).toEqual(
    [
      [2, 'duplicate'],
      [3, 'wrapper_removed'],
      [3, 'listing_expired'],
      [4, 'serial_has_separator'],
      [5, 'not_listed'],
    ],
  );
  expect(body.rows).toContainEqual({
    record: 5,
    line: 6,
    effect: 'refused',
    column: 'Model number',
    value: 'M-100',
    code: 'not_listed',
    sentence: expect.any(String),
    hint: expect.any(String),
    nearest: [{ holder: 'Sun GmbH', model: 'M-100 (II)' }],
  });
  expect(written).toEqual([]);
  const whole = await call('acme', 'POST', '/v1/submissions?validateOnly=true', 'nonsense\n');
  expect(whole).toMatchObject({ status: 422, body: { code: 'headings_missing' } });
});

test('without the approved list the rest is checked, and the answer says so', async () => {
  const silent = async () => {
    throw new OperationalError('clickhouse_silent', 'no answer', { retryable: true });
  };
  const { call } = await open({ list: silent });
  const { status, body } = await call('acme', 'POST', '/v1/submissions?validateOnly=true', mixed);
  expect([status, body.lists, body.refused]).toEqual([200, 'not_checked', 2]);
  const reject = await call(
    'acme',
    'POST',
    `/v1/submissions?onError=reject&${declared}`,
    heading + row('S1'),
  );
  expect(reject).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
  expect(await call('acme', 'POST', `/v1/submissions?${declared}`, mixed)).toMatchObject({ status: 202 });
});

test('where no list was ever imported, all or nothing is not judged by half', async () => {
  const { call, written } = await open({ list: async () => undefined });
  const reject = await call(
    'acme',
    'POST',
    `/v1/submissions?onError=reject&${declared}`,
    heading + row('S1'),
  );
  expect(reject).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
  expect(written).toEqual([]);
});

test('onError=reject: a fault in any row refuses the file, and all rows with faults are named', async () => {
  const { call, written } = await open();
  const refused = await call('acme', 'POST', `/v1/submissions?onError=reject&${declared}`, mixed);
  expect(refused).toMatchObject({ status: 422, body: { code: 'rows_faulty', count: 6, faulty: 2 } });
  expect((refused.body.rows as { record: number }[]).map(({ record }) => record)).toEqual([4, 5]);
  expect(JSON.stringify(refused.body)).not.toContain('successful');
  expect(written).toEqual([]);
  const fine = await call(
    'acme',
    'POST',
    `/v1/submissions?onError=reject&${declared}`,
    heading + row('S1') + row('S1'),
  );
  expect(fine).toMatchObject({ status: 202, body: { received: 2, message: 'File upload successful' } });
  const proceed = await call('acme', 'POST', `/v1/submissions?onError=proceed&${declared}`, mixed);
  expect(proceed).toMatchObject({ status: 202, body: { received: 6, message: 'File upload successful' } });
});

test('the guidance for verification services has a limit of its own', async () => {
  const { call } = await open();
  const file = heading + Array.from({ length: 1_001 }, (_, i) => row(`S${i}`)).join('');
  expect(await call('acme', 'POST', `/v1/submissions?guidance=vsp&${declared}`, file)).toMatchObject({
    status: 413,
    body: { code: 'too_many_rows', limit: 1_000, count: 1_001, line: 1_002 },
  });
  expect(await call('acme', 'POST', `/v1/submissions?${declared}`, file)).toMatchObject({ status: 202 });
  expect(await call('acme', 'POST', `/v1/submissions?guidance=none&${declared}`, file)).toMatchObject({
    status: 400,
  });
});

test('a name that does not end in .csv is refused, a form or not', async () => {
  const { call, server } = await open();
  expect(await call('acme', 'POST', `/v1/submissions?file_name=p.xlsx&${declared}`, mixed)).toMatchObject({
    status: 415,
    body: { code: 'file_not_csv' },
  });
  const form = new FormData();
  form.append('file', new Blob([mixed]), 'panels.txt');
  const encoded = new Response(form);
  const answer = await server.inject({
    method: 'POST',
    url: `/v1/submissions?${declared}`,
    headers: { authorization: 'Bearer acme', 'content-type': encoded.headers.get('content-type')! },
    payload: Buffer.from(await encoded.arrayBuffer()),
  });
  expect(answer.statusCode).toBe(415);
});

test('the bytes come back as they came, to their account and the regulator alone', async () => {
  const { call } = await open();
  const bytes = Buffer.from(`\ufeff${mixed.replaceAll('\n', '\r')}`, 'utf16le');
  const { body } = await call(
    'acme',
    'POST',
    `/v1/submissions?${declared}&file_name=${encodeURIComponent('März "1".csv')}`,
    bytes,
  );
  for (const key of ['acme', 'cer']) {
    const file = await call(key, 'GET', `/v1/submissions/${body.id}/file`);
    expect(file.status).toBe(200);
    expect(file.raw.equals(bytes)).toBe(true);
    expect(file.headers).toMatchObject({
      'content-type': 'text/csv',
      'content-digest': `sha-256=:${hash('sha256', bytes, 'base64')}:`,
      'content-disposition':
        'attachment; filename="M_rz _1_.csv"; filename*=UTF-8\'\'M%C3%A4rz%20%221%22.csv',
    });
  }
  expect(await call('other', 'GET', `/v1/submissions/${body.id}/file`)).toMatchObject({ status: 404 });
});

test('bytes that do not fit their digest are never given out', async () => {
  const { call, find } = await open();
  const { body } = await call('acme', 'POST', `/v1/submissions?${declared}`, mixed);
  const kept = find(body.id as string)!;
  Object.assign(kept, { bodyGzip: gzipSync(mixed.replace('S1', 'S9')) });
  expect(await call('acme', 'GET', `/v1/submissions/${body.id}/file`)).toMatchObject({ status: 500 });
});

test('JSON: the example of the description works as it stands', async () => {
  const { call, server, written } = await open();
  const description = (await server.inject('/openapi.json')).json();
  const { example } = description.paths['/v1/serials'].post.requestBody.content['application/json'];
  const { status, body } = await call('acme', 'POST', '/v1/serials', example);
  expect([status, body]).toMatchObject([
    202,
    { result: 'Successful', received: 2, state: 'accepted', outcomes: {}, rows: [] },
  ]);
  expect(written).toMatchObject([{ id: body.submission, channel: 'json', rows: 2 }]);
  const rejecting = await call('acme', 'POST', '/v1/serials?onError=reject', example);
  expect(rejecting).toMatchObject({ status: 202, body: { result: 'Successful' } });
  const file = await call('acme', 'GET', `/v1/submissions/${body.submission}/file`);
  expect(file.headers['content-type']).toBe('application/json');
  expect(JSON.parse(file.raw.toString())).toEqual(example);
});

const jsonRow = (serial_number: unknown, model_number = 'M-100 (II)') => ({
  supplier_name: 'Acme Imports Pty Ltd',
  licensee_certificate_holder: 'Sun GmbH',
  model_number,
  serial_number,
});

test('JSON: a row with a fault is an outcome of its own, and is in the answer at once', async () => {
  const { call, written } = await open();
  const rows = [jsonRow('S1'), jsonRow(''), jsonRow("'S2"), { ...jsonRow('S3'), supplier_name: 'Other' }];
  const { status, body } = await call('acme', 'POST', '/v1/serials', { rows });
  expect([status, body.result, body.received]).toEqual([202, 'Successful', 4]);
  expect(body.rows).toMatchObject([
    { record: 2, line: 0, effect: 'refused', column: 'Serial number', value: '', code: 'cell_empty' },
    { record: 3, effect: 'remark', code: 'wrapper_removed' },
    {
      record: 4,
      effect: 'refused',
      column: 'Supplier name',
      value: 'Other',
      code: 'supplier_not_authorised',
    },
  ]);
  expect(written[0]!.batches.flatMap(({ records }) => records)).toHaveLength(4);
});

test('JSON: with wait_ms the answer comes with the outcomes', async () => {
  const { call } = await open({ decided: true });
  const { status, body } = await call('acme', 'POST', '/v1/serials?wait_ms=1000', { rows: [jsonRow('S1')] });
  expect([status, body]).toMatchObject([
    202,
    { result: 'Successful', state: 'final', outcomes: { registered: 1 } },
  ]);
});

test.each([
  ['not JSON', Buffer.from('{"rows": ['), 400, 'request_invalid'],
  ['not UTF-8', Buffer.from('{"rows": ["\xe9"]}', 'latin1'), 400, 'request_invalid'],
  ['null', null, 400, 'request_invalid'],
  ['no rows', { rows: [] }, 400, 'request_invalid'],
  ['a number for a serial', { rows: [jsonRow('S1'), jsonRow(1234567890)] }, 400, 'request_invalid'],
  ['a missing member', { rows: [{ ...jsonRow('S1'), model_number: undefined }] }, 400, 'request_invalid'],
  ['a member too many', { rows: [{ ...jsonRow('S1'), status: 'x' }] }, 400, 'request_invalid'],
  ['an unknown product', { product: 'wind', rows: [jsonRow('S1')] }, 400, 'request_invalid'],
  ['rows of another product', { product: 'inverter', rows: [jsonRow('S1')] }, 400, 'request_invalid'],
  ['too many rows', { rows: new Array(5_001).fill(jsonRow('S1')) }, 413, 'too_many_rows'],
  ['damage', { rows: [jsonRow('1.23E+14'), jsonRow('1.24E+14')] }, 422, 'file_damaged'],
])('JSON: %s is Unsuccessful, and nothing is stored', async (_, given, status, code) => {
  const { server, written } = await open();
  const answer = await server.inject({
    method: 'POST',
    url: '/v1/serials',
    headers: { 'ocp-apim-subscription-key': 'acme', 'content-type': 'application/json' },
    payload: Buffer.isBuffer(given) ? given : JSON.stringify(given),
  });
  expect([answer.statusCode, answer.json()]).toMatchObject([status, { result: 'Unsuccessful', code }]);
  expect(written).toEqual([]);
});

test('JSON: who may not is told so with the same word', async () => {
  const { call } = await open();
  const body = { rows: [jsonRow('S1')] };
  expect(await call('nobody', 'POST', '/v1/serials', body)).toMatchObject({
    status: 401,
    body: { result: 'Unsuccessful', code: 'credentials_unknown' },
  });
  expect(await call('agent', 'POST', '/v1/serials', body)).toMatchObject({
    status: 403,
    body: { result: 'Unsuccessful', code: 'not_permitted' },
  });
  const file = await call('nobody', 'POST', `/v1/submissions?${declared}`, mixed);
  expect(file.body).not.toHaveProperty('result');
});

test('JSON: the wrong member is named by its place', async () => {
  const { call } = await open();
  const { body } = await call('acme', 'POST', '/v1/serials', { rows: [jsonRow('S1'), jsonRow(7)] });
  expect(body.errors).toContainEqual({ where: 'body/rows/1/serial_number', message: expect.any(String) });
});

test('a file without its declaration and rows without the one for API users are not taken; a check needs neither', async () => {
  const { call, written } = await open();
  expect(await call('acme', 'POST', '/v1/submissions', 'nonsense')).toMatchObject({
    status: 422,
    body: { code: 'declaration_missing' },
  });
  expect(await call('other', 'POST', '/v1/serials', { rows: [jsonRow('S1')] })).toMatchObject({
    status: 403,
    body: { result: 'Unsuccessful', code: 'api_declaration_missing' },
  });
  expect(await call('other', 'POST', '/v1/submissions?validateOnly=true', mixed)).toMatchObject({
    status: 200,
  });
  const inverters = await call('acme', 'POST', '/v1/submissions?validateOnly=true&product=inverter', mixed);
  expect(inverters.body.code).toBe('headings_missing');
  expect(written).toEqual([]);
  await call('acme', 'POST', `/v1/submissions?${declared}`, mixed);
  await call('acme', 'POST', '/v1/serials', { rows: [jsonRow('S1')] });
  expect(written).toMatchObject([
    { declaration: 'file-upload-1', declaredBy: 'key:acme' },
    { declaration: 'api-users-1', declaredBy: 'user:ann' },
  ]);
});

const marking = heading.replace('\n', ',Reason,Note\n');
const marked = (serial: string, reason: string, note = '') =>
  row(serial).replace('\n', `,${reason},${note}\n`);

test('a file that marks as invalid is taken as an upload is; its reasons are those of the catalogue', async () => {
  const { call, written } = await open({ list: async () => undefined });
  const file =
    marking + marked('S1', 'Model number is wrong') + marked('S2', 'Other') + marked('S1', 'other', 'gone');
  const check = await call('acme', 'POST', '/v1/submissions?validateOnly=true&action=invalidate', file);
  expect(check).toMatchObject({ status: 200, body: { received: 3, refused: 2, lists: 'not_needed' } });
  expect(
    (check.body.rows as { record: number; code: string }[]).map(({ record, code }) => [record, code]),
  ).toEqual([
    [2, 'note_missing'],
    [3, 'already_invalid'],
  ]);
  const whole = await call(
    'acme',
    'POST',
    `/v1/submissions?onError=reject&action=invalidate&${declared}`,
    file,
  );
  expect(whole).toMatchObject({ status: 422, body: { code: 'rows_faulty', faulty: 1 } });
  const undeclared = await call('acme', 'POST', '/v1/submissions?action=invalidate', file);
  expect(undeclared.body.code).toBe('declaration_missing');
  expect(written).toEqual([]);
  const taken = await call('acme', 'POST', `/v1/submissions?action=invalidate&${declared}`, file);
  expect(taken).toMatchObject({ status: 202, body: { received: 3, message: 'File upload successful' } });
  expect(written).toMatchObject([{ action: 'invalidate', product: 'panel', rows: 3 }]);
  const records = written[0]!.batches.flatMap((batch) => batch.records).sort((a, b) => a.row - b.row);
  expect(records).toMatchObject([
    { reason: 'model_wrong', note: '', finding: '' },
    { reason: 'Other', note: '', finding: 'note_missing', column: 'Note' },
    { reason: 'other', note: 'gone', finding: '' },
  ]);
  const registered = await call('acme', 'POST', `/v1/submissions?${declared}`, file);
  expect(registered.body).toMatchObject({ code: 'headings_unknown', unknown: ['Reason', 'Note'] });
  const lacking = await call('acme', 'POST', `/v1/submissions?action=invalidate&${declared}`, mixed);
  expect(lacking.body).toMatchObject({ code: 'headings_missing', missing: ['Reason'] });
});

test('the same bytes under one key are one submission for each action', async () => {
  const { server, written } = await open();
  const post = async (action: string, file: string) => {
    const answer = await server.inject({
      method: 'POST',
      url: `/v1/submissions?action=${action}&${declared}`,
      headers: { authorization: 'Bearer acme', 'content-type': 'text/csv', 'idempotency-key': 'once' },
      payload: file,
    });
    return answer.json();
  };
  const file = marking + marked('S1', 'model_wrong');
  const [first, again] = [await post('invalidate', file), await post('invalidate', file)];
  expect(again).toEqual(first);
  expect((await post('register', heading + row('S1'))).code).toBe('idempotency_key_reused');
  expect(written).toHaveLength(1);
});

test('JSON: rows with an action ask for a change', async () => {
  const { call, written } = await open();
  const rows = [
    { ...jsonRow('S1'), reason: 'Other', note: 'gone' },
    { ...jsonRow('S2'), reason: 'model_wrong' },
  ];
  const answer = await call('acme', 'POST', '/v1/serials', { product: 'panel', action: 'invalidate', rows });
  expect([answer.status, answer.body]).toMatchObject([202, { result: 'Successful', received: 2, rows: [] }]);
  expect(written).toMatchObject([{ action: 'invalidate', channel: 'json' }]);
  for (const body of [{ action: 'invalidate', rows: [jsonRow('S1')] }, { action: 'tick', rows }, { rows }])
    expect(await call('acme', 'POST', '/v1/serials', body)).toMatchObject({
      status: 400,
      body: { code: 'request_invalid' },
    });
});

test('batteries: manufacturer and brand, series and model are compared with the approved list; none but the first and last refuses', async () => {
  const battery = {
    ...listed('Storewell Energy Pty Ltd', 'SW-13 (AS5139)'),
    brand: 'Storewell',
    series: 'SW',
  };
  const { call, written } = await open({ list: async () => new ListIndex([battery]) });
  const headings = 'Brand,Manufacturer,Model,Series,Serial number\n';
  const line = (serial: string, brand: string, series = 'SW', holder = battery.holder) =>
    `${brand},${holder},SW-13 (AS5139),${series},${serial}\n`;
  const file =
    headings +
    line('B1', 'storewell') +
    line('B2', '') +
    line('B3', 'Overwell') +
    line('B4', 'Storewell', 'SX') +
    line('B5', 'Storewell', 'SW', 'Storewell') +
    line('B6', 'a\u200bb');
  const check = await call('maker', 'POST', '/v1/submissions?validateOnly=true&product=battery', file);
  expect(check).toMatchObject({
    status: 200,
    body: { received: 6, refused: 2, remarked: 2, lists: 'checked' },
  });
  expect(
    (check.body.rows as Record<string, string>[]).map(({ record, code, column, value }) => [
      record,
      code,
      column,
      value,
    ]),
  ).toEqual([
    [3, 'listing_brand_differs', 'Brand', 'Overwell'],
    [4, 'listing_series_differs', 'Series', 'SX'],
    [5, 'not_listed', 'Model', 'SW-13 (AS5139)'],
    [6, 'cell_has_control_character', 'Brand', ''],
  ]);
  const taken = await call('maker', 'POST', `/v1/submissions?product=battery&${declared}`, file);
  expect(taken.status).toBe(202);
  const records = written[0]!.batches.flatMap((batch) => batch.records);
  expect(records.every((record) => !('brand' in record))).toBe(true);
});
