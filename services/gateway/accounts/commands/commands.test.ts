import { describe, expect, test } from 'vitest';
import { type Account, type AccountKind, isAdministrator } from '#gateway/accounts/account.ts';
import type { Accounts } from '#gateway/accounts/accounts.ts';
import { applicationFindings } from '#gateway/accounts/application-findings.ts';
import { accepted, TestLog } from '#test/support/accounts.ts';
import { assessApplication, lodgeApplication } from './applications.ts';
import { endAuthority, grantAuthority, nameProvider, withdrawProvider } from './authorities.ts';
import type { Command } from './command.ts';
import { declareForApi, recordCecDetails } from './details.ts';
import { openSubscription, revokeSubscription, rotateKey, subscriptionsMax } from './subscriptions.ts';
import { changeContact, permitUser, removeUser } from './users.ts';

interface World {
  readonly log: TestLog;
  readonly accounts: Accounts;
  readonly contact: string;
  readonly account: Account;
  /** Carries a command out and gives the refusal's code, or the account afterwards. */
  run(command: Command, id?: string): Promise<{ refused?: string; account: Account }>;
}

async function world(kinds: readonly AccountKind[] = ['general']): Promise<World> {
  const log = new TestLog();
  const accounts = log.instance();
  const { id: contact } = await accounts.registerUser({ name: 'Ann', email: 'ann@example.org' });
  const account = await accepted(accounts.create({ name: 'Acme', kinds, suppliers: [], contact }, 'op'));
  const run = async (command: Command, id = account.id) => {
    const answer = await accounts.change(id, command, 'user:x');
    const after = accounts.get(id)!;
    return 'refused' in answer ? { ...answer, account: after } : { account: after };
  };
  return { log, accounts, contact, account, run };
}

const given = {
  kinds: ['general', 'vsp'] as readonly AccountKind[],
  legalName: 'Acme Pty Ltd',
  abn: '51 824 753 556',
  contact: { name: 'Ann', email: 'ann@example.org', phone: '02 5550 0000' },
};
const lodge = (more: Partial<typeof given> = {}) => lodgeApplication({ ...given, ...more }, 365);
const details = {
  company_name: 'ACME  pty ltd',
  abn: '51824753556',
  brands: [{ brand: 'Sun', models: ['S-1'] }],
  contact: given.contact,
};

describe('applications', () => {
  test.each([
    ['general account de-selected', { kinds: ['vsp'] }, 'general_account_missing'],
    ['an ABN with a wrong digit', { abn: '51 824 753 557' }, 'abn_invalid'],
    ['nothing new asked for', { kinds: ['general'] }, 'kinds_held'],
    [
      'inverters without details of the CEC',
      { kinds: ['general', 'inverter_supplier'] },
      'cec_details_incomplete',
    ],
  ] as const)('%s: %o is %s', async (_, more, refused) => {
    const { run, log } = await world();
    const written = log.events.length;
    expect(await run(lodge(more))).toMatchObject({ refused });
    expect(log.events).toHaveLength(written);
  });

  test('lodged, waits, a second has to wait for it; approved by whom and when is kept', async () => {
    const { run, log } = await world();
    const { account } = await run(lodge());
    const { id } = account.applications[0]!;
    expect(account).toMatchObject({ kinds: ['general'], applications: [{ abn: '51824753556' }] });
    expect(await run(lodge({ kinds: ['general', 'agent'] }))).toMatchObject({
      refused: 'application_open',
      facts: { application: id },
    });
    log.now += 1_000;
    const approved = await run(assessApplication(id, 'approved', ''));
    expect(approved.account).toMatchObject({
      kinds: ['general', 'vsp'],
      applications: [{ assessment: { decision: 'approved', by: 'user:x', at: log.now } }],
    });
    expect(await run(assessApplication(id, 'refused', 'late'))).toMatchObject({
      refused: 'application_assessed',
      facts: { decision: 'approved' },
    });
    expect(await run(lodge({ kinds: ['general', 'vsp'] }))).toMatchObject({ refused: 'kinds_held' });
  });

  test('a refusal needs its reason, and the way is free for another application', async () => {
    const { run } = await world();
    const { id } = (await run(lodge())).account.applications[0]!;
    expect(await run(assessApplication(id, 'refused', '  '))).toMatchObject({
      refused: 'refusal_without_reason',
    });
    const { account } = await run(assessApplication(id, 'refused', 'not known to the CEC'));
    expect(account.kinds).toEqual(['general']);
    expect((await run(lodge())).account.applications).toHaveLength(2);
    expect(await run(assessApplication('other', 'approved', ''))).toMatchObject({
      refused: 'resource_not_found',
    });
  });

  test('inverters: missing and stale details are named, then it goes on', async () => {
    const { run, log } = await world();
    const inverters = () => run(lodge({ kinds: ['general', 'inverter_supplier'] }));
    await run(recordCecDetails({ company_name: 'Acme', abn: '51824753556' }));
    expect(await inverters()).toMatchObject({ facts: { missing: ['brands', 'contact'], stale: [] } });
    log.now += 366 * 24 * 3_600_000;
    await run(recordCecDetails({ brands: details.brands, contact: details.contact }));
    expect(await inverters()).toMatchObject({ facts: { missing: [], stale: ['company_name', 'abn'] } });
    await run(recordCecDetails(details));
    expect((await inverters()).account.applications).toHaveLength(1);
  });

  test('what the assessor should look at', async () => {
    const { run, accounts, log } = await world();
    const codes = async () => {
      const account = accounts.get((await run(() => undefined)).account.id)!;
      const application = account.applications.at(-1)!;
      const options = { now: log.now, detailsDaysMax: 365 };
      return applicationFindings(account, application, accounts.book, options).map(({ code }) => code);
    };
    await run(recordCecDetails(details));
    await run(lodge());
    expect(await codes()).toEqual([]);
    const other = await accepted(accounts.create({ name: 'Other', kinds: ['general'], suppliers: [] }, 'op'));
    await run(lodge(), other.id);
    await run(recordCecDetails({ company_name: 'Acme Holdings', abn: '53004085616' }));
    await run(assessApplication(accounts.get(other.id)!.applications[0]!.id, 'refused', 'no'), other.id);
    await run(changeContact((await accounts.registerUser({ name: 'Bo', email: 'bo@example.org' })).id));
    expect(await codes()).toEqual([
      'legal_name_differs',
      'abn_differs',
      'contact_differs',
      'abn_used_elsewhere',
    ]);
    log.now += 400 * 24 * 3_600_000;
    expect(await codes()).toContain('cec_details_stale');
  });
});

describe('users', () => {
  test('only once the account was assessed, only who has signed up, the contact never removed', async () => {
    const { run, accounts, contact } = await world();
    const { id: user } = await accounts.registerUser({ name: 'Bo', email: 'bo@example.org' });
    expect(await run(permitUser(user, false))).toMatchObject({ refused: 'users_before_assessment' });
    const { id } = (await run(lodge())).account.applications[0]!;
    expect(await run(permitUser(user, false))).toMatchObject({ refused: 'users_before_assessment' });
    await run(assessApplication(id, 'approved', ''));

    expect(await run(permitUser('nobody', true))).toMatchObject({ refused: 'user_unknown' });
    const added = (await run(permitUser(user, false))).account;
    expect([isAdministrator(added, user), isAdministrator(added, contact)]).toEqual([false, true]);
    const promoted = (await run(permitUser(user, true))).account;
    expect(isAdministrator(promoted, user)).toBe(true);
    expect(promoted.users).toHaveLength(2);

    expect(await run(removeUser(contact))).toMatchObject({ refused: 'contact_stays' });
    expect(await run(removeUser('nobody'))).toMatchObject({ refused: 'resource_not_found' });
    await run(changeContact(user));
    expect((await run(removeUser(contact))).account.users.map((of) => of.user)).toEqual([user]);
    expect(await run(changeContact('nobody'))).toMatchObject({ refused: 'user_unknown' });
  });
});

describe('authority', () => {
  test('granted with days, ended on a day, named by its id', async () => {
    const { run, log } = await world(['general', 'supplier']);
    expect(
      await run(grantAuthority({ supplier: 'S', from: '2026-02-01', to: '2026-01-31' }, log.now)),
    ).toMatchObject({ refused: 'period_invalid' });
    const { account } = await run(grantAuthority({ supplier: 'S', holder: 'H' }, log.now));
    const granted = account.authorities.at(-1)!;
    expect(granted).toMatchObject({ supplier: 'S', holder: 'H', grantedBy: 'user:x' });
    const ended = (await run(endAuthority(granted.id, '2026-11-30'))).account;
    expect(ended.authorities.at(-1)).toMatchObject({ to: '2026-11-30' });
    expect(await run(endAuthority('other', '2026-11-30'))).toMatchObject({ refused: 'resource_not_found' });
  });

  test('a provider must be a VSP; what is none is as unknown as what is not there', async () => {
    const { run, accounts, account } = await world(['general', 'supplier']);
    const make = async (kinds: readonly AccountKind[]) =>
      (await accepted(accounts.create({ name: 'Other', kinds, suppliers: [] }, 'op'))).id;
    const [vsp, supplier] = [await make(['general', 'vsp']), await make(['general', 'supplier'])];
    const unknown = await run(nameProvider('nobody'));
    expect(unknown).toMatchObject({ refused: 'resource_not_found' });
    expect(await run(nameProvider(supplier))).toEqual(unknown);
    expect((await run(nameProvider(vsp))).account.providers).toMatchObject([{ account: vsp }]);
    expect(accounts.book.servedBy(accounts.get(vsp)!)).toMatchObject([{ id: account.id }]);
    await run(withdrawProvider(vsp));
    expect(accounts.book.servedBy(accounts.get(vsp)!)).toEqual([]);
    expect(await run(withdrawProvider(vsp))).toMatchObject({ refused: 'resource_not_found' });
  });
});

describe('subscriptions', () => {
  const open = (log: TestLog, name: string, terms = 'terms-of-use-1') =>
    openSubscription({ name, user: 'u', terms }, log.now);

  test('a name of its own, terms agreed to; both keys work, and each is rotated alone', async () => {
    const { run, log, accounts } = await world();
    for (const terms of ['', 'terms-of-use-0'])
      expect(await run(open(log, 'nightly', terms).command)).toMatchObject({
        refused: 'terms_not_agreed',
        facts: { terms: 'terms-of-use-1' },
      });
    const { command, subscription, keys } = open(log, 'nightly');
    await run(command);
    expect(await run(open(log, ' NIGHTLY').command)).toMatchObject({ refused: 'subscription_name_taken' });
    const [primary, secondary] = [keys.primary!.text, keys.secondary!.text];
    for (const key of [primary, secondary]) expect(accounts.identify(key)).toMatchObject({ user: 'u' });

    const rotated = rotateKey(subscription, 'primary');
    await run(rotated.command);
    const next = rotated.keys.primary!.text;
    expect([primary, secondary, next].map((key) => accounts.identify(key)?.user)).toEqual([
      undefined,
      'u',
      'u',
    ]);
    await run(revokeSubscription(subscription));
    for (const key of [secondary, next]) expect(accounts.identify(key)).toBeUndefined();
    expect(await run(rotateKey(subscription, 'primary').command)).toMatchObject({
      refused: 'resource_not_found',
    });
    await run(open(log, 'nightly').command);
    expect(JSON.stringify(log.events)).not.toMatch(/slk_/);
  });

  test('there is an end to them', async () => {
    const { run, log } = await world();
    for (let i = 0; i < subscriptionsMax; i++) await run(open(log, `no ${i}`).command);
    expect(await run(open(log, 'one more').command)).toMatchObject({ refused: 'subscriptions_too_many' });
  });
});

test('a declaration for API users is made in today’s wording, by whom and when is kept', async () => {
  const { run, log } = await world(['general', 'vsp']);
  expect(await run(declareForApi('api-users-0'))).toMatchObject({
    refused: 'declaration_not_current',
    facts: { current: 'api-users-1' },
  });
  expect(await run(declareForApi('file-upload-1'))).toMatchObject({ refused: 'declaration_not_current' });
  const { account } = await run(declareForApi('api-users-1'));
  expect(account.apiDeclarations).toEqual([{ text: 'api-users-1', at: log.now, by: 'user:x' }]);
});
