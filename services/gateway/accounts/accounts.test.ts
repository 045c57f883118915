import { describe, expect, test } from 'vitest';
import { accepted, TestLog } from '#test/support/accounts.ts';
import { kindsOfWord } from './account.ts';
import type { Accounts } from './accounts.ts';
import { giveKey, revokeKey } from './commands/subscriptions.ts';
import { hashKey, newKey } from './keys.ts';

const supplier = { name: 'Acme', kinds: kindsOfWord('supplier'), suppliers: [] };

async function keyOf(accounts: Accounts, account: string): Promise<{ id: string; text: string }> {
  const { command, keys } = giveKey('main', undefined);
  await accepted(accounts.change(account, command, 'op'));
  return keys.primary!;
}

test('a key is long, random and told by its prefix', () => {
  const keys = Array.from({ length: 20 }, newKey);
  for (const key of keys) {
    expect(key.text).toMatch(new RegExp(`^slk_${key.id}_[A-Za-z0-9_-]{43}$`));
    expect(key.sha256).toBe(hashKey(key.text));
  }
  expect(new Set(keys.map(({ text }) => text)).size).toBe(20);
});

describe('creation', () => {
  test('an account and its key are known to every instance, the key by its hash alone', async () => {
    const log = new TestLog();
    const [one, two] = [log.instance(), log.instance()];
    const account = await accepted(one.create(supplier, 'op'));
    expect(account).toMatchObject({ name: 'Acme', authorities: [{ supplier: 'Acme' }], version: 1 });
    const { text: key } = await keyOf(one, account.id);
    expect(two.identify(key)?.account.id).toBe(account.id);
    expect(log.instance().identify(key)?.account.id).toBe(account.id);
    expect(JSON.stringify(log.events)).not.toContain(key);
  });

  test('who may not upload serves no supplier', async () => {
    const accounts = new TestLog().instance();
    const agent = { name: 'Agent', kinds: kindsOfWord('agent'), suppliers: ['Acme'] };
    expect((await accepted(accounts.create(agent, 'op'))).authorities).toEqual([]);
  });

  test.each([
    ['a member that is no general account', ['vsp'], 'general_account_missing'],
    ['the agency with something else', ['regulator', 'operator'], 'staff_kind_alone'],
    ['the agency as a general account', ['general', 'operator'], 'staff_kind_alone'],
  ] as const)('%s: %s is %s', async (_, kinds, refused) => {
    const log = new TestLog();
    expect(await log.instance().create({ ...supplier, kinds }, 'op')).toMatchObject({ refused });
    expect(log.events).toEqual([]);
  });

  test('a contact that nobody registered', async () => {
    const accounts = new TestLog().instance();
    expect(await accounts.create({ ...supplier, contact: 'nobody' }, 'op')).toMatchObject({
      refused: 'user_unknown',
    });
    const { id } = await accounts.registerUser({ name: 'Ann', email: 'ann@example.org' });
    expect(await accepted(accounts.create({ ...supplier, contact: id }, 'op'))).toMatchObject({
      contact: id,
      users: [{ user: id, administrator: true }],
    });
  });
});

describe('commands', () => {
  test('one that another overtook is refused, and changed nothing', async () => {
    const log = new TestLog();
    const accounts = log.instance();
    const account = await accepted(accounts.create(supplier, 'op'));
    const theirs = { key: 'theirs', label: 'theirs', sha256: hashKey('theirs') };
    log.before = () => ({
      event: 'first',
      account: account.id,
      version: 1,
      kind: 'key_created',
      at: 2,
      by: 'op',
      data: JSON.stringify(theirs),
    });
    const mine = giveKey('mine', undefined);
    expect(await accounts.change(account.id, mine.command, 'op')).toMatchObject({
      refused: 'account_changed',
    });
    expect(accounts.get(account.id)?.keys.map(({ id }) => id)).toEqual(['theirs']);
  });

  test('a revoked key is unknown; revoking it again is no fault, and writes nothing', async () => {
    const log = new TestLog();
    const accounts = log.instance();
    const account = await accepted(accounts.create(supplier, 'op'));
    const { id, text: key } = await keyOf(accounts, account.id);
    await accepted(accounts.change(account.id, revokeKey(id), 'op'));
    expect(accounts.identify(key)).toBeUndefined();
    const written = log.events.length;
    await accepted(accounts.change(account.id, revokeKey(id), 'op'));
    expect(log.events).toHaveLength(written);
    for (const [account_, key_] of [
      [account.id, 'other'],
      ['nobody', id],
    ] as const)
      expect(await accounts.change(account_, revokeKey(key_), 'op')).toMatchObject({
        refused: 'resource_not_found',
      });
  });

  test('a log that does not give the event back is the world', async () => {
    const log = new TestLog();
    log.silent = true;
    await expect(log.instance().create(supplier, 'op')).rejects.toMatchObject({
      code: 'accounts_silent',
      retryable: true,
    });
  });

  test('a log that takes longer to acknowledge than anybody waits is the world', async () => {
    const log = new TestLog();
    const accounts = log.instance();
    log.append = () => new Promise(() => undefined) as never;
    await expect(accounts.create(supplier, 'op')).rejects.toMatchObject({ code: 'accounts_silent' });
  });

  test('the first operator is made once, whoever tries', async () => {
    const log = new TestLog();
    const [one, two] = [log.instance(), log.instance()];
    await Promise.all([one.ensureOperator(hashKey('first')), two.ensureOperator(hashKey('first'))]);
    const later = log.instance();
    await later.ensureOperator(hashKey('another'));
    expect(later.identify('first')?.account.kinds).toEqual(['operator']);
    expect(later.identify('another')).toBeUndefined();
    expect(one.identify('first')?.account.keys).toHaveLength(1);
  });
});

describe('the use of keys', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const uses = (log: TestLog) => log.events.filter(({ kind }) => kind === 'key_used');

  async function used(accounts: Accounts, key: string): Promise<void> {
    accounts.keyUsed(accounts.identify(key)!, (error) => expect.fail(String(error)));
    await turn();
  }

  test('one event a Sydney day, however often and at however many instances', async () => {
    const log = new TestLog();
    const [one, two] = [log.instance(), log.instance()];
    const account = await accepted(one.create(supplier, 'op'));
    const { id, text: key } = await keyOf(one, account.id);
    for (const accounts of [one, one, two, one]) await used(accounts, key);
    expect(uses(log)).toHaveLength(1);
    log.now += 24 * 3_600_000;
    await used(two, key);
    await used(one, key);
    expect(uses(log)).toHaveLength(2);
    for (const accounts of [one, two, log.instance()])
      expect(accounts.book.keyUse(id)).toMatchObject({ day: '2026-11-25' });
    expect(one.get(account.id)?.version).toBe(2);
  });

  test('a use that is not written is nobody’s failure, and is written with the next', async () => {
    const log = new TestLog();
    const accounts = log.instance();
    const account = await accepted(accounts.create(supplier, 'op'));
    const { text: key } = await keyOf(accounts, account.id);
    log.silent = true;
    const failed = Promise.withResolvers<unknown>();
    accounts.keyUsed(accounts.identify(key)!, failed.resolve);
    expect(await failed.promise).toMatchObject({ code: 'accounts_silent' });
    log.silent = false;
    await turn();
    await used(accounts, key);
    expect(uses(log)).toHaveLength(1);
  });
});
