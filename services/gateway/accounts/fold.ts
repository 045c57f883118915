import { type Account, type AccountKey, kindsOfWord, type Subscription } from './account.ts';
import type { Authority } from './authority.ts';
import { recordDetails } from './cec-details.ts';
import type { AccountChange, AccountEvent } from './events.ts';

/**
 * The account after an event, or undefined when the event is stale: based on another version than the account has by
 * then (A1). Events that a later release has added change nothing but the version.
 */
export function applyEvent(account: Account | undefined, event: AccountEvent): Account | undefined {
  if (event.version !== (account?.version ?? 0)) return undefined;
  const change = { kind: event.kind, data: JSON.parse(event.data) } as AccountChange;
  if (account) {
    if (change.kind === 'account_created') return undefined;
    return { ...account, ...applyChange(account, change, event), version: event.version + 1 };
  }
  return change.kind === 'account_created' ? created(change, event) : undefined;
}

type Of<Kind> = Extract<AccountChange, { kind: Kind }>;
type Later = Exclude<AccountChange, Of<'account_created'>>;

function created({ data }: Of<'account_created'>, { account: id, at, by }: AccountEvent): Account {
  const { name, kind, suppliers, kinds, contact } = data;
  return {
    id,
    name,
    kinds: kinds ?? kindsOfWord(kind),
    version: 1,
    ...(contact === undefined ? {} : { contact }),
    users: contact === undefined ? [] : [{ user: contact, administrator: true, addedAt: at }],
    subscriptions: [],
    keys: [],
    applications: [],
    authorities: suppliers.map(
      (supplier, i): Authority => ({ id: `created-${i + 1}`, supplier, grantedAt: at, grantedBy: by }),
    ),
    providers: [],
    cecDetails: {},
    apiDeclarations: [],
  };
}

/** What an event makes of the members of an account that it is about. */
function applyChange(account: Account, change: Later, event: AccountEvent): Partial<Account> {
  const { at, by } = event;
  switch (change.kind) {
    case 'key_created': {
      const { key, label, sha256, user } = change.data;
      const subscription = { id: key, name: label, ...(user === undefined ? {} : { user }), createdAt: at };
      const made: AccountKey = { id: key, subscription: key, slot: 'primary', sha256, createdAt: at };
      return subscribed(account, subscription, [made]);
    }
    case 'key_revoked':
      return { keys: revokeKeys(account, ({ id }) => id === change.data.key, at) };
    case 'subscription_created': {
      const { subscription: id, keys, ...rest } = change.data;
      const made = keys.map(({ key, slot, sha256 }) => ({
        id: key,
        subscription: id,
        slot,
        sha256,
        createdAt: at,
      }));
      return subscribed(account, { id, ...rest, createdAt: at }, made);
    }
    case 'key_rotated': {
      const { subscription, slot, key: id, sha256 } = change.data;
      const others = revokeKeys(account, (key) => key.subscription === subscription && key.slot === slot, at);
      return { keys: [...others, { id, subscription, slot, sha256, createdAt: at }] };
    }
    case 'subscription_revoked':
      return revokeSubscriptions(account, ({ id }) => id === change.data.subscription, at);
    case 'contact_changed':
      return contactChanged(account, change.data.user, at);
    case 'user_permitted':
      return { users: permitted(account, change.data.user, change.data.administrator, at) };
    case 'user_removed':
      return {
        users: account.users.filter(({ user }) => user !== change.data.user),
        ...revokeSubscriptions(account, ({ user }) => user === change.data.user, at),
      };
    case 'application_lodged': {
      const { application: id, kinds, legal_name: legalName, abn, contact } = change.data;
      const lodged = { id, kinds, legalName, abn, contact, lodgedAt: at, lodgedBy: by };
      return { applications: [...account.applications, lodged] };
    }
    case 'application_assessed':
      return assessed(account, change.data, event);
    case 'authority_granted': {
      const { authority: id, ...rest } = change.data;
      return { authorities: [...account.authorities, { id, ...rest, grantedAt: at, grantedBy: by }] };
    }
    case 'authority_ended': {
      const { authority, to } = change.data;
      return { authorities: account.authorities.map((of) => (of.id === authority ? { ...of, to } : of)) };
    }
    case 'provider_named':
      return { providers: [...account.providers, { account: change.data.account, namedAt: at }] };
    case 'provider_withdrawn':
      return { providers: account.providers.filter((of) => of.account !== change.data.account) };
    case 'cec_details_recorded':
      return { cecDetails: recordDetails(account.cecDetails, change.data, at) };
    case 'api_declaration_made':
      return { apiDeclarations: [...account.apiDeclarations, { text: change.data.text, at, by }] };
  }
  // A kind that is not known here.
  return {};
}

function subscribed(
  { subscriptions, keys }: Account,
  subscription: Subscription,
  made: readonly AccountKey[],
): Partial<Account> {
  return { subscriptions: [...subscriptions, subscription], keys: [...keys, ...made] };
}

function revokeKeys(
  { keys }: Account,
  which: (key: AccountKey) => boolean,
  at: number,
): readonly AccountKey[] {
  return keys.map((key) => (key.revokedAt === undefined && which(key) ? { ...key, revokedAt: at } : key));
}

function revokeSubscriptions(
  account: Account,
  which: (subscription: Subscription) => boolean,
  at: number,
): Pick<Account, 'subscriptions' | 'keys'> {
  const ended = new Set(account.subscriptions.filter(which).map(({ id }) => id));
  return {
    subscriptions: account.subscriptions.map((of) =>
      ended.has(of.id) && of.revokedAt === undefined ? { ...of, revokedAt: at } : of,
    ),
    keys: revokeKeys(account, ({ subscription }) => ended.has(subscription), at),
  };
}

function permitted({ users }: Account, user: string, administrator: boolean, at: number): Account['users'] {
  return users.some((of) => of.user === user)
    ? users.map((of) => (of.user === user ? { ...of, administrator } : of))
    : [...users, { user, administrator, addedAt: at }];
}

/** Who is not the contact any more keeps no permission from it: administrators may give it again. */
function contactChanged(account: Account, contact: string, at: number): Partial<Account> {
  const users = account.users.map((of) =>
    of.user === account.contact ? { ...of, administrator: false } : of,
  );
  return { contact, users: permitted({ ...account, users }, contact, true, at) };
}

function assessed(
  account: Account,
  { application: id, decision, reason }: Of<'application_assessed'>['data'],
  { at, by }: AccountEvent,
): Partial<Account> {
  const application = account.applications.find((of) => of.id === id);
  if (!application || application.assessment) return {};
  const done = { ...application, assessment: { decision, reason, at, by } };
  return {
    applications: account.applications.map((of) => (of.id === id ? done : of)),
    ...(decision === 'approved' ? { kinds: [...new Set([...account.kinds, ...application.kinds])] } : {}),
  };
}
