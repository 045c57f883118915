import { hash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GatewayClient } from '#scripts/demo/client.ts';
import type { ListedModel } from '#scripts/demo/planted.ts';
import { final, startTestFleet, type TestFleet, uniquePrefix } from '#test/support/fleet.ts';

let fleet: TestFleet;
let url: string;
let key: string;
let client: GatewayClient;
let good: ListedModel;
let suffixed: ListedModel;

/** As in the description's example of createAccount. */
const supplier = 'Acme Imports Pty Ltd';
const declared = 'declaration=file-upload-1';

beforeAll(async () => {
  fleet = await startTestFleet();
  url = fleet.fleet.gatewayUrl;
  const account = await fleet.operator.post<{ id: string }>('/v1/accounts', {
    name: supplier,
    kind: 'supplier',
  });
  const made = await fleet.operator.post<{ key: string }>(`/v1/accounts/${account.id}/keys`, {
    label: 'test',
  });
  key = made.key;
  client = new GatewayClient(url, key);
  await client.post('/v1/declarations/api-users', { declaration: 'api-users-1' });
  const today = new Date().toISOString().slice(0, 10);
  const current = fleet.models.filter(({ approved, expires }) => approved <= today && expires > today);
  const models = new Set(fleet.models.map(({ holder, model }) => `${holder}\n${model}`));
  good = current[0]!;
  suffixed = current.find(({ holder, model }) => {
    const base = model.replace(/ \(IEC 61215-2021\)$/, '');
    return base !== model && !/[()]/.test(base) && !models.has(`${holder}\n${base}`);
  })!;
});
afterAll(() => fleet?.stop());

async function send(path: string, body: Buffer): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv' },
    body,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

interface Finding {
  readonly record: number;
  readonly line: number;
  readonly outcome: string;
  readonly effect: string;
  readonly code: string;
  readonly column: string;
  readonly value: string;
  readonly remarks: readonly string[];
  readonly nearest?: readonly { holder: string; model: string }[];
  readonly snapshot?: string;
}

/** Semicolons, UTF-16, CR LF, a quoted line break; every kind of row. */
function mixedFile(prefix: string): Buffer {
  const base = suffixed.model.replace(/ \(IEC 61215-2021\)$/, '');
  const rows = [
    [supplier, good.holder, good.model, `${prefix}1`],
    [supplier, good.holder, good.model, `="${prefix}2"`],
    [supplier, suffixed.holder, base, `${prefix}3`],
    [supplier, 'Two\r\nlines', good.model, `${prefix}4`],
    [supplier, good.holder, good.model, ''],
    ['Somebody else', good.holder, good.model, `${prefix}6`],
    [supplier, good.holder, good.model, `${prefix}1`],
    ...Array.from({ length: 13 }, (_, i) => [supplier, good.holder, good.model, `${prefix}${20 + i}`]),
    [supplier, good.holder, good.model, '1.23E+14'],
  ];
  const heading = 'Serial number;Supplier name;Model number;Licensee/Certificate holder';
  const lines = rows.map(([named, holder, model, serial]) =>
    [serial, named, model, holder]
      .map((cell) => (/["\r\n;]/.test(cell!) ? `"${cell!.replaceAll('"', '""')}"` : cell))
      .join(';'),
  );
  return Buffer.from(`\ufeff${[heading, ...lines].join('\r\n')}\r\n`, 'utf16le');
}

it('a file is checked, refused whole, taken, reported and given back', async () => {
  const prefix = uniquePrefix();
  const bytes = mixedFile(prefix);
  const checked = await send('/v1/submissions?validateOnly=true', bytes);
  expect([checked.status, checked.body.received, checked.body.lists, checked.body.encoding]).toEqual([
    200,
    21,
    'checked',
    'UTF-16LE',
  ]);
  const foreseen = (checked.body.rows as Finding[]).filter(({ effect }) => effect === 'refused');

  const rejected = await send(`/v1/submissions?onError=reject&${declared}`, bytes);
  expect([rejected.status, rejected.body.code, rejected.body.faulty]).toEqual([422, 'rows_faulty', 5]);

  const taken = await send(`/v1/submissions?file_name=mixed.csv&${declared}`, bytes);
  expect([taken.status, taken.body.message]).toEqual([202, 'File upload successful']);
  const id = taken.body.id as string;
  const status = await final(client, id);
  expect(status).toMatchObject({
    received: 21,
    imbalance: 0,
    outcomes: { registered: 15, duplicate: 1, not_listed: 1, malformed: 3, supplier_not_authorised: 1 },
  });

  const report = await client.get<{ rows: Finding[] }>(`/v1/submissions/${id}/report?format=json`);
  expect(report.rows.map(({ record, code }) => [record, code])).toEqual(
    foreseen.map(({ record, code }) => [record, code]),
  );
  expect(report.rows.map(({ record, line, column }) => [record, line, column])).toEqual([
    [3, 4, 'Model number'],
    [4, 5, 'Licensee/Certificate holder'],
    [5, 7, 'Serial number'],
    [6, 8, 'Supplier name'],
    [7, 9, 'Serial number'],
    [21, 23, 'Serial number'],
  ]);
  expect(report.rows[0]!.nearest?.[0]).toEqual({ holder: suffixed.holder, model: suffixed.model });
  expect(report.rows.map(({ snapshot }) => snapshot)).toEqual([
    expect.stringMatching(/^panel-/),
    ...new Array(5).fill(undefined),
  ]);

  const all = await client.get<{ rows: Finding[] }>(`/v1/submissions/${id}/report?format=json&remarks=true`);
  expect(all.rows.filter(({ outcome }) => outcome === 'registered')).toMatchObject([
    { record: 2, code: 'wrapper_removed', remarks: ['wrapper_removed'], outcome: 'registered' },
  ]);
  const found = await client.get<{ state: string; entries: { serial: string; remarks: string[] }[] }>(
    `/v1/serials/panel/${prefix}2`,
  );
  expect(found).toMatchObject({
    state: 'found',
    entries: [{ serial: `${prefix}2`, remarks: ['wrapper_removed'] }],
  });

  const file = await fetch(`${url}/v1/submissions/${id}/file`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(Buffer.from(await file.arrayBuffer()).equals(bytes)).toBe(true);
  expect(file.headers.get('content-digest')).toBe(`sha-256=:${hash('sha256', bytes, 'base64')}:`);
});

it('the example of the JSON interface registers as it stands, and says so', async () => {
  const description = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, { post: { requestBody: { content: Record<string, { example: object }> } } }>;
  };
  const { example } = description.paths['/v1/serials']!.post.requestBody.content['application/json']!;
  const answer = await client.post<Record<string, unknown>>('/v1/serials?wait_ms=20000', example);
  expect(answer).toMatchObject({
    result: 'Successful',
    received: 2,
    state: 'final',
    outcomes: { registered: 2 },
    rows: [],
  });
  const again = await client.post<Record<string, unknown>>('/v1/serials?wait_ms=20000', example);
  expect(again).toMatchObject({
    result: 'Successful',
    outcomes: { duplicate: 2 },
    rows: [
      { record: 1, effect: 'refused', outcome: 'duplicate', value: 'DR5428026000001' },
      { record: 2, effect: 'refused', outcome: 'duplicate' },
    ],
  });
});
