import { randomUUID } from 'node:crypto';
import { createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Member } from './cast.ts';
import { createdOn, receivedAt, solarFacts } from './claims.ts';
import { decidedStory, writeDecided } from './decided-rows.ts';
import type { CallOptions, DescribedApi, DescribedOperation } from './described-api.ts';
import type { TestGateway } from './gateway.ts';
import { silent } from './stores.ts';

/**
 * For every operation a request that goes well: the described example as it stands wherever it can, in the situation that
 * it is meant for.
 */
export async function successes(gateway: TestGateway): Promise<Record<string, CallOptions>> {
  const { api, casting, operator } = gateway;
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
  const claims = await decidedClaims(gateway, agentAccount);
  const certificate = { code: claims.code, year: '2026', number: '1' };
  const spare = await casting.subscribed(admin, account, 'spare');
  await api.call('declareForApi', { key: vsp.key, body: api.example('declareForApi') });
  const streamed = await api.call('createStream', {
    key: vsp.key,
    headers: { 'content-type': 'text/csv', 'idempotency-key': 'shown' },
    body: api.operation('createStream').body!['text/csv']!.example as string,
  });
  const { id: stream } = streamed.lines![0] as { id: string };
  const uploaded = await upload(api, vsp);
  const submission = uploaded.body.id;
  const own = { key, params: { account } };
  return {
    getLimits: {},
    getReasons: {},
    getCatalogues: {},
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
    listSubmissions: { key: vsp.key },
    getSubmission: { key: vsp.key, params: { submission } },
    getReport: { key: vsp.key, params: { submission } },
    getSubmissionFile: { key: vsp.key, params: { submission } },
    registerSerials: { key },
    invalidateSerials: { key, headers: { 'idempotency-key': randomUUID() } },
    createStream: {
      key: vsp.key,
      headers: { 'content-type': 'text/csv', 'idempotency-key': randomUUID() },
    },
    getStream: { key: vsp.key, params: { stream } },
    listStreamSubmissions: { key: vsp.key, params: { stream } },
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
async function decidedClaims(gateway: TestGateway, account: string) {
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

function upload(api: DescribedApi, { key }: Member) {
  return api.call('createSubmission', {
    key,
    query: { declaration: 'file-upload-1' },
    headers: { 'content-type': 'text/csv' },
    body: fileExample(api),
  });
}

export const fileExample = (api: DescribedApi) =>
  api.operation('createSubmission').body!['text/csv']!.example as string;

/** The request of a step, with the described example where it says nothing of a body. */
export function requestOf(
  { id, body }: DescribedOperation,
  steps: Readonly<Record<string, CallOptions>>,
): CallOptions {
  const example = body?.['application/json']?.example ?? body?.['text/csv']?.example;
  return example === undefined ? steps[id]! : { body: example as object, ...steps[id]! };
}
