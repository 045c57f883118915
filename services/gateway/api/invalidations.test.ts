import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Account } from '#gateway/accounts/account.ts';
import { createServer } from '#gateway/http/server.ts';
import type { MarkingGiven } from '#gateway/marking/desk.ts';
import { type Refusal, RefusedError, refuse } from '#gateway/refusal.ts';
import type { PartTold, StreamResult } from '#gateway/streams/run.ts';
import { accountOf } from '#test/support/accounts.ts';
import { invalidationEndpoints } from './invalidations.ts';

const accounts: Readonly<Record<string, Account>> = {
  acme: accountOf('acme', 'supplier'),
  cer: accountOf('cer', 'regulator'),
};
const id = '00000000-0000-8000-8000-000000000001';
const part = { firstRow: 1, rows: 2, firstLine: 1, lastLine: 2 };
const told: PartTold = { id, part, repeated: false, findings: new Map([['', 2]]), committedRow: 2 };
const done: StreamResult = {
  rows: 2,
  submissions: 1,
  repeated: 0,
  findings: new Map([['supplier_not_authorised', 1]]),
  committedRow: 2,
};

async function open(take: () => Promise<StreamResult> = async () => done, refusal?: Refusal) {
  const given: MarkingGiven[] = [];
  const failures: unknown[] = [];
  const server = await createServer({
    endpoints: invalidationEndpoints({
      desk: {
        async admit(of) {
          given.push(of);
          if (refusal) return refusal;
          return {
            id,
            rows: 2,
            committedRow: 0,
            async take(tell) {
              await tell(told);
              return take();
            },
          };
        },
      },
      bodyBytesMax: 1024 * 1024,
      patienceMs: 1_000,
      ended: () => undefined,
      failed: (error) => failures.push(error),
    }),
    log: pino({ level: 'silent' }),
    ready: () => true,
    identify: (key) => (accounts[key] ? { account: accounts[key], key } : undefined),
    load: { uploadsMax: 4 },
  });
  const post = async (
    body: unknown,
    key = 'acme',
    headers: Record<string, string> = { 'idempotency-key': 'k' },
  ) => {
    const answer = await server.inject({
      method: 'POST',
      url: '/v1/serials/invalidations',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      payload: JSON.stringify(body),
    });
    const isLines = String(answer.headers['content-type']).startsWith('application/x-ndjson');
    const lines = isLines
      ? answer.body
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [answer.json()];
    return { status: answer.statusCode, lines };
  };
  return { post, given, failures };
}

const serial = { supplier: 'A', holder: 'H', model: 'M', serial: 'S' };
const listed = { product: 'panel', reason: 'Other', note: 'gone', serials: [serial] };
const matched = {
  product: 'inverter',
  reason: 'model_wrong',
  search: { serial_prefix: 'S', from: '2026-01-31', state: 'registered' },
  count: 3,
};

test('what is chosen reaches the desk: named, or as in the search', async () => {
  const { post, given } = await open();
  await post(listed);
  await post(matched);
  expect(given).toEqual([
    {
      key: 'k',
      product: 'panel',
      reason: 'Other',
      note: 'gone',
      selection: { kind: 'listed', serials: [{ ...serial, series: '' }] },
    },
    {
      key: 'k',
      product: 'inverter',
      reason: 'model_wrong',
      note: '',
      selection: {
        kind: 'matched',
        count: 3,
        query: {
          product: 'inverter',
          serialPrefix: 'S',
          state: 'registered',
          receivedFrom: Date.parse('2026-01-30T13:00:00Z'),
        },
      },
    },
  ]);
});

test('the answer: a first line, one for each submission, and a last one', async () => {
  const { post } = await open();
  const { status, lines } = await post(listed);
  expect(status).toBe(200);
  expect(lines).toEqual([
    { event: 'marking', id, url: `/v1/streams/${id}`, rows: 2, committed_row: 0 },
    {
      event: 'submission',
      id,
      url: `/v1/submissions/${id}`,
      rows: 2,
      first_row: 1,
      last_row: 2,
      repeated: false,
      findings: {},
      committed_row: 2,
    },
    {
      event: 'complete',
      result: 'Successful',
      rows: 2,
      submissions: 1,
      repeated: 0,
      findings: { supplier_not_authorised: 1 },
      committed_row: 2,
    },
  ]);
});

test('an end before the end says why, in a refusal or thrown; what nobody expects ends the answer', async () => {
  const changed = refuse('selection_changed', undefined, { count: 4 });
  const refused = await open(async () => ({ ...done, refusal: changed }));
  expect((await refused.post(matched)).lines.at(-1)).toMatchObject({
    event: 'refused',
    result: 'Unsuccessful',
    code: 'selection_changed',
    status: 409,
    count: 4,
    committed_row: 2,
  });
  const thrown = await open(() => Promise.reject(new RefusedError(refuse('temporarily_unavailable'))));
  expect((await thrown.post(matched)).lines.at(-1)).toMatchObject({
    event: 'refused',
    code: 'temporarily_unavailable',
  });
  const broken = await open(() => Promise.reject(new Error('broken')));
  await broken.post(matched).catch(() => undefined);
  expect(broken.failures).toHaveLength(1);
});

test('a refusal before anything is done is a problem document', async () => {
  const { post } = await open(undefined, refuse('selection_changed', undefined, { count: 4, seen: 3 }));
  expect(await post(matched)).toMatchObject({
    status: 409,
    lines: [{ code: 'selection_changed', result: 'Unsuccessful', count: 4 }],
  });
});

test.each<[string, unknown, string]>([
  ['neither rows nor a search', { product: 'panel', reason: 'Other' }, 'body'],
  ['both', { ...listed, search: {}, count: 1 }, 'body'],
  ['no rows', { ...listed, serials: [] }, 'body/serials'],
  ['a row without its model', { ...listed, serials: [{ ...serial, model: undefined }] }, 'body/serials/0'],
  [
    'a row with a line break',
    { ...listed, serials: [{ ...serial, serial: 'a\nb' }] },
    'body/serials/0/serial',
  ],
  ['a search without the count that was seen', { ...matched, count: undefined }, 'body'],
  ['nothing seen', { ...matched, count: 0 }, 'body/count'],
  ['a search for what there is not', { ...matched, search: { colour: 'red' } }, 'body/search'],
  ['a day that there is not', { ...matched, search: { from: '2026-02-31' } }, 'body/search/from'],
  ['no reason', { ...listed, reason: undefined }, 'body'],
  ['a note of two lines', { ...listed, note: 'a\nb' }, 'body/note'],
  ['a note that is too long', { ...listed, note: 'x'.repeat(501) }, 'body/note'],
  ['nothing', null, 'body'],
])('%s: refused, with where', async (_, body, where) => {
  const { post, given } = await open();
  const { status, lines } = await post(body);
  expect([status, lines[0]]).toMatchObject([400, { code: 'request_invalid', result: 'Unsuccessful' }]);
  expect(lines[0].errors.map((error: { where: string }) => error.where)).toContain(where);
  expect(given).toEqual([]);
});

test('a marking is named by its key, and is no business of the agency', async () => {
  const { post, given } = await open();
  expect(await post(listed, 'acme', {})).toMatchObject({ status: 400, lines: [{ code: 'request_invalid' }] });
  expect(await post(listed, 'cer')).toMatchObject({ status: 403, lines: [{ code: 'not_permitted' }] });
  expect(given).toEqual([]);
});
