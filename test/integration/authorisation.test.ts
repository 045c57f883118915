import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '#gateway/accounts/keys.ts';
import { authorisation, outcomeOf, type Role, roles } from '#test/support/authorisation-table.ts';
import type { Member } from '#test/support/cast.ts';
import type { CallOptions, DescribedApi, Reply } from '#test/support/described-api.ts';
import { startTestGateway, type TestGateway } from '#test/support/gateway.ts';

let gateway: TestGateway;
let api: DescribedApi;
let cast: Record<Role, Member | { key: string | undefined; account?: undefined }>;
/** Somebody else's things, of every kind that an address can name. */
let theirs: Record<string, string>;

beforeAll(async () => {
  gateway = await startTestGateway({ LOG_LEVEL: 'trace' });
  api = gateway.api;
  cast = await castOf(gateway);
  theirs = await victimOf(gateway);
});
afterAll(() => gateway?.stop());

async function castOf({ casting, operator }: TestGateway): Promise<typeof cast> {
  const regulator = await casting.made('Regulator', 'regulator');
  const administrator = await casting.signedUp('Administrator');
  await casting.upgraded(administrator, ['supplier'], regulator.key);
  const guest = await casting.signedUp('Guest');
  const { account, key } = administrator;
  await api.call('permitUser', {
    key,
    params: { account, user: guest.user },
    body: { administrator: false },
  });
  const pending = await casting.signedUp('Pending');
  await casting.applied(pending, ['vsp']);
  const stranger = newKey().text;
  casting.keys.push(stranger);
  return {
    nobody: { key: undefined },
    stranger: { key: stranger },
    general: await casting.signedUp('General'),
    pending,
    administrator,
    user: await casting.subscribed(guest, account),
    key: { account, key: await casting.given(account) },
    vsp: await casting.made('Verifier', 'vsp', ['Acme']),
    inverters: await casting.made('Inverters', 'inverter_supplier'),
    agent: await casting.made('Agent', 'agent'),
    regulator,
    operator: { key: operator, account: (await api.call('whoAmI', { key: operator })).body.account },
  };
}

/** A supplier with everything that an account can have, a submission and a claim. */
async function victimOf({ casting }: TestGateway): Promise<typeof theirs> {
  const regulator = cast.regulator.key!;
  const victim = await casting.signedUp('Victim');
  await casting.upgraded(victim, ['supplier', 'agent'], regulator);
  const { account, key, user, subscription } = victim;
  const provider = cast.vsp.account!;
  await api.call('nameProvider', { key, params: { account, provider } });
  const authority = await api.call('grantAuthority', {
    key: regulator,
    params: { account },
    body: { supplier: 'Victim Pty Ltd' },
  });
  const csv = 'Supplier name,Licensee/Certificate holder,Model number,Serial number\nVictim Pty Ltd,H,M,S\n';
  const submission = await api.call('createSubmission', {
    key,
    query: { declaration: 'file-upload-1' },
    headers: { 'content-type': 'text/csv' },
    body: csv,
  });
  expect(submission.status, submission.text).toBe(202);
  await api.call('declareForApi', { key, body: api.example('declareForApi') });
  const streamed = await api.call('createStream', {
    key,
    headers: { 'content-type': 'text/csv', 'idempotency-key': 'victim' },
    body: csv,
  });
  const claim = await api.call('createClaim', { key, body: api.example('createClaim') });
  const shown = (await api.call('getAccount', { key, params: { account } })).body;
  return {
    account,
    user,
    subscription,
    provider,
    key: shown.subscriptions[0].keys[0].id,
    application: shown.applications[0].id,
    authority: authority.body.id,
    submission: submission.body.id,
    stream: (streamed.lines![0] as { id: string }).id,
    claim: claim.body.id,
    slot: 'primary',
    product: 'panel',
    serial: 'S',
    ...certificate,
  };
}

const certificate = { code: 'SGUS99999999', year: '2026', number: '1' };

/** One's own account, and names that are nobody's. */
function ownParams(role: Role): Record<string, string> {
  return { ...nobodys(), account: cast[role].account ?? randomUUID() };
}

function nobodys(): Record<string, string> {
  return {
    account: randomUUID(),
    user: randomUUID(),
    subscription: randomUUID(),
    provider: randomUUID(),
    key: '0123456789ab',
    application: randomUUID(),
    authority: randomUUID(),
    submission: randomUUID(),
    stream: randomUUID(),
    claim: `${'1'.repeat(20)}-${'1'.repeat(16)}`,
    slot: 'primary',
    product: 'panel',
    serial: 'S',
    ...certificate,
  };
}

async function ask(operation: string, role: Role, params: Record<string, string>): Promise<Reply> {
  const request: CallOptions = authorisation[operation]?.request ?? {};
  return api.call(operation, { ...request, params, key: cast[role].key });
}

it('every operation of the running gateway is in the table, and nothing else', () => {
  expect(Object.keys(authorisation).sort()).toEqual([...api.operations.keys()].sort());
});

describe.each(roles)('%s', (role) => {
  it.each(Object.keys(authorisation))('%s', async (operation) => {
    const { status, body } = await ask(operation, role, ownParams(role));
    expect(status < 300 ? status : body.code).toBe(outcomeOf(operation, role));
  });
});

describe('what is another account’s is as if it were not there', () => {
  const members = roles.filter((role) => !['nobody', 'stranger', 'regulator', 'operator'].includes(role));

  it.each(members)('%s: the same answer for theirs and for nobody’s', async (role) => {
    const operations = [...api.operations.values()].filter(({ path }) =>
      /\{(account|submission|claim)\}/.test(path),
    );
    expect(operations.length).toBeGreaterThan(15);
    for (const { id } of operations) {
      const [found, missing] = [await ask(id, role, theirs), await ask(id, role, nobodys())];
      expect({ id, status: found.status, ...withoutCorrelation(found) }).toEqual({
        id,
        status: missing.status,
        ...withoutCorrelation(missing),
      });
      expect(found.status, id).toBeGreaterThanOrEqual(400);
    }
  });

  it('their parts under one’s own address neither', async () => {
    const { account } = cast.administrator as Member;
    for (const id of ['removeUser', 'rotateKey', 'revokeSubscription', 'revokeKey', 'withdrawProvider']) {
      const [found, missing] = [
        await ask(id, 'administrator', { ...theirs, account }),
        await ask(id, 'administrator', { ...nobodys(), account }),
      ];
      expect({ id, ...withoutCorrelation(found) }).toEqual({ id, ...withoutCorrelation(missing) });
      expect(missing.status, id).toBe(404);
    }
  });

  it('and it is there, untouched, for its own', async () => {
    const key = gateway.casting.keys.find((text) => text.includes(theirs.key!))!;
    const { body } = await api.call('getAccount', { key, params: { account: theirs.account! } });
    expect(body).toMatchObject({
      users: [{ id: theirs.user }],
      providers: [{ account: theirs.provider }],
      authorities: [{ id: theirs.authority }],
    });
    const submission = await api.call('getSubmission', { key, params: { submission: theirs.submission! } });
    expect(submission.status).toBe(200);
  });
});

describe('within one’s own account', () => {
  it('a regulator makes accounts, but none of the agency’s', async () => {
    for (const kind of ['operator', 'regulator']) {
      const { body } = await api.call('createAccount', {
        key: cast.regulator.key,
        body: { name: 'A', kind },
      });
      expect(body).toMatchObject({ code: 'not_permitted', permitted: ['operator'] });
    }
  });

  it('keys are shown to their owner alone: an administrator ends the subscription of a user, and sees none', async () => {
    const { account, subscription, key } = cast.user as Required<Member>;
    const rotate = { params: { account, subscription, slot: 'secondary' } };
    expect((await api.call('rotateKey', { ...rotate, key: cast.administrator.key })).body.code).toBe(
      'owner_needed',
    );
    const rotated = await api.call('rotateKey', { ...rotate, key });
    expect(rotated.status).toBe(201);
    expect(rotated.headers.get('cache-control')).toBe('no-store');
    gateway.casting.keys.push(rotated.body.key);
    const revoke = {
      params: { account, subscription: (cast.administrator as Required<Member>).subscription },
    };
    expect((await api.call('revokeSubscription', { ...revoke, key })).body.code).toBe('administrator_needed');
    const administrator = await api.call('revokeSubscription', { ...rotate, key: cast.administrator.key });
    expect(administrator.status).toBe(204);
    for (const ended of [key, rotated.body.key])
      expect((await api.call('whoAmI', { key: ended })).body.code).toBe('credentials_unknown');
  });
});

describe('credentials', () => {
  it.each([
    ['Ocp-Apim-Subscription-Key', (key: string) => ({ 'ocp-apim-subscription-key': key })],
    ['Bearer, whatever its case', (key: string) => ({ authorization: `bearer ${key}` })],
    [
      'both, the same',
      (key: string) => ({ authorization: `Bearer ${key}`, 'ocp-apim-subscription-key': key }),
    ],
  ])('%s', async (_, headers) => {
    expect((await api.call('whoAmI', { headers: headers(cast.vsp.key!) })).status).toBe(200);
  });

  it('two different keys are as good as none', async () => {
    const headers = { authorization: `Bearer ${cast.vsp.key}`, 'ocp-apim-subscription-key': cast.agent.key! };
    expect((await api.call('whoAmI', { headers })).body.code).toBe('credentials_missing');
  });

  it('no key that was ever shown or tried is in the log, wherever a client puts it', async () => {
    const { key } = cast.agent;
    await api.call('whoAmI', { key: `${key}x` });
    await fetch(`${api.url}/v1/me?subscription-key=${key}`);
    await fetch(`${api.url}/v1/${key}`, { headers: { authorization: `Basic ${btoa(`a:${key}`)}` } });
    await fetch(`${api.url}/v1/claims`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: `{"key": "${key}"`,
    });
    const logged = gateway.logged();
    expect(logged).toContain('submission accepted');
    expect(gateway.casting.keys.length).toBeGreaterThan(15);
    const secrets = gateway.casting.keys.map((text) => text.replace(/^slk_[^_]+_/, ''));
    expect(secrets.filter((secret) => secret.length < 40 || logged.includes(secret))).toEqual([]);
    expect(logged).not.toMatch(/slk_\w+_/);
  });
});

function withoutCorrelation({ text, body }: Reply): object {
  if (body === undefined) return { text };
  const { correlation: _, ...rest } = body;
  return rest;
}
