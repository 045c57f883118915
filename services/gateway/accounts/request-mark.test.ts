import { describe, expect, it } from 'vitest';
import { accepted, TestLog } from '#test/support/accounts.ts';
import { grantAuthority } from './commands/authorities.ts';
import { giveKey } from './commands/subscriptions.ts';
import { partOf, requestMark } from './request-mark.ts';

const supplier = { name: 'Acme', kinds: ['general', 'supplier'], suppliers: [] } as const;
const mark = (key: string, asked: unknown = {}) => requestMark('operator', key, asked);

describe('a mark', () => {
  it('tells who, which key and what, however the members are written', () => {
    expect(mark('k', { a: 1, b: [{ c: 2, d: 3 }] })).toEqual(mark('k', { b: [{ d: 3, c: 2 }], a: 1 }));
    expect(mark('k', { a: [1, 2] }).sha256).not.toBe(mark('k', { a: [2, 1] }).sha256);
    expect(mark('k', { a: undefined })).toEqual(mark('k', {}));
    expect(requestMark('a', 'bk', {}).request).not.toBe(requestMark('ab', 'k', {}).request);
    expect(partOf(mark('k'), 'user').request).not.toBe(partOf(mark('k'), 'account').request);
    expect(JSON.stringify(mark('secret-text'))).not.toContain('secret-text');
  });
});

describe('a command that comes again', () => {
  it('makes one account, and is answered as it was then, at any instance and after a restart', async () => {
    const log = new TestLog();
    const [one, two] = [log.instance(), log.instance()];
    const first = await accepted(one.create(supplier, 'op', mark('k')));
    await accepted(one.change(first.id, giveKey('later', undefined).command, 'op'));
    for (const accounts of [one, two, log.instance()])
      expect(await accounts.create(supplier, 'op', mark('k'))).toEqual(first);
    expect(log.events.filter(({ kind }) => kind === 'account_created')).toHaveLength(1);
    expect(await two.create(supplier, 'op', mark('k', 'other'))).toMatchObject({
      refused: 'idempotency_key_reused',
    });
    expect((await accepted(two.create(supplier, 'op', mark('k2')))).id).not.toBe(first.id);
  });

  it('at two instances at once is carried out by one of them, and both answer the same', async () => {
    const log = new TestLog();
    const [one, two] = [log.instance(), log.instance()];
    const account = await accepted(one.create(supplier, 'op'));
    const grant = (accounts: typeof one, what: unknown = {}) =>
      accounts.change(account.id, grantAuthority({ supplier: 'A' }, log.now), 'op', mark('grant', what));
    const answers = await Promise.all([grant(one), grant(two), grant(two)]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(one.get(account.id)?.authorities).toHaveLength(2);
    expect(await grant(one, 'other')).toMatchObject({ refused: 'idempotency_key_reused' });
  });

  it('with other contents at once: one is carried out, the other is refused', async () => {
    const log = new TestLog();
    const [one, two] = [log.instance(), log.instance()];
    const answers = await Promise.all([
      one.create(supplier, 'op', mark('k', 1)),
      two.create({ ...supplier, name: 'Other' }, 'op', mark('k', 2)),
    ]);
    expect(answers).toMatchObject([{ name: 'Acme' }, { refused: 'idempotency_key_reused' }]);
    expect([...one.book.accounts()]).toHaveLength(1);
  });

  it('registers one person', async () => {
    const log = new TestLog();
    const person = { name: 'Ann', email: 'ann@example.org' };
    const [one, two] = [log.instance(), log.instance()];
    const answers = await Promise.all([
      one.registerUser(person, undefined, mark('k')),
      two.registerUser(person, undefined, mark('k')),
    ]);
    expect(answers[1]).toEqual(answers[0]);
    expect(await two.registerUser(person, undefined, mark('k', 'other'))).toMatchObject({
      refused: 'idempotency_key_reused',
    });
  });

  it('that was refused leaves the key free', async () => {
    const log = new TestLog();
    const accounts = log.instance();
    expect(await accounts.create({ ...supplier, contact: 'nobody' }, 'op', mark('k'))).toMatchObject({
      refused: 'user_unknown',
    });
    expect(await accounts.create(supplier, 'op', mark('k', 'other'))).toMatchObject({ name: 'Acme' });
  });
});
