import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRefusal } from '#gateway/refusal.ts';
import { type Account, type AccountEvent, applyEvent, supplierTest } from './account.ts';
import { Accounts } from './accounts.ts';
import { AccountBook } from './book.ts';
import { hashKey, newKey } from './keys.ts';

function created(account: string, version = 0, name = 'Acme'): AccountEvent {
  const data = JSON.stringify({ name, kind: 'supplier', suppliers: [name] });
  return { event: `e-${account}-${name}`, account, version, kind: 'account_created', at: 1, by: 'op', data };
}

function keyCreated(account: string, version: number, key: string): AccountEvent {
  const data = JSON.stringify({ key, label: key, sha256: hashKey(key) });
  return { event: `e-${key}`, account, version, kind: 'key_created', at: 2, by: 'op', data };
}

function keyRevoked(account: string, version: number, key: string): AccountEvent {
  return {
    event: `r-${key}`,
    account,
    version,
    kind: 'key_revoked',
    at: 3,
    by: 'op',
    data: JSON.stringify({ key }),
  };
}

describe('the fold', () => {
  test('an account, its keys, their end', () => {
    const book = new AccountBook();
    expect(book.apply(created('a'))).toBe(true);
    expect(book.apply(keyCreated('a', 1, 'k1'))).toBe(true);
    expect(book.apply(keyCreated('a', 2, 'k2'))).toBe(true);
    expect(book.identify(hashKey('k1'))).toMatchObject({ account: { id: 'a', version: 3 }, key: 'k1' });
    expect(book.apply(keyRevoked('a', 3, 'k1'))).toBe(true);
    expect(book.identify(hashKey('k1'))).toBeUndefined();
    expect(book.identify(hashKey('k2'))?.account.keys).toMatchObject([
      { id: 'k1', revokedAt: 3 },
      { id: 'k2' },
    ]);
  });

  test.each([
    ['a second creation', created('a', 0, 'Other')],
    ['a second creation that claims to know', created('a', 2, 'Other')],
    ['a command based on an older version', keyCreated('a', 1, 'late')],
    ['a command based on a version that is not there yet', keyCreated('a', 3, 'early')],
    ['a command on an account that is not there', keyCreated('b', 0, 'k')],
  ])('%s is stale', (_, event) => {
    const book = new AccountBook();
    book.apply(created('a'));
    book.apply(keyCreated('a', 1, 'k1'));
    const before = book.get('a');
    expect(book.apply(event)).toBe(false);
    expect(book.get('a')).toBe(before);
    expect(book.get('b')).toBeUndefined();
  });

  test('an event of a later release counts as a version', () => {
    const account = applyEvent(undefined, created('a')) as Account;
    const event = { ...keyCreated('a', 1, 'k'), kind: 'authority_extended' };
    expect(applyEvent(account, event)).toEqual({ ...account, version: 2 });
  });

  test('of commands based on one version, in any order, one wins, and copies change nothing', () => {
    const commands = [created('a'), ...['k1', 'k2', 'k3'].map((key) => keyCreated('a', 1, key))];
    const log = fc.array(fc.constantFrom(...commands), { maxLength: 12 });
    fc.assert(
      fc.property(log, (events) => {
        const book = new AccountBook();
        for (const event of events) book.apply(event);
        const account = book.get('a');
        const first = events.findIndex(({ kind }) => kind === 'account_created');
        const winner = first < 0 ? undefined : events.slice(first).find(({ kind }) => kind === 'key_created');
        expect(account?.keys.map(({ id }) => `e-${id}`) ?? []).toEqual(winner ? [winner.event] : []);
      }),
    );
  });
});

test('names of suppliers compare as all texts do', () => {
  const account = applyEvent(undefined, created('a', 0, 'Acme  imports')) as Account;
  expect(supplierTest(account)('ACME IMPORTS')).toBe(true);
  expect(supplierTest(account)('ACME')).toBe(false);
});

test('a key is long, random and told by its prefix', () => {
  const keys = Array.from({ length: 20 }, newKey);
  for (const key of keys) {
    expect(key.text).toMatch(new RegExp(`^slk_${key.id}_[A-Za-z0-9_-]{43}$`));
    expect(key.sha256).toBe(hashKey(key.text));
  }
  expect(new Set(keys.map(({ text }) => text)).size).toBe(20);
});

/** A log that delivers what was appended to every instance, in one order, and lets a test come in between. */
class TestLog {
  readonly events: AccountEvent[] = [];
  readonly instances: Accounts[] = [];
  before: (() => AccountEvent) | undefined;
  silent = false;

  instance(): Accounts {
    const accounts = new Accounts(
      { append: async (event) => this.append(event) },
      { now: () => 1_700_000_000_000, readBackTimeoutMs: 20 },
    );
    for (const event of this.events) accounts.read(event);
    accounts.endReached();
    this.instances.push(accounts);
    return accounts;
  }

  append(event: AccountEvent): void {
    const first = this.before?.();
    this.before = undefined;
    if (first) this.#deliver(first);
    if (!this.silent) this.#deliver(event);
  }

  #deliver(event: AccountEvent): void {
    this.events.push(event);
    for (const accounts of this.instances) accounts.read(event);
  }
}

async function accepted<T extends object>(answer: Promise<T>): Promise<Exclude<T, { refused: unknown }>> {
  const value = await answer;
  expect(isRefusal(value)).toBe(false);
  return value as Exclude<T, { refused: unknown }>;
}

describe('commands', () => {
  test('an account and its key are known to every instance, the key by its hash alone', async () => {
    const log = new TestLog();
    const [one, two] = [log.instance(), log.instance()];
    const account = await accepted(one.create({ name: 'Acme', kind: 'supplier', suppliers: [] }, 'op'));
    expect(account).toMatchObject({ name: 'Acme', suppliers: ['Acme'], version: 1 });
    const { key } = await accepted(one.addKey(account.id, 'main', 'op'));
    expect(two.identify(key)?.account.id).toBe(account.id);
    expect(log.instance().identify(key)?.account.id).toBe(account.id);
    expect(JSON.stringify(log.events)).not.toContain(key);
  });

  test('who may not upload serves no supplier', async () => {
    const accounts = new TestLog().instance();
    const agent = await accepted(
      accounts.create({ name: 'Agent', kind: 'agent', suppliers: ['Acme'] }, 'op'),
    );
    expect(agent.suppliers).toEqual([]);
  });

  test('a command that another one overtook is refused, and changed nothing', async () => {
    const log = new TestLog();
    const accounts = log.instance();
    const account = await accepted(accounts.create({ name: 'Acme', kind: 'supplier', suppliers: [] }, 'op'));
    log.before = () => keyCreated(account.id, 1, 'theirs');
    expect(await accounts.addKey(account.id, 'mine', 'op')).toMatchObject({ refused: 'account_changed' });
    expect(accounts.get(account.id)?.keys.map(({ id }) => id)).toEqual(['theirs']);
  });

  test('a revoked key is unknown; revoking it again is no fault', async () => {
    const accounts = new TestLog().instance();
    const account = await accepted(accounts.create({ name: 'Acme', kind: 'supplier', suppliers: [] }, 'op'));
    const { id, key } = await accepted(accounts.addKey(account.id, 'main', 'op'));
    expect(await accounts.revokeKey(account.id, id, 'op')).toBeUndefined();
    expect(accounts.identify(key)).toBeUndefined();
    expect(await accounts.revokeKey(account.id, id, 'op')).toBeUndefined();
    expect(await accounts.revokeKey(account.id, 'other', 'op')).toMatchObject({
      refused: 'resource_not_found',
    });
    expect(await accounts.addKey('nobody', 'main', 'op')).toMatchObject({ refused: 'resource_not_found' });
  });

  test('a log that does not give the event back is the world', async () => {
    const log = new TestLog();
    log.silent = true;
    const answer = log.instance().create({ name: 'Acme', kind: 'supplier', suppliers: [] }, 'op');
    await expect(answer).rejects.toMatchObject({ code: 'accounts_silent', retryable: true });
  });

  test('the first operator is made once, whoever tries', async () => {
    const log = new TestLog();
    const [one, two] = [log.instance(), log.instance()];
    await Promise.all([one.ensureOperator(hashKey('first')), two.ensureOperator(hashKey('first'))]);
    const later = log.instance();
    await later.ensureOperator(hashKey('another'));
    expect(later.identify('first')?.account.kind).toBe('operator');
    expect(later.identify('another')).toBeUndefined();
    expect(one.identify('first')?.account.keys).toHaveLength(1);
  });
});
