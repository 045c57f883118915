import { type ApiDeclaration, apiDeclarationOf, type LastDay } from '#gateway/declarations/api-users.ts';
import { derivedId, newId } from '#gateway/ids.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { assert, OperationalError } from '#shared/base/errors.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { type Account, type AccountKind, isOfKind, isStaff, kindsOfWord, uploaderKinds } from './account.ts';
import type { Authority } from './authority.ts';
import { AccountBook, type EarlierRequest, type Identity } from './book.ts';
import type { Command } from './commands/command.ts';
import type { AccountChange, AccountEvent, KeyUseChange, UserChange } from './events.ts';
import { KeyUseRecorder, keyUseName } from './key-use.ts';
import { hashKey } from './keys.ts';
import type { RequestMark } from './request-mark.ts';
import type { User } from './user.ts';

/** The log `accounts`, as far as it is written here. Events that are read come in through `Accounts.read`. */
export interface AccountsLog {
  /** Resolves when the event is acknowledged. */
  append(event: AccountEvent): Promise<void>;
}

export interface NewAccount {
  readonly name: string;
  readonly kinds: readonly AccountKind[];
  readonly suppliers: readonly string[];
  /** User who is the nominated contact. */
  readonly contact?: string;
}

export interface AccountsOptions {
  readonly now: () => number;
  readonly readBackTimeoutMs: number;
  /** DECL-3 */
  readonly lastDayOfDeclaration?: LastDay;
}

/** The account of the first operator: a name of its own, so that several instances make one account between them. */
const firstOperator = { id: '00000000-0000-8000-8000-000000000001', keyId: 'first' };

const unmarked: RequestMark = { request: '', sha256: '' };

/**
 * Accounts, users, and the commands on them. A command is an event based on the version that was seen; it has succeeded
 * when it comes back from the log as the first of its version (A1). Until the log's end was reached once, nothing is known.
 */
export class Accounts {
  readonly book = new AccountBook();
  readonly #log: AccountsLog;
  readonly #options: AccountsOptions;
  readonly #keyUse: KeyUseRecorder;
  readonly #waiting = new Map<string, (applied: boolean) => void>();
  readonly #end = Promise.withResolvers<void>();
  #ready = false;

  constructor(log: AccountsLog, options: AccountsOptions) {
    this.#log = log;
    this.#options = options;
    this.#keyUse = new KeyUseRecorder(
      (key) => this.book.keyUse(key)?.day,
      (change) => {
        const { key } = change.data;
        return this.#submit(keyUseName(key), this.book.keyUse(key)?.version ?? 0, change, `key:${key}`);
      },
    );
  }

  /** True once the end of the log was reached: before, a key that is not known may be known later. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The next event of the log, in its order. */
  read(event: AccountEvent): void {
    const applied = this.book.apply(event);
    this.#waiting.get(event.event)?.(applied);
  }

  endReached(): void {
    this.#ready = true;
    this.#end.resolve();
  }

  whenReady(): Promise<void> {
    return this.#end.promise;
  }

  now(): number {
    return this.#options.now();
  }

  identify(key: string): Identity | undefined {
    return this.book.identify(hashKey(key));
  }

  /** Whose key it is, as the account is now; undefined once the key was revoked. */
  current(identity: Identity): Identity | undefined {
    const account = this.book.get(identity.account.id);
    const key = account?.keys.find(({ id }) => id === identity.key);
    return account && key?.revokedAt === undefined ? { ...identity, account } : undefined;
  }

  /** To be told of every request that a key was accepted for. */
  keyUsed({ key }: Identity, failed: (error: unknown) => void): void {
    this.#keyUse.used(key, this.now(), failed);
  }

  get(id: string): Account | undefined {
    return this.book.get(id);
  }

  /** J3: accounts that may claim for owners, by name. */
  agents(): readonly { readonly id: string; readonly name: string }[] {
    return this.book
      .ofKind('agent')
      .map(({ id, name }) => ({ id, name }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What the account may upload today (SUP-2). */
  authoritiesOf(account: Account): readonly Authority[] {
    return this.book.authoritiesOf(account, sydneyDay(this.now()));
  }

  /** DECL-2 */
  apiDeclarationOf(account: Account): ApiDeclaration {
    return apiDeclarationOf(account, this.now(), this.#options.lastDayOfDeclaration);
  }

  /**
   * An account that needs no application: it has the kinds from the beginning, and authority for the suppliers named. With a
   * `mark`, its id follows from that: of one request at two instances, one makes it.
   */
  async create(account: NewAccount, by: string, mark?: RequestMark): Promise<Account | Refusal> {
    const earlier = this.#earlierAccount(mark);
    if (earlier) return earlier;
    const { name, kinds, contact } = account;
    const kind: AccountKind = kinds.find((of) => of !== 'general') ?? 'general';
    if (isStaff(account) ? kinds.length > 1 : !kinds.includes('general'))
      return refuse(isStaff(account) ? 'staff_kind_alone' : 'general_account_missing');
    if (contact !== undefined && !this.book.user(contact)) return refuse('user_unknown');
    // A supplier uploads for itself unless other names are given; who may not upload serves nobody.
    const suppliesItself = isOfKind(account, 'supplier', 'inverter_supplier');
    const own = suppliesItself && account.suppliers.length === 0 ? [name] : account.suppliers;
    const suppliers = isOfKind(account, ...uploaderKinds) ? own : [];
    const id = mark ? derivedId('account', mark.request) : newId(this.now());
    const data = { name, kind, suppliers, kinds, ...(contact === undefined ? {} : { contact }) };
    const applied = await this.#submit(id, 0, { kind: 'account_created', data }, by, mark);
    return applied ? this.#known(id) : (this.#earlierAccount(mark) ?? refuse('account_changed'));
  }

  /** A person, registered once. With a `mark`, as for an account. */
  registerUser(person: Pick<User, 'name' | 'email'>, by?: string): Promise<User>;
  registerUser(
    person: Pick<User, 'name' | 'email'>,
    by: string | undefined,
    mark: RequestMark | undefined,
  ): Promise<User | Refusal>;
  async registerUser(
    { name, email }: Pick<User, 'name' | 'email'>,
    by?: string,
    mark?: RequestMark,
  ): Promise<User | Refusal> {
    const earlier = this.#earlier(mark);
    if (earlier) return isRefusal(earlier) ? earlier : earlier.user!;
    const id = mark ? derivedId('user', mark.request) : newId(this.now());
    const change = { kind: 'user_registered', data: { name, email } } as const;
    const applied = await this.#submit(id, 0, change, by ?? `user:${id}`, mark);
    const before = applied ? undefined : this.#earlier(mark);
    if (before && isRefusal(before)) return before;
    const user = this.book.user(id);
    assert(user, `user ${id} has an id of its own`);
    return user;
  }

  /**
   * Carries a command out: the account afterwards, or why it is as it was. A command of a request that has come before is
   * answered by the account as it was then.
   */
  async change(id: string, command: Command, by: string, mark?: RequestMark): Promise<Account | Refusal> {
    const earlier = this.#earlierAccount(mark);
    if (earlier) return earlier;
    const account = this.book.get(id);
    if (!account) return refuse('resource_not_found');
    const change = command(account, { book: this.book, now: this.now() });
    if (change === undefined) return account;
    if (isRefusal(change)) return change;
    const applied = await this.#submit(id, account.version, change, by, mark);
    return applied ? this.#known(id) : (this.#earlierAccount(mark) ?? refuse('account_changed'));
  }

  /**
   * The operator that everything begins with, made when the log holds no operator. All instances try the same event;
   * whichever is first in the log counts. `sha256` is that of a key which whoever deploys has chosen.
   */
  async ensureOperator(sha256: string): Promise<void> {
    assert(this.#ready, 'nobody knows whether there is an operator before the end of the log');
    if (this.book.ofKind('operator').some(({ keys }) => keys.length > 0)) return;
    const { id, keyId } = firstOperator;
    const created = {
      name: 'Operator',
      kind: 'operator',
      suppliers: [],
      kinds: kindsOfWord('operator'),
    } as const;
    await this.#submit(id, 0, { kind: 'account_created', data: created }, 'deployment');
    const key = { key: keyId, label: 'first key', sha256 };
    await this.#submit(id, 1, { kind: 'key_created', data: key }, 'deployment');
  }

  /** True when the change was applied, false when another came first. */
  async #submit(
    account: string,
    version: number,
    change: AccountChange | UserChange | KeyUseChange,
    by: string,
    { request, sha256: request_sha256 }: RequestMark = unmarked,
  ): Promise<boolean> {
    const at = this.now();
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
      const data = JSON.stringify(change.data);
      const told = { event, account, version, kind: change.kind, at, by, data, request, request_sha256 };
      const appended = this.#log.append(told);
      const [applied] = await Promise.all([promise, appended]);
      return applied;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(event);
    }
  }

  /** What the request has made before; a refusal when it asked for something else then. */
  #earlier(mark: RequestMark | undefined): EarlierRequest | Refusal | undefined {
    const earlier = mark && this.book.request(mark.request);
    return earlier && earlier.sha256 !== mark.sha256 ? refuse('idempotency_key_reused') : earlier;
  }

  #earlierAccount(mark: RequestMark | undefined): Account | Refusal | undefined {
    const earlier = this.#earlier(mark);
    return earlier && isRefusal(earlier) ? earlier : earlier?.account;
  }

  #known(id: string): Account {
    const account = this.book.get(id);
    assert(account, `account ${id} was applied`);
    return account;
  }
}
