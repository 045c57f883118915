import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '#gateway/accounts/keys.ts';
import { createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Member } from '#test/support/cast.ts';
import { createdOn, receivedAt, solarFacts } from '#test/support/claims.ts';
import { decidedStory, writeDecided } from '#test/support/decided-rows.ts';
import type { CallOptions, DescribedApi, DescribedOperation } from '#test/support/described-api.ts';
import { startTestGateway, type TestGateway } from '#test/support/gateway.ts';
import { silent } from '#test/support/stores.ts';

let gateway: TestGateway;
let api: DescribedApi;
let steps: Record<string, CallOptions>;

beforeAll(async () => {
  // The ledger-writer alone: files that were accepted get into the ledger, and nothing is ever decided.
  gateway = await startTestGateway({}, { 'ledger-writer': 1 });
  api = gateway.api;
  steps = await successes();
});
afterAll(() => gateway?.stop());

/**
 * For every operation a request that goes well: the described example as it stands wherever it can, in the situation that
 * it is meant for.
 */
async function successes(): Promise<Record<string, CallOptions>> {
  const { casting, operator } = gateway;
  const regulator = (await casting.made('Regulator', 'regulator')).key;
  const admin = await casting.signedUp('Ann');
  await casting.upgraded(admin, ['supplier'], regulator);
  const newcomer = await casting.signedUp('Bo');
  const assessed = await casting.signedUp('Cy');
  const application = (await casting.applied(assessed, ['vsp'])).body.id;
  const vsp = await casting.made('Verifier', 'vsp', ['Acme Imports Pty Ltd']);
  const { key: agent, account: agentAccount } = await casting.made('Agent', 'agent');
  const { account, key } = admin;
  const person = await api.call('registerUser', { key: operator, body: api.example('registerUser') });
  const user = person.body.id;
  const authority = await api.call('grantAuthority', {
    key: regulator,
    params: { account },
    body: api.example('grantAuthority'),
  });
  const claim = await api.call('createClaim', { key: agent, body: api.example('createClaim') });
  const claims = await decidedClaims(agentAccount);
  const certificate = { code: claims.code, year: '2026', number: '1' };
  const spare = await casting.subscribed(admin, account, 'spare');
  const uploaded = await upload(vsp);
  const submission = uploaded.body.id;
  const own = { key, params: { account } };
  return {
    getLimits: {},
    getReasons: {},
    listDeclarations: {},
    computeEntitlements: {},
    signUp: {},
    createAccount: { key: operator },
    listAccounts: { key: regulator },
    getAccount: own,
    changeContact: { key: regulator, params: { account }, body: { user: admin.user } },
    recordCecDetails: own,
    whoAmI: { key },
    registerUser: { key: regulator },
    permitUser: { key, params: { account, user } },
    removeUser: { key, params: { account, user } },
    lodgeApplication: { key: newcomer.key, params: { account: newcomer.account } },
    listApplications: { key: regulator },
    assessApplication: { key: regulator, params: { account: assessed.account, application } },
    grantAuthority: { key: regulator, params: { account } },
    endAuthority: { key: regulator, params: { account, authority: authority.body.id } },
    nameProvider: { key, params: { account, provider: vsp.account } },
    withdrawProvider: { key, params: { account, provider: vsp.account } },
    createSubscription: own,
    rotateKey: { key, params: { account, subscription: spare.subscription, slot: 'secondary' } },
    revokeSubscription: { key, params: { account, subscription: spare.subscription } },
    createKey: { key: operator, params: { account } },
    revokeKey: { key: operator, params: { account, key: spare.key.split('_')[1]! } },
    getApiDeclaration: { key },
    declareForApi: { key },
    createSubmission: {
      key: vsp.key,
      query: { declaration: 'file-upload-1' },
      headers: { 'content-type': 'text/csv' },
    },
    getSubmission: { key: vsp.key, params: { submission } },
    getReport: { key: vsp.key, params: { submission } },
    getSubmissionFile: { key: vsp.key, params: { submission } },
    registerSerials: { key },
    lookUpSerials: { key },
    getSerial: { key, params: { product: 'panel', serial: 'SM26000001' } },
    searchSerials: { key, query: { product: 'panel' } },
    createClaim: { key: agent },
    createClaimFile: { key: agent, headers: { 'content-type': 'text/csv' } },
    listClaims: { key: agent },
    getClaim: { key: agent, params: { claim: claim.body.id } },
    getClaimHistory: { key: agent, params: { claim: claims.passed } },
    withdrawClaim: { key: agent, params: { claim: claims.approved } },
    reassessClaim: { key: agent, params: { claim: claims.held } },
    ruleOnClaim: { key: regulator, params: { claim: claims.held } },
    auditClaim: { key: regulator, params: { claim: claims.approved } },
    registerCertificates: { key: regulator, params: { claim: claims.passed } },
    getRegisterActions: { query: { date: createdOn } },
    getRegisteredAgents: {},
    getCertificate: { key: agent, params: certificate },
    getUnit: { key: regulator, params: certificate },
    ruleOnModel: { key: regulator },
    ruleOnSerial: { key: regulator },
    ruleOnConflict: { key: regulator },
    listRulings: { key: regulator },
    listConflicts: { key: regulator },
    reportUnknownSerials: { key: regulator },
    explainSerial: { key, params: { product: 'panel', serial: 'SM26000001' } },
    listSilentHolders: { key: regulator },
  };
}

/** Claims in the states that they can be in, and a serial in conflict, as workers would have left them. */
async function decidedClaims(account: string) {
  const clickhouse = createClickhouse({ url: gateway.clickhouseUrl, database: 'ledger', log: silent });
  try {
    const stories = ['approved', 'held', 'passed'].map((name, i) =>
      decidedStory(solarFacts({ address: `${name} Street` }), {
        account,
        at: receivedAt,
        offset: 10 * (i + 1),
        passed: name === 'passed',
        ...(name === 'held' ? { change: { serial_evidence: [] } } : {}),
      }),
    );
    await writeDecided(clickhouse, stories.flat());
    await clickhouse.insertRows('serial_rows', [conflictRow('a', 1), conflictRow('b', 0)]);
    const [approved, held, passed] = stories.map(([first]) => first!);
    return {
      approved: approved!.claim,
      held: held!.claim,
      passed: passed!.claim,
      code: approved!.accreditation_code,
    };
  } finally {
    await clickhouse.close();
  }
}

function conflictRow(supplier: string, entry: number): object {
  return {
    product: 'panel',
    serial_key: 'SM26000001',
    serial: 'SM26000001',
    holder: 'Sunmaker Co Ltd',
    holder_key: 'SUNMAKER CO LTD',
    submission: randomUUID(),
    row: 1,
    entry,
    outcome: entry > 0 ? 'registered' : 'conflict',
    supplier,
    supplier_key: supplier,
  };
}

function upload({ key }: Member, more: CallOptions = {}) {
  return api.call('createSubmission', {
    key,
    query: { declaration: 'file-upload-1' },
    headers: { 'content-type': 'text/csv' },
    body: fileExample(),
    ...more,
  });
}

const fileExample = () => api.operation('createSubmission').body!['text/csv']!.example as string;

/** The request of a step, with the described example where it says nothing of a body. */
function requestOf({ id, body }: DescribedOperation): CallOptions {
  const example = body?.['application/json']?.example ?? body?.['text/csv']?.example;
  return example === undefined ? steps[id]! : { body: example as object, ...steps[id]! };
}

it('every operation goes well as described, with the example as it stands', async () => {
  expect(Object.keys(steps).sort()).toEqual([...api.operations.keys()].sort());
  for (const id of Object.keys(steps)) {
    const { status, text } = await api.call(id, requestOf(api.operation(id)));
    expect(status, `${id}: ${text}`).toBeLessThan(300);
  }
});

it('every body of JSON has its example', () => {
  const json = [...api.operations.values()].filter(({ body }) => body?.['application/json']);
  expect(json.filter(({ body }) => body!['application/json']!.example === undefined)).toEqual([]);
});

describe('what is wrong with a request is answered as described', () => {
  const each = (does: (operation: DescribedOperation, request: CallOptions) => Promise<void>) => async () => {
    for (const operation of api.operations.values()) await does(operation, requestOf(operation));
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
      for (const name of ['account', 'submission', 'application', 'user', 'claim', 'product', 'slot']) {
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
    body: fileExample(),
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
  const csv = () => new Blob([fileExample()], { type: 'text/csv' });
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
      body: fileExample(),
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
