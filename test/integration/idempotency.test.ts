import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#scripts/demo/client.ts';
import { type CallOptions, DescribedApi, type DescribedOperation } from '#test/support/described-api.ts';
import { startTestGateway, type TestGateway } from '#test/support/gateway.ts';
import { requestOf, successes } from '#test/support/successes.ts';

let gateway: TestGateway;
/** Two gateways that share nothing but the log. */
let one: DescribedApi;
let two: DescribedApi;
let steps: Record<string, CallOptions>;

beforeAll(async () => {
  gateway = await startTestGateway({}, { gateway: 2, 'ledger-writer': 1 });
  one = gateway.api;
  two = await secondGateway();
  steps = await successes(gateway);
});
afterAll(() => gateway?.stop());

async function secondGateway(): Promise<DescribedApi> {
  const [, second] = gateway.fleet.services.filter(({ service }) => service === 'gateway');
  return DescribedApi.open(second!.addresses.http!);
}

const posts = () => [...one.operations.values()].filter(({ method }) => method === 'POST');
const keyed = () => posts().filter(({ asksOnly }) => !asksOnly);

/** Whose answers have keys in them, which are shown once. */
const showKeys = ['signUp', 'createSubscription', 'rotateKey', 'createKey'];

/** What becomes of claims and rulings is in the ledger once it is decided: until then another instance does not know of them (A2). */
const knownElsewhereLater = [
  'createClaim',
  'createClaimFile',
  'withdrawClaim',
  'reassessClaim',
  'ruleOnClaim',
  'auditClaim',
  'registerCertificates',
];

/** Another body, or another address, that would go well by itself. */
const others: Readonly<Record<string, (request: CallOptions) => CallOptions>> = {
  signUp: changed({ name: 'Somebody Else' }),
  createAccount: changed({ name: 'Somebody Else Pty Ltd' }),
  registerUser: changed({ name: 'Somebody Else' }),
  lodgeApplication: changed({ legal_name: 'Somebody Else Pty Ltd' }),
  assessApplication: changed({ decision: 'refused', reason: 'incomplete' }),
  grantAuthority: changed({ supplier: 'Somebody Else Pty Ltd' }),
  createSubscription: changed({ name: 'another' }),
  rotateKey: (request) => ({ ...request, params: { ...request.params, slot: 'primary' } }),
  createKey: changed({ label: 'another' }),
  declareForApi: changed({ declaration: 'api-users-0' }),
  createSubmission: (request) => ({ ...request, body: `${request.body}\r\n` }),
  createStream: (request) => ({ ...request, body: String(request.body).replace('DR54', 'DR55') }),
  registerSerials: (request) => {
    const { product, rows } = request.body as { product: string; rows: readonly object[] };
    return { ...request, body: { product, rows: rows.slice(1) } };
  },
  invalidateSerials: changed({ note: 'another' }),
  createClaim: changed({ owner: 'Somebody Else' }),
  createClaimFile: (request) => ({ ...request, body: `${request.body}\r\n` }),
  withdrawClaim: changed({ reason: 'another' }),
  reassessClaim: changed({ reason: 'another' }),
  ruleOnClaim: changed({ reason: 'another' }),
  auditClaim: changed({ reason: 'another' }),
  registerCertificates: changed({ reason: 'another' }),
  ruleOnModel: changed({ reason: 'another' }),
  ruleOnSerial: changed({ reason: 'another' }),
  ruleOnConflict: changed({ reason: 'another' }),
};

function changed(members: object): (request: CallOptions) => CallOptions {
  return (request) => ({ ...request, body: { ...(request.body as object), ...members } });
}

function withKey(request: CallOptions, key: string): CallOptions {
  return { ...request, headers: { ...request.headers, 'idempotency-key': key } };
}

/** What an answer says: of a stream, which submissions there are. */
function essence({ body, lines }: Awaited<ReturnType<DescribedApi['call']>>): unknown {
  const events = lines as readonly Record<string, unknown>[] | undefined;
  return events?.filter(({ event }) => event === 'submission').map(({ id, rows }) => ({ id, rows })) ?? body;
}

it('whatever is posted has an Idempotency-Key, unless it stores nothing', () => {
  expect(
    posts()
      .filter(({ isKeyed, asksOnly }) => isKeyed === asksOnly)
      .map(({ id }) => id),
  ).toEqual([]);
  expect(
    keyed()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(Object.keys(others).sort());
});

const each =
  (does: (operation: DescribedOperation, request: CallOptions, key: string) => Promise<void>) => async () => {
    for (const operation of keyed())
      await does(operation, requestOf(operation, steps), `${operation.id}-key`);
  };

describe('a request that comes again', () => {
  it(
    'gets the answer of the first time, at the instance that gave it',
    each(async ({ id }, request, key) => {
      const [first, again] = [
        await one.call(id, withKey(request, key)),
        await one.call(id, withKey(request, key)),
      ];
      expect([id, first.status < 300, first.text]).toEqual([id, true, first.text]);
      expect([id, again.status, essence(again)]).toEqual([id, first.status, essence(first)]);
    }),
  );

  it(
    'with another body is refused, wherever it comes',
    each(async ({ id }, request, key) => {
      for (const api of knownElsewhereLater.includes(id) ? [one] : [one, two]) {
        const { status, body, lines, text } = await api.call(id, withKey(others[id]!(request), key));
        const problem = (lines?.at(-1) as { code: string; status: number } | undefined) ?? body;
        expect([id, lines ? problem.status : status, problem.code, text]).toEqual([
          id,
          422,
          'idempotency_key_reused',
          text,
        ]);
      }
    }),
  );

  it(
    'gets the same answer elsewhere; keys are not shown there, and it is said what to do',
    each(async ({ id }, request, key) => {
      const first = await one.call(id, withKey(request, key));
      const again = await two.call(id, withKey(request, key));
      if (!showKeys.includes(id)) {
        expect([id, again.status, essence(again)]).toEqual([id, first.status, essence(first)]);
        return;
      }
      const { account, subscription } = again.body;
      expect([id, again.status, again.body.code]).toEqual([id, 409, 'keys_shown_before']);
      expect(account).toBe(first.body.account ?? request.params?.account);
      if (first.body.subscription) expect(subscription).toBe(first.body.subscription);
    }),
  );

  it('a key of one account is not that of another', async () => {
    const key = randomUUID();
    const body = { label: 'mine' };
    const accounts = await Promise.all(['A', 'B'].map((name) => gateway.casting.made(name, 'supplier')));
    const upload = ({ key: secret }: { key: string }) =>
      one.call('declareForApi', withKey({ key: secret, body: one.example('declareForApi') }, key));
    const answers = [];
    for (const account of accounts) answers.push(await upload(account));
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(body.label).toBe('mine');
  });
});

describe('two at once', () => {
  it('at two gateways make one account, one person, one authority, one subscription', async () => {
    const admin = await gateway.casting.signedUp('Dee');
    const { regulator } = { regulator: steps.grantAuthority!.key };
    await until(
      'the new key at the other gateway',
      () => two.call('whoAmI', { key: admin.key }),
      ({ status }) => status === 200,
      10_000,
    );
    const own = { key: admin.key, params: { account: admin.account } };
    const requests: Record<string, CallOptions> = {
      createAccount: { key: gateway.operator, body: { name: 'Once Pty Ltd', kind: 'supplier' } },
      registerUser: { key: gateway.operator, body: one.example('registerUser') },
      grantAuthority: { key: regulator, params: own.params, body: { supplier: 'Once Pty Ltd' } },
      createSubscription: { ...own, body: { name: 'once', terms: 'terms-of-use-1' } },
    };
    for (const [id, request] of Object.entries(requests)) {
      const key = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? one : two).call(id, withKey(request, key))),
      );
      const made = answers.filter(({ status }) => status === 201);
      const ids = new Set(made.map(({ body }) => body.id ?? body.subscription));
      expect([id, ids.size, made.length > 0]).toEqual([id, 1, true]);
      for (const { status, body } of answers)
        if (status !== 201) expect([id, body.code]).toEqual([id, 'keys_shown_before']);
    }
    const shown = (await one.call('getAccount', own)).body;
    expect(shown.subscriptions.filter(({ name }: { name: string }) => name === 'once')).toHaveLength(1);
    expect(
      shown.authorities.filter(({ supplier }: { supplier: string }) => supplier === 'Once Pty Ltd'),
    ).toHaveLength(1);
    const { accounts } = (await one.call('listAccounts', { key: regulator })).body;
    expect(accounts.filter(({ name }: { name: string }) => name === 'Once Pty Ltd')).toHaveLength(1);
  });
});

it('after a restart nothing is forgotten, and no key is written down', async () => {
  const request = { key: gateway.operator, body: { name: 'Kept Pty Ltd', kind: 'supplier' } };
  const first = await one.call('createAccount', withKey(request, 'kept'));
  const account = { key: gateway.operator, params: { account: first.body.id }, body: { label: 'kept' } };
  const { body: made } = await one.call('createKey', withKey(account, 'kept-key'));
  const old = gateway.fleet.services.find(({ name }) => name === 'gateway-2')!;
  await old.process.stop(15_000);
  await gateway.fleet.startService('gateway', 2);
  two = await secondGateway();
  const again = await two.call('createAccount', withKey(request, 'kept'));
  expect([again.status, again.body]).toEqual([first.status, first.body]);
  const other = await two.call('createAccount', withKey(changed({ name: 'Other' })(request), 'kept'));
  expect(other.body.code).toBe('idempotency_key_reused');
  const shown = await two.call('createKey', withKey(account, 'kept-key'));
  expect(shown.body).toMatchObject({ code: 'keys_shown_before', account: first.body.id });
  expect(gateway.logged()).not.toContain(made.key);
});
