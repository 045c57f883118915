import { type Account, type AccountKind, kindsOfWord } from '#gateway/accounts/account.ts';
import { Accounts, type AccountsOptions } from '#gateway/accounts/accounts.ts';
import type { AccountEvent } from '#gateway/accounts/events.ts';
import { applyEvent } from '#gateway/accounts/fold.ts';
import { isRefusal, type Refusal } from '#gateway/refusal.ts';

/** An account as its creation by one word leaves it. */
export function accountOf(
  id: string,
  kind: AccountKind,
  options: { readonly name?: string; readonly suppliers?: readonly string[]; readonly contact?: string } = {},
): Account {
  const { name = id, suppliers = [], contact } = options;
  const data = { name, kind, suppliers, kinds: kindsOfWord(kind), ...(contact ? { contact } : {}) };
  const event = { event: `e-${id}`, account: id, version: 0, kind: 'account_created', at: 1, by: 'test' };
  return applyEvent(undefined, { ...event, data: JSON.stringify(data) })!;
}

/** A log that delivers what was appended to every instance, in one order, and lets a test come in between. */
export class TestLog {
  readonly events: AccountEvent[] = [];
  readonly instances: Accounts[] = [];
  /** An event that somebody else gets in first. */
  before: (() => AccountEvent) | undefined;
  silent = false;
  now = Date.parse('2026-11-24T01:00:00Z');

  instance(options: Partial<AccountsOptions> = {}): Accounts {
    const accounts = new Accounts(
      { append: async (event) => this.append(event) },
      { now: () => this.now, readBackTimeoutMs: 20, ...options },
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

export async function accepted<T extends object>(answer: Promise<T>): Promise<Exclude<T, Refusal>> {
  const value = await answer;
  if (isRefusal(value)) throw new Error(`refused: ${JSON.stringify(value)}`);
  return value as Exclude<T, Refusal>;
}
