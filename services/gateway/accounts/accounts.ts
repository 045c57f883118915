import { newId } from '#gateway/ids.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { assert, OperationalError } from '#shared/base/errors.ts';
import {
  type Account,
  type AccountChange,
  type AccountEvent,
  type AccountKind,
  uploaderKinds,
} from './account.ts';
import { AccountBook, type Identity } from './book.ts';
import { hashKey, newKey } from './keys.ts';

/** The log `accounts`, as far as it is written here. Events that are read come in through `Accounts.read`. */
export interface AccountsLog {
  /** Resolves when the event is acknowledged. */
  append(event: AccountEvent): Promise<void>;
}

export interface NewAccount {
  readonly name: string;
  readonly kind: AccountKind;
  readonly suppliers: readonly string[];
}

/** The account of the first operator: a name of its own, so that several instances make one account between them. */
const firstOperator = { id: '00000000-0000-8000-8000-000000000001', keyId: 'first' };

/**
 * Accounts and the commands on them. A command is an event based on the version that was seen; it has succeeded when it
 * comes back from the log as the first of its version (A1). Until the log's end was reached once, nothing is known.
 */
export class Accounts {
  readonly #book = new AccountBook();
  readonly #log: AccountsLog;
  readonly #options: { readonly now: () => number; readonly readBackTimeoutMs: number };
  readonly #waiting = new Map<string, (applied: boolean) => void>();
  readonly #end = Promise.withResolvers<void>();
  #ready = false;

  constructor(log: AccountsLog, options: { now: () => number; readBackTimeoutMs: number }) {
    this.#log = log;
    this.#options = options;
  }

  /** True once the end of the log was reached: before, a key that is not known may be known later. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The next event of the log, in its order. */
  read(event: AccountEvent): void {
    const applied = this.#book.apply(event);
    this.#waiting.get(event.event)?.(applied);
  }

  endReached(): void {
    this.#ready = true;
    this.#end.resolve();
  }

  whenReady(): Promise<void> {
    return this.#end.promise;
  }

  identify(key: string): Identity | undefined {
    return this.#book.identify(hashKey(key));
  }

  get(id: string): Account | undefined {
    return this.#book.get(id);
  }

  async create(account: NewAccount, by: string): Promise<Account | Refusal> {
    const id = newId(this.#options.now());
    // A supplier uploads for itself unless other names are given; who may not upload serves nobody.
    const own =
      account.kind === 'supplier' && account.suppliers.length === 0 ? [account.name] : account.suppliers;
    const suppliers = uploaderKinds.includes(account.kind) ? own : [];
    const applied = await this.#submit(
      id,
      0,
      { kind: 'account_created', data: { ...account, suppliers } },
      by,
    );
    return applied ? this.#known(id) : refuse('account_changed');
  }

  /** The key's text is in this answer and nowhere else. */
  async addKey(id: string, label: string, by: string): Promise<{ id: string; key: string } | Refusal> {
    const account = this.#book.get(id);
    if (!account) return refuse('resource_not_found');
    const { id: key, text, sha256 } = newKey();
    const change = { kind: 'key_created', data: { key, label, sha256 } } as const;
    const applied = await this.#submit(id, account.version, change, by);
    return applied ? { id: key, key: text } : refuse('account_changed');
  }

  /** Revoking a revoked key succeeds: it is revoked. */
  async revokeKey(id: string, key: string, by: string): Promise<Refusal | undefined> {
    const account = this.#book.get(id);
    const known = account?.keys.find((candidate) => candidate.id === key);
    if (!account || !known) return refuse('resource_not_found');
    if (known.revokedAt !== undefined) return undefined;
    const applied = await this.#submit(id, account.version, { kind: 'key_revoked', data: { key } }, by);
    return applied ? undefined : refuse('account_changed');
  }

  /**
   * The operator that everything begins with, made when the log holds no operator. All instances try the same event;
   * whichever is first in the log counts. `sha256` is that of a key which whoever deploys has chosen.
   */
  async ensureOperator(sha256: string): Promise<void> {
    assert(this.#ready, 'nobody knows whether there is an operator before the end of the log');
    if (this.#book.ofKind('operator').some(({ keys }) => keys.length > 0)) return;
    const { id, keyId } = firstOperator;
    const created = { name: 'Operator', kind: 'operator', suppliers: [] } as const;
    await this.#submit(id, 0, { kind: 'account_created', data: created }, 'deployment');
    const key = { key: keyId, label: 'first key', sha256 };
    await this.#submit(id, 1, { kind: 'key_created', data: key }, 'deployment');
  }

  /** True when the change was applied, false when another came first. */
  async #submit(account: string, version: number, change: AccountChange, by: string): Promise<boolean> {
    const at = this.#options.now();
    const event = newId(at);
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#waiting.set(event, resolve);
    const timer = setTimeout(
      () =>
        reject(
          new OperationalError('accounts_silent', 'an event of an account did not come back', {
            retryable: true,
          }),
        ),
      this.#options.readBackTimeoutMs,
    );
    try {
      await this.#log.append({
        event,
        account,
        version,
        kind: change.kind,
        at,
        by,
        data: JSON.stringify(change.data),
      });
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(event);
    }
  }

  #known(id: string): Account {
    const account = this.#book.get(id);
    assert(account, `account ${id} was applied`);
    return account;
  }
}
