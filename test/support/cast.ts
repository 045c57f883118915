import { expect } from 'vitest';
import type { DescribedApi } from './described-api.ts';

/** A key, and the account and user that it acts for. */
export interface Member {
  readonly key: string;
  readonly account: string;
  readonly user?: string;
  /** Of the key. */
  readonly subscription?: string;
}

const terms = 'terms-of-use-1';

/** Ways to the accounts that tests need, through the API alone. */
export class Casting {
  readonly #api: DescribedApi;
  readonly #operator: string;
  /** Every key that was ever shown. */
  readonly keys: string[];

  constructor(api: DescribedApi, operator: string) {
    this.#api = api;
    this.#operator = operator;
    this.keys = [operator];
  }

  /** An account that the operator makes, with a key that is nobody's in particular. */
  async made(name: string, kind: string, suppliers?: readonly string[]): Promise<Member> {
    const body = { name, kind, ...(suppliers ? { suppliers } : {}) };
    const { id } = (await this.#ok('createAccount', { key: this.#operator, body })).body;
    return { account: id, key: await this.given(id) };
  }

  /** A key from the operator's hand. */
  async given(account: string, user?: string): Promise<string> {
    const body = { label: 'test', ...(user === undefined ? {} : { user }) };
    const made = await this.#ok('createKey', { key: this.#operator, params: { account }, body });
    this.keys.push(made.body.key);
    return made.body.key;
  }

  /** A person with a general account of their own. */
  async signedUp(name: string): Promise<Required<Member>> {
    const body = { name, email: `${name.toLowerCase()}@example.org`, account_name: `${name} Pty Ltd`, terms };
    const { user, account, subscription, primary_key, secondary_key } = (await this.#ok('signUp', { body }))
      .body;
    this.keys.push(primary_key, secondary_key);
    return { user, account, subscription, key: primary_key };
  }

  /** Applies for kinds, and has the regulator approve. */
  async upgraded(member: Member, kinds: readonly string[], regulator: string): Promise<void> {
    const { id } = (await this.applied(member, kinds)).body;
    await this.#ok('assessApplication', {
      key: regulator,
      params: { account: member.account, application: id },
      body: { decision: 'approved' },
    });
  }

  async applied({ key, account }: Member, kinds: readonly string[]) {
    const body = { ...this.#api.example('lodgeApplication'), kinds: ['general', ...kinds] };
    return this.#ok('lodgeApplication', { key, params: { account }, body });
  }

  /** A subscription in an account that the person is a user of, with a key of any account of theirs. */
  async subscribed(member: Member, account: string, name = 'test'): Promise<Required<Member>> {
    const body = { name, terms };
    const made = await this.#ok('createSubscription', { key: member.key, params: { account }, body });
    const { subscription, primary_key, secondary_key } = made.body;
    this.keys.push(primary_key, secondary_key);
    return { key: primary_key, account, user: member.user!, subscription };
  }

  async #ok(id: string, options: Parameters<DescribedApi['call']>[1]) {
    const reply = await this.#api.call(id, options);
    expect(reply.status, `${id}: ${reply.text}`).toBeLessThan(300);
    return reply;
  }
}
