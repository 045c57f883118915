import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#scripts/demo/client.ts';
import { createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { Casting, type Member } from '#test/support/cast.ts';
import { DescribedApi } from '#test/support/described-api.ts';
import { startTestFleet, type TestFleet, uniquePrefix } from '#test/support/fleet.ts';

const supplier = 'Newcomer Imports Pty Ltd';
const headings = 'Supplier name,Licensee/Certificate holder,Model number,Serial number';

let test: TestFleet;
/** Two gateways that share nothing but the log. */
let one: DescribedApi;
let two: DescribedApi;
let casting: Casting;
let regulator: string;
let newcomer: Required<Member>;
let vsp: Member;

beforeAll(async () => {
  test = await startTestFleet({ instances: { gateway: 2 } });
  const [first, second] = test.fleet.services.filter(({ service }) => service === 'gateway');
  one = await DescribedApi.open(first!.addresses.http!);
  two = await DescribedApi.open(second!.addresses.http!);
  casting = new Casting(one, test.operatorKey);
  regulator = (await casting.made('Regulator', 'regulator')).key;
  vsp = await casting.made('Verifier', 'vsp', []);
  newcomer = await casting.signedUp('Newcomer');
});
afterAll(() => test?.stop());

const prefix = uniquePrefix();
const listed = (i: number) => test.models[i]!;

function fileOf(
  rows: readonly { readonly model: number; readonly serial: string; readonly supplier?: string }[],
) {
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const lines = rows.map(({ model, serial, supplier: named = supplier }) =>
    [named, listed(model).holder, listed(model).model, `${prefix}${serial}`].map(cell).join(','),
  );
  return [headings, ...lines].join('\n');
}

function upload(key: string, csv: string) {
  return one.call('createSubmission', {
    key,
    query: { declaration: 'file-upload-1' },
    headers: { 'content-type': 'text/csv' },
    body: csv,
  });
}

/** What became of a file that was accepted, and the cells that the report names. */
async function outcomesOf(key: string, csv: string) {
  const accepted = await upload(key, csv);
  expect(accepted.status, accepted.text).toBe(202);
  const params = { submission: accepted.body.id };
  const { body } = await until(
    'the submission',
    () => one.call('getSubmission', { key, params }),
    (reply) => reply.body.state === 'final',
    60_000,
  );
  const { rows } = (await one.call('getReport', { key, params })).body;
  const cells = rows.map(({ outcome, column }: Record<string, string>) => `${outcome}: ${column}`);
  return { id: accepted.body.id as string, outcomes: body.outcomes, cells };
}

describe('from signing up to rows in the ledger', () => {
  it('a general account may not upload; one whose application waits is told so; once approved it may', async () => {
    const { key, account } = newcomer;
    const csv = fileOf([{ model: 0, serial: 'A1' }]);
    expect((await upload(key, csv)).body).toMatchObject({ status: 403, code: 'not_permitted' });
    const applied = await casting.applied(newcomer, ['supplier']);
    expect((await upload(key, csv)).body).toMatchObject({
      status: 403,
      code: 'application_pending',
      application: applied.body.id,
    });
    const waiting = (await one.call('listApplications', { key: regulator })).body.applications;
    expect(waiting).toMatchObject([
      { account, findings: [{ code: 'contact_differs' }, { code: 'cec_details_missing' }] },
    ]);
    const approved = await one.call('assessApplication', {
      key: regulator,
      params: { account, application: applied.body.id },
      body: { decision: 'approved' },
    });
    expect(approved.body).toMatchObject({ state: 'approved', assessed_by: expect.stringMatching(/^key:/) });
    // Without authority nothing is registered: importers that nobody knows can not supply (A9).
    expect(await outcomesOf(key, csv)).toMatchObject({
      outcomes: { supplier_not_authorised: 1 },
      cells: ['supplier_not_authorised: Supplier name'],
    });
  });

  it('rows within the authority are registered, others are an outcome of their own with the cell named', async () => {
    const { key, account } = newcomer;
    const today = sydneyDay(Date.now());
    const { holder, model } = listed(0);
    const other = test.models.findIndex((of) => of.holder === holder && of.model !== model);
    const stranger = test.models.findIndex((of) => of.holder !== holder);
    const granted = await one.call('grantAuthority', {
      key: regulator,
      params: { account },
      body: { supplier: supplier.toUpperCase(), holder, models: [model], from: today, to: today },
    });
    expect(granted.status, granted.text).toBe(201);
    const rows = [
      { model: 0, serial: 'B1' },
      { model: other, serial: 'B2' },
      { model: stranger, serial: 'B3' },
      { model: 0, serial: 'B4', supplier: 'Somebody Else Pty Ltd' },
    ];
    const { id, outcomes, cells } = await outcomesOf(key, fileOf(rows));
    expect(outcomes).toEqual({ registered: 1, supplier_not_authorised: 3 });
    expect(cells).toEqual([
      'supplier_not_authorised: Model number',
      'supplier_not_authorised: Licensee/Certificate holder',
      'supplier_not_authorised: Supplier name',
    ]);
    expect(await manifestOf(id)).toEqual({
      declaration: 'file-upload-1',
      declared_by: `user:${newcomer.user}`,
    });
  });

  it('a VSP uploads for who named it, until that is withdrawn; the same row is a duplicate', async () => {
    const { key, account } = newcomer;
    const provider = { key, params: { account, provider: vsp.account } };
    const rows = (serial: string) =>
      fileOf([
        { model: 0, serial: 'B1' },
        { model: 0, serial },
      ]);
    expect((await outcomesOf(vsp.key, rows('C1'))).outcomes).toEqual({ supplier_not_authorised: 2 });
    await one.call('nameProvider', provider);
    const own = await one.call('getAccount', { key: vsp.key, params: { account: vsp.account } });
    expect(own.body).toMatchObject({ serves: [{ account }], suppliers: [supplier.toUpperCase()] });
    expect((await outcomesOf(vsp.key, rows('C2'))).outcomes).toEqual({ duplicate: 1, registered: 1 });
    await one.call('withdrawProvider', provider);
    expect((await outcomesOf(vsp.key, rows('C3'))).outcomes).toEqual({ supplier_not_authorised: 2 });
  });

  it('an authority that has ended', async () => {
    const { key, account } = newcomer;
    const { authorities } = (await one.call('getAccount', { key, params: { account } })).body;
    const yesterday = sydneyDay(Date.now() - 24 * 3_600_000);
    await one.call('endAuthority', {
      key: regulator,
      params: { account, authority: authorities[0].id },
      body: { to: yesterday },
    });
    const { outcomes } = await outcomesOf(key, fileOf([{ model: 0, serial: 'D1' }]));
    expect(outcomes).toEqual({ supplier_not_authorised: 1 });
  });

  it('listed holders of whom nothing was ever registered', async () => {
    const { snapshot, holders } = (await one.call('listSilentHolders', { key: regulator })).body;
    const names = new Set(test.models.map(({ holder }) => holder.toUpperCase()));
    names.delete(listed(0).holder.toUpperCase());
    expect(snapshot).toMatch(/^panel/);
    expect(new Set(holders.map(({ holder }: { holder: string }) => holder.toUpperCase()))).toEqual(names);
    const inverters = await one.call('listSilentHolders', { key: regulator, query: { product: 'inverter' } });
    expect(inverters.body).toEqual({ snapshot: '', holders: [] });
  });
});

describe('two gateways', () => {
  it('keys are rotated one by one while the other one works at each', async () => {
    const { key, account, user } = newcomer;
    const made = await one.call('createSubscription', {
      key,
      params: { account },
      body: { name: 'nightly', terms: 'terms-of-use-1' },
    });
    const { subscription, primary_key, secondary_key } = made.body;

    await until(
      'the new key',
      () => two.call('whoAmI', { key: primary_key }),
      ({ status }) => status === 200,
      10_000,
    );

    const rotated = await one.call('rotateKey', {
      key: secondary_key,
      params: { account, subscription, slot: 'primary' },
    });
    // Both that should be known at this moment are, at the gateway that rotated.
    for (const live of [secondary_key, rotated.body.key]) {
      const me = await one.call('whoAmI', { key: live });
      expect(me.body).toMatchObject({ account, user: { id: user } });
    }
    expect((await one.call('whoAmI', { key: primary_key })).status).toBe(401);
    await until(
      'the end of the old key',
      () => two.call('whoAmI', { key: primary_key }),
      ({ status }) => status === 401,
      10_000,
    );
    for (const live of [secondary_key, rotated.body.key])
      expect((await two.call('whoAmI', { key: live })).status).toBe(200);

    const shown = await until(
      'the last use',
      async () => (await one.call('getAccount', { key, params: { account } })).body.subscriptions,
      (subscriptions) =>
        subscriptions
          .find(({ id }: { id: string }) => id === subscription)
          .keys.every(({ last_used_on }: { last_used_on?: string }) => last_used_on !== undefined),
      10_000,
    );
    expect(shown.find(({ id }: { id: string }) => id === subscription)).toMatchObject({
      name: 'nightly',
      user,
    });
  });

  it('of commands on one account at once, those that came later are told to look again; nothing is half done', async () => {
    const { key, account } = newcomer;
    const names = Array.from({ length: 6 }, (_, i) => `at once ${i}`);
    const replies = await Promise.all(
      names.map((name, i) =>
        (i % 2 === 0 ? one : two).call('createSubscription', {
          key,
          params: { account },
          body: { name, terms: 'terms-of-use-1' },
        }),
      ),
    );
    const made = names.filter((_, i) => replies[i]!.status === 201);
    expect(made.length).toBeGreaterThan(0);
    for (const { status, body } of replies) if (status !== 201) expect(body.code).toBe('account_changed');
    for (const api of [one, two]) {
      const shown = await until(
        'the subscriptions',
        async () => (await api.call('getAccount', { key, params: { account } })).body.subscriptions,
        (subscriptions) => subscriptions.length === made.length + 2,
        10_000,
      );
      const there = shown
        .map(({ name }: { name: string }) => name)
        .filter((name: string) => names.includes(name));
      expect(there.sort()).toEqual(made);
    }
  });

  it('the declaration for API users, made at one, is current at the other until its last day', async () => {
    const { key, user } = newcomer;
    expect((await one.call('getApiDeclaration', { key })).body).toEqual({ state: 'none' });
    const made = await one.call('declareForApi', { key, body: { declaration: 'api-users-1' } });
    expect(made.body).toMatchObject({ state: 'current', declared_by: `user:${user}` });
    expect(made.body.days_left).toBeGreaterThanOrEqual(89);
    const there = await until(
      'the declaration',
      () => two.call('getApiDeclaration', { key }),
      ({ body }) => body.state === 'current',
      10_000,
    );
    expect(there.body).toEqual(made.body);
  });
});

async function manifestOf(submission: string): Promise<object | undefined> {
  const clickhouse = createClickhouse({
    url: test.fleet.engines.urls.clickhouseUrl,
    database: 'ledger',
    log: pino({ level: 'silent' }),
  });
  try {
    const [manifest] = await clickhouse.query<object>(
      'SELECT declaration, declared_by FROM submissions WHERE submission = {submission:UUID}',
      { submission },
    );
    return manifest;
  } finally {
    await clickhouse.close();
  }
}
