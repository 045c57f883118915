import { type Account, type AccountEvent, applyEvent } from './account.ts';

export interface Identity {
  readonly account: Account;
  readonly key: string;
}

/** All accounts, folded from their log. Every instance that has read as far folds the same. */
export class AccountBook {
  readonly #accounts = new Map<string, Account>();
  /** Accounts by the SHA-256 of their live keys. */
  readonly #holders = new Map<string, { readonly account: string; readonly key: string }>();

  /** False when the event is stale and changed nothing. */
  apply(event: AccountEvent): boolean {
    const before = this.#accounts.get(event.account);
    const after = applyEvent(before, event);
    if (!after) return false;
    this.#accounts.set(after.id, after);
    for (const key of after.keys)
      if (key.revokedAt === undefined) this.#holders.set(key.sha256, { account: after.id, key: key.id });
      else this.#holders.delete(key.sha256);
    return true;
  }

  get(id: string): Account | undefined {
    return this.#accounts.get(id);
  }

  ofKind(kind: Account['kind']): readonly Account[] {
    return [...this.#accounts.values()].filter((account) => account.kind === kind);
  }

  /** Who holds a key, as its account is now. Revoked keys are unknown. */
  identify(sha256: string): Identity | undefined {
    const holder = this.#holders.get(sha256);
    const account = holder && this.#accounts.get(holder.account);
    return account && { account, key: holder.key };
  }
}
