import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Account, kindsOfWord } from './account.ts';
import { AccountBook } from './book.ts';
import type { AccountChange, AccountEvent, KeyUseChange, UserChange } from './events.ts';
import { applyEvent } from './fold.ts';
import { keyUseName } from './key-use.ts';
import { hashKey } from './keys.ts';

function event(
  account: string,
  version: number,
  change: AccountChange | UserChange | KeyUseChange,
  at = version + 1,
): AccountEvent {
  const data = JSON.stringify(change.data);
  return {
    event: `e-${account}-${version}-${data}`,
    account,
    version,
    kind: change.kind,
    at,
    by: 'user:r',
    data,
  };
}

const created = (account: string, version = 0, name = 'Acme') =>
  event(account, version, { kind: 'account_created', data: { name, kind: 'supplier', suppliers: [name] } });

const keyCreated = (account: string, version: number, key: string, user?: string) =>
  event(account, version, {
    kind: 'key_created',
    data: { key, label: key, sha256: hashKey(key), ...(user ? { user } : {}) },
  });

const keyRevoked = (account: string, version: number, key: string) =>
  event(account, version, { kind: 'key_revoked', data: { key } });

/** The account after these changes on a general account whose contact is `u`. */
function folded(...changes: readonly AccountChange[]): Account {
  const first = event('a', 0, {
    kind: 'account_created',
    data: { name: 'Acme', kind: 'general', suppliers: [], kinds: ['general'], contact: 'u' },
  });
  return [first, ...changes.map((change, i) => event('a', i + 1, change))].reduce<Account | undefined>(
    (account, next) => applyEvent(account, next),
    undefined,
  )!;
}

const subscribed: AccountChange = {
  kind: 'subscription_created',
  data: {
    subscription: 's',
    name: 'nightly',
    user: 'u',
    terms: 'terms-of-use-1',
    keys: [
      { key: 'k1', slot: 'primary', sha256: hashKey('k1') },
      { key: 'k2', slot: 'secondary', sha256: hashKey('k2') },
    ],
  },
};

const lodged: AccountChange = {
  kind: 'application_lodged',
  data: {
    application: 'x',
    kinds: ['general', 'vsp'],
    legal_name: 'Acme Pty Ltd',
    abn: '51824753556',
    contact: { name: 'Ann', email: 'ann@example.org', phone: '' },
  },
};

describe('an account and its keys', () => {
  test('made, used, revoked', () => {
    const book = new AccountBook();
    expect(book.apply(created('a'))).toBe(true);
    expect(book.apply(keyCreated('a', 1, 'k1'))).toBe(true);
    expect(book.apply(keyCreated('a', 2, 'k2'))).toBe(true);
    expect(book.identify(hashKey('k1'))).toMatchObject({ account: { id: 'a', version: 3 }, key: 'k1' });
    expect(book.apply(keyRevoked('a', 3, 'k1'))).toBe(true);
    expect(book.identify(hashKey('k1'))).toBeUndefined();
    expect(book.identify(hashKey('k2'))?.account.keys).toMatchObject([
      { id: 'k1', revokedAt: 4 },
      { id: 'k2' },
    ]);
  });

  test('what an earlier release wrote: one word of kind, names of suppliers, keys with labels', () => {
    const account = applyEvent(applyEvent(undefined, created('a')), keyCreated('a', 1, 'k1'))!;
    expect(account).toMatchObject({
      kinds: ['general', 'supplier', 'inverter_supplier'],
      authorities: [{ supplier: 'Acme' }],
      subscriptions: [{ id: 'k1', name: 'k1' }],
      keys: [{ id: 'k1', subscription: 'k1', slot: 'primary' }],
    });
    expect(account.authorities[0]).not.toHaveProperty('holder');
  });

  test('rotating one key ends that key alone; the user comes with both', () => {
    const book = new AccountBook();
    const rotated: AccountChange = {
      kind: 'key_rotated',
      data: { subscription: 's', slot: 'primary', key: 'k3', sha256: hashKey('k3') },
    };
    const before = folded();
    [created('a'), event('a', 1, subscribed), event('a', 2, rotated)].forEach((next) => {
      expect(book.apply(next)).toBe(true);
    });
    expect(before.version).toBe(1);
    expect(book.identify(hashKey('k1'))).toBeUndefined();
    for (const key of ['k2', 'k3'])
      expect(book.identify(hashKey(key))).toMatchObject({ account: { id: 'a' }, key, user: 'u' });
  });

  test('a subscription ends with all its keys', () => {
    const account = folded(subscribed, { kind: 'subscription_revoked', data: { subscription: 's' } });
    expect(account.subscriptions).toMatchObject([{ id: 's', revokedAt: 3 }]);
    expect(account.keys).toMatchObject([{ revokedAt: 3 }, { revokedAt: 3 }]);
  });

  test('a user who is removed takes the keys along, and nobody else’s', () => {
    const other: AccountChange = {
      kind: 'key_created',
      data: { key: 'k9', label: 'other', sha256: hashKey('k9') },
    };
    const account = folded(subscribed, other, { kind: 'user_removed', data: { user: 'u' } });
    expect(account.users).toEqual([]);
    expect(account.keys.filter(({ revokedAt }) => revokedAt === undefined).map(({ id }) => id)).toEqual([
      'k9',
    ]);
  });
});

describe('applications', () => {
  test('approved: the account gains the kinds and keeps what it had', () => {
    const before = folded(subscribed, lodged);
    expect(before).toMatchObject({ kinds: ['general'], applications: [{ id: 'x', lodgedBy: 'user:r' }] });
    const after = folded(subscribed, lodged, {
      kind: 'application_assessed',
      data: { application: 'x', decision: 'approved', reason: '' },
    });
    expect(after.kinds).toEqual(['general', 'vsp']);
    expect(after.applications[0]!.assessment).toEqual({
      decision: 'approved',
      reason: '',
      at: 4,
      by: 'user:r',
    });
    expect(after.keys).toEqual(before.keys);
  });

  test('refused: the kinds stay, the reason is kept; assessed once for ever', () => {
    const refused = { application: 'x', decision: 'refused', reason: 'unknown company' } as const;
    const approved = { application: 'x', decision: 'approved', reason: '' } as const;
    const account = folded(
      lodged,
      { kind: 'application_assessed', data: refused },
      { kind: 'application_assessed', data: approved },
    );
    expect(account).toMatchObject({
      version: 4,
      kinds: ['general'],
      applications: [{ assessment: { decision: 'refused', reason: 'unknown company' } }],
    });
  });
});

test('users, contact, authorities, providers, details, declarations', () => {
  const account = folded(
    { kind: 'user_permitted', data: { user: 'v', administrator: false } },
    { kind: 'user_permitted', data: { user: 'v', administrator: true } },
    { kind: 'contact_changed', data: { user: 'w' } },
    { kind: 'authority_granted', data: { authority: 'g', supplier: 'S', holder: 'H', models: ['M'] } },
    { kind: 'authority_ended', data: { authority: 'g', to: '2026-12-31' } },
    { kind: 'provider_named', data: { account: 'p' } },
    { kind: 'provider_named', data: { account: 'q' } },
    { kind: 'provider_withdrawn', data: { account: 'p' } },
    { kind: 'cec_details_recorded', data: { company_name: 'Acme Pty Ltd', abn: '51824753556' } },
    { kind: 'cec_details_recorded', data: { company_name: 'Acme Ltd' } },
    { kind: 'api_declaration_made', data: { text: 'api-users-1' } },
  );
  expect(account).toMatchObject({
    version: 12,
    contact: 'w',
    users: [
      { user: 'u', administrator: false },
      { user: 'v', administrator: true },
      { user: 'w', administrator: true },
    ],
    authorities: [
      { id: 'g', supplier: 'S', holder: 'H', models: ['M'], to: '2026-12-31', grantedBy: 'user:r' },
    ],
    providers: [{ account: 'q', namedAt: 8 }],
    cecDetails: {
      company_name: { value: 'Acme Ltd', confirmedAt: 11 },
      abn: { value: '51824753556', confirmedAt: 10 },
    },
    apiDeclarations: [{ text: 'api-users-1', at: 12, by: 'user:r' }],
  });
});

describe('versions', () => {
  test.each([
    ['a second creation', created('a', 0, 'Other')],
    ['a second creation that claims to know', created('a', 2, 'Other')],
    ['a command based on an older version', keyCreated('a', 1, 'late')],
    ['a command based on a version that is not there yet', keyCreated('a', 3, 'early')],
    ['a command on an account that is not there', keyCreated('b', 0, 'k')],
  ])('%s is stale', (_, stale) => {
    const book = new AccountBook();
    book.apply(created('a'));
    book.apply(keyCreated('a', 1, 'k1'));
    const before = book.get('a');
    expect(book.apply(stale)).toBe(false);
    expect(book.get('a')).toBe(before);
    expect(book.get('b')).toBeUndefined();
  });

  test('an event of a later release counts as a version', () => {
    const account = applyEvent(undefined, created('a'))!;
    const later = { ...keyCreated('a', 1, 'k'), kind: 'account_merged' };
    expect(applyEvent(account, later)).toEqual({ ...account, version: 2 });
    const book = new AccountBook();
    const user = event('u', 0, { kind: 'user_registered', data: { name: 'Ann', email: 'ann@example.org' } });
    for (const next of [user, { ...user, version: 1, kind: 'user_verified' }]) book.apply(next);
    expect(book.user('u')).toMatchObject({ name: 'Ann', version: 2 });
  });

  test('of commands based on one version, in any order, one wins, and copies change nothing', () => {
    const commands = [created('a'), ...['k1', 'k2', 'k3'].map((key) => keyCreated('a', 1, key))];
    const log = fc.array(fc.constantFrom(...commands), { maxLength: 12 });
    fc.assert(
      fc.property(log, (events) => {
        const book = new AccountBook();
        for (const next of events) book.apply(next);
        const keys = book.get('a')?.keys.map(({ id }) => id) ?? [];
        const first = events.findIndex(({ kind }) => kind === 'account_created');
        const winner = first < 0 ? undefined : events.slice(first).find(({ kind }) => kind === 'key_created');
        expect(keys).toEqual(winner ? [JSON.parse(winner.data).key] : []);
      }),
    );
  });

  test('the use of a key has versions of its own: it overtakes no command, and is overtaken by none', () => {
    const book = new AccountBook();
    const used = (version: number, day: string) =>
      event(keyUseName('k1'), version, { kind: 'key_used', data: { key: 'k1', day } });
    for (const next of [created('a'), keyCreated('a', 1, 'k1'), used(0, '2026-11-24')]) book.apply(next);
    expect(book.get('a')?.version).toBe(2);
    expect(book.apply(used(0, '2026-11-25'))).toBe(false);
    expect(book.apply(used(1, '2026-11-25'))).toBe(true);
    expect(book.keyUse('k1')?.day).toBe('2026-11-25');
  });
});

test('an account serves whoever named it, while both are what they must be', () => {
  const book = new AccountBook();
  const made = (id: string, kinds: Account['kinds']) =>
    event(id, 0, { kind: 'account_created', data: { name: id, kind: 'general', suppliers: [id], kinds } });
  book.apply(made('supplier', kindsOfWord('supplier')));
  book.apply(made('former', ['general']));
  book.apply(made('vsp', ['general', 'vsp']));
  for (const id of ['supplier', 'former'])
    book.apply(event(id, 1, { kind: 'provider_named', data: { account: 'vsp' } }));
  const served = () => book.servedBy(book.get('vsp')!).map(({ id }) => id);
  expect(served()).toEqual(['supplier']);
  const suppliers = () => book.authoritiesOf(book.get('vsp')!, '2026-11-24').map(({ supplier }) => supplier);
  expect(suppliers()).toEqual(['vsp', 'supplier']);
  expect(book.servedBy(book.get('supplier')!)).toEqual([]);
  book.apply(event('supplier', 2, { kind: 'provider_withdrawn', data: { account: 'vsp' } }));
  expect(served()).toEqual([]);
  expect(suppliers()).toEqual(['vsp']);
});
