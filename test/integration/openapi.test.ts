import { Compile } from 'typebox/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '#gateway/accounts/keys.ts';
import type { CallOptions, DescribedApi, DescribedOperation } from '#test/support/described-api.ts';
import { startTestGateway, type TestGateway } from '#test/support/gateway.ts';
import { fileExample, requestOf, successes } from '#test/support/successes.ts';

let gateway: TestGateway;
let api: DescribedApi;
let steps: Record<string, CallOptions>;

beforeAll(async () => {
  // The ledger-writer alone: files that were accepted get into the ledger, and nothing is ever decided.
  gateway = await startTestGateway({}, { 'ledger-writer': 1 });
  api = gateway.api;
  steps = await successes(gateway);
});
afterAll(() => gateway?.stop());

it('every operation goes well as described, with the example as it stands', async () => {
  expect(Object.keys(steps).sort()).toEqual([...api.operations.keys()].sort());
  for (const id of Object.keys(steps)) {
    const { status, text } = await api.call(id, requestOf(api.operation(id), steps));
    expect(status, `${id}: ${text}`).toBeLessThan(300);
  }
});

it('every body of JSON has its example', () => {
  const json = [...api.operations.values()].filter(({ body }) => body?.['application/json']);
  expect(json.filter(({ body }) => body!['application/json']!.example === undefined)).toEqual([]);
});

it('every example is as its own schema says (D4)', () => {
  const faulty = [...api.operations.values()].flatMap(({ id, body }) => {
    const { schema, example } = body?.['application/json'] ?? {};
    if (!schema) return [];
    const [, errors] = Compile(schema).Errors(example);
    return errors.map(({ instancePath, message }) => `${id}${instancePath} ${message}`);
  });
  expect(faulty).toEqual([]);
});

describe('what is wrong with a request is answered as described', () => {
  const each = (does: (operation: DescribedOperation, request: CallOptions) => Promise<void>) => async () => {
    for (const operation of api.operations.values()) await does(operation, requestOf(operation, steps));
  };

  it(
    'no key, and one that nobody has: 401',
    each(async ({ id, isPublic }, request) => {
      if (isPublic) return;
      for (const key of [undefined, newKey().text]) {
        const { status, headers } = await api.call(id, { ...request, key });
        expect([id, status, headers.get('www-authenticate')]).toEqual([id, 401, 'Bearer']);
      }
    }),
  );

  it(
    'a body of another kind: 415',
    each(async ({ id, body }, request) => {
      if (!body) return;
      const headers = { ...request.headers, 'content-type': 'application/xml' };
      expect([id, (await api.call(id, { ...request, headers, body: '<a/>' })).status]).toEqual([id, 415]);
    }),
  );

  it(
    'a body that is no JSON, and one of another shape: 400',
    each(async ({ id, body }, request) => {
      if (!body?.['application/json']) return;
      const headers = { ...request.headers, 'content-type': 'application/json' };
      for (const wrong of ['{', '[]']) {
        const { status, body: problem } = await api.call(id, { ...request, headers, body: wrong });
        expect([id, status, problem.code]).toEqual([id, 400, 'request_invalid']);
      }
    }),
  );

  it(
    'a name that the body does not have: 400, and it is named',
    each(async ({ id, body }, request) => {
      if (!body?.['application/json']) return;
      const { body: problem } = await api.call(id, {
        ...request,
        body: { ...(request.body as object), surplus: 1 },
      });
      expect([id, problem.code]).toEqual([id, 'request_invalid']);
    }),
  );

  it(
    'an address or a query that is none: 400',
    each(async ({ id, path }, request) => {
      for (const name of [
        'account',
        'submission',
        'stream',
        'application',
        'user',
        'claim',
        'product',
        'slot',
      ]) {
        if (!path.includes(`{${name}}`)) continue;
        const { status } = await api.call(id, { ...request, params: { ...request.params, [name]: 'none' } });
        expect([id, name, status]).toEqual([id, name, 400]);
      }
    }),
  );

  it('a body that is too large: 413, with the limit', async () => {
    const body = { declaration: 'x'.repeat(5 * 1024) };
    const answer = await api.call('declareForApi', { ...steps.declareForApi, body });
    expect([answer.status, answer.body.code, answer.body.limit]).toEqual([413, 'body_too_large', 4 * 1024]);
  });
});

it('a check of a file is answered as described, and needs no declaration', async () => {
  const { status, body } = await api.call('createSubmission', {
    ...steps.createSubmission!,
    query: { validateOnly: 'true' },
    body: fileExample(api),
  });
  expect([status, body.received, body.refused, body.lists]).toEqual([200, 1, 0, 'not_checked']);
});

describe('files and their declaration', () => {
  const form = (...parts: readonly [string, string | Blob, string?][]) => {
    const data = new FormData();
    for (const [name, value, file] of parts)
      if (typeof value === 'string') data.append(name, value);
      else data.append(name, value, file);
    return data;
  };
  const csv = () => new Blob([fileExample(api)], { type: 'text/csv' });
  const send = (options: CallOptions) =>
    api.call('createSubmission', { key: steps.createSubmission!.key, ...options });

  it('without one nothing of the file is read, whatever is in it', async () => {
    const { status, body } = await send({
      headers: { 'content-type': 'text/csv' },
      body: 'no,such,headings\n',
    });
    expect([status, body.code, body.current]).toEqual([422, 'declaration_missing', 'file-upload-1']);
    const old = await send({
      query: { declaration: 'file-upload-0' },
      headers: { 'content-type': 'text/csv' },
      body: fileExample(api),
    });
    expect(old.body.code).toBe('declaration_not_current');
  });

  it('in a form it may stand before the file and behind it', async () => {
    const declaration = ['declaration', 'file-upload-1'] as [string, string];
    const file = ['file', csv(), 'panels.csv'] as [string, Blob, string];
    for (const parts of [
      [declaration, file],
      [file, declaration],
    ])
      expect((await send({ body: form(...parts) })).status).toBe(202);
    expect((await send({ body: form(file) })).body.code).toBe('declaration_missing');
    expect((await send({ body: form(declaration) })).body.code).toBe('request_invalid');
  });
});

it('each operation has answered with each success that it describes, and with 401 unless it is public', () => {
  const statusesOf = (id: string) =>
    [...api.seen].filter((text) => text.startsWith(`${id} `)).map((text) => text.split(' ')[1]!);
  for (const { id, responses, isPublic } of api.operations.values()) {
    const success = Object.keys(responses).filter((status) => status < '300');
    expect(statusesOf(id), id).toEqual(expect.arrayContaining(success));
    if (!isPublic) expect(statusesOf(id), id).toContain('401');
  }
});
