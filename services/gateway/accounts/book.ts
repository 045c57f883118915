import type { Account, AccountKind } from './account.ts';
import { type Authority, holdsOn } from './authority.ts';
import type { AccountEvent } from './events.ts';
import { applyEvent } from './fold.ts';
import { applyKeyUse, isKeyUse, type KeyUse, keyUseName } from './key-use.ts';
import { applyUserEvent, type User } from './user.ts';

/** Who asks: the account that a key belongs to, and the user whose key it is, if it is anybody's. */
export interface Identity {
  readonly account: Account;
  readonly key: string;
  readonly user?: string;
}

/** What a request with an Idempotency-Key has made, as it was then. */
export interface EarlierRequest {
  readonly sha256: string;
  readonly account?: Account;
  readonly user?: User;
}

interface Holder {
  readonly account: string;
  readonly key: string;
  readonly user?: string;
}

/** All accounts and users, folded from their log. Every instance that has read as far folds the same. */
export class AccountBook {
  readonly #accounts = new Map<string, Account>();
  readonly #users = new Map<string, User>();
  readonly #keyUses = new Map<string, KeyUse>();
  /** Accounts by the SHA-256 of their live keys. */
  readonly #holders = new Map<string, Holder>();
  /** Suppliers that named an account as their verification service provider. */
  readonly #served = new Map<string, Set<string>>();
  readonly #requests = new Map<string, EarlierRequest>();

  /** False when the event is stale and changed nothing. */
  apply(event: AccountEvent): boolean {
    if (!this.#apply(event)) return false;
    const { request = '', request_sha256: sha256 = '' } = event;
    if (request === '') return true;
    const [account, user] = [this.#accounts.get(event.account), this.#users.get(event.account)];
    this.#requests.set(request, { sha256, ...(account ? { account } : {}), ...(user ? { user } : {}) });
    return true;
  }

  /** What a request has made, by its mark. */
  request(request: string): EarlierRequest | undefined {
    return this.#requests.get(request);
  }

  #apply(event: AccountEvent): boolean {
    if (isKeyUse(event.account)) return put(this.#keyUses, event, applyKeyUse);
    if (event.kind === 'user_registered' || this.#users.has(event.account))
      return !this.#accounts.has(event.account) && put(this.#users, event, applyUserEvent);
    const before = this.#accounts.get(event.account);
    const after = applyEvent(before, event);
    if (!after) return false;
    this.#accounts.set(after.id, after);
    if (after.keys !== before?.keys) this.#indexKeys(after);
    if (after.providers !== before?.providers) this.#indexProviders(before, after);
    return true;
  }

  get(id: string): Account | undefined {
    return this.#accounts.get(id);
  }

  user(id: string): User | undefined {
    return this.#users.get(id);
  }

  /** In the order in which they were made. */
  accounts(): IterableIterator<Account> {
    return this.#accounts.values();
  }

  ofKind(kind: AccountKind): readonly Account[] {
    return [...this.#accounts.values()].filter((account) => account.kinds.includes(kind));
  }

  /** Who holds a key, as its account is now. Revoked keys are unknown. */
  identify(sha256: string): Identity | undefined {
    const holder = this.#holders.get(sha256);
    const account = holder && this.#accounts.get(holder.account);
    return account && { ...holder, account };
  }

  keyUse(key: string): KeyUse | undefined {
    return this.#keyUses.get(keyUseName(key));
  }

  /** Suppliers whose account named this one, and may themselves upload. */
  servedBy(account: Account): readonly Account[] {
    if (!account.kinds.includes('vsp')) return [];
    return [...(this.#served.get(account.id) ?? [])]
      .map((id) => this.#accounts.get(id)!)
      .filter(({ kinds }) => kinds.includes('supplier'));
  }

  /** What an account may upload on a day: its own authorities, and those of the suppliers that named it. */
  authoritiesOf(account: Account, day: string): readonly Authority[] {
    return [account, ...this.servedBy(account)]
      .flatMap(({ authorities }) => authorities)
      .filter((authority) => holdsOn(authority, day));
  }

  #indexKeys(account: Account): void {
    const users = new Map(account.subscriptions.map(({ id, user }) => [id, user]));
    for (const key of account.keys) {
      if (key.revokedAt !== undefined) {
        this.#holders.delete(key.sha256);
        continue;
      }
      const user = users.get(key.subscription);
      const holder = { account: account.id, key: key.id };
      this.#holders.set(key.sha256, user === undefined ? holder : { ...holder, user });
    }
  }

  #indexProviders(before: Account | undefined, after: Account): void {
    for (const { account } of before?.providers ?? []) this.#served.get(account)?.delete(after.id);
    for (const { account } of after.providers)
      this.#served.set(account, (this.#served.get(account) ?? new Set()).add(after.id));
  }
}

function put<T>(
  map: Map<string, T>,
  event: AccountEvent,
  apply: (before: T | undefined, event: AccountEvent) => T | undefined,
): boolean {
  const after = apply(map.get(event.account), event);
  if (!after) return false;
  map.set(event.account, after);
  return true;
}
