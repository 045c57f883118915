import Type from 'typebox';
import { type Account, type Application, accountKinds, keySlots } from '#gateway/accounts/account.ts';
import type { Accounts } from '#gateway/accounts/accounts.ts';
import { type Authority, suppliersOf } from '#gateway/accounts/authority.ts';
import { type CecDetails, detailFaults } from '#gateway/accounts/cec-details.ts';
import { Day, defined, Name, named, Time, Uuid } from './common.ts';
import { ApiDeclarationView, apiDeclarationView } from './declaration-views.ts';

export const Kind = Type.Enum([...accountKinds]);
export const Kinds = Type.Array(Kind, { minItems: 1, uniqueItems: true });

/** As the CEC or the applicant gives it. */
export const Abn = Type.String({ minLength: 11, maxLength: 20, description: 'Australian Business Number' });

export const Contact = Type.Object(
  {
    name: Name,
    email: Type.String({ format: 'email', maxLength: 254 }),
    phone: Type.String({ maxLength: 40 }),
  },
  { additionalProperties: false },
);

export const Brands = Type.Array(
  Type.Object(
    { brand: Name, models: Type.Array(Name, { maxItems: 2_000 }) },
    { additionalProperties: false },
  ),
  { minItems: 1, maxItems: 200 },
);

const closed = { additionalProperties: false } as const;
const Actor = Type.String({ description: '`user:` or `key:` and an id' });

export const AuthorityFields = {
  supplier: Name,
  holder: Type.Optional(named('licensee, certificate holder or manufacturer; any, if left out')),
  models: Type.Optional(
    Type.Array(Name, { minItems: 1, maxItems: 2_000, description: 'models of the holder; all, if left out' }),
  ),
  from: Type.Optional(Day('first day')),
  to: Type.Optional(Day('last day')),
};

export const AuthorityView = Type.Object(
  { id: Type.String(), ...AuthorityFields, granted_at: Time('when it was granted'), granted_by: Actor },
  closed,
);

export const ApplicationView = Type.Object(
  {
    id: Uuid,
    kinds: Kinds,
    legal_name: Name,
    abn: Type.String(),
    contact: Contact,
    state: Type.Enum(['pending', 'approved', 'refused']),
    lodged_at: Time('when it was lodged'),
    lodged_by: Actor,
    reason: Type.Optional(Type.String({ description: 'of a refusal' })),
    assessed_at: Type.Optional(Time('when it was assessed')),
    assessed_by: Type.Optional(Actor),
  },
  closed,
);

const UserView = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    email: Type.String(),
    administrator: Type.Boolean(),
    added_at: Time('when the user was added'),
  },
  closed,
);

const SubscriptionView = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    user: Type.Optional(Uuid),
    terms: Type.Optional(Type.String({ description: 'version of the terms of use that was agreed to' })),
    created_at: Time('when it was made'),
    revoked_at: Type.Optional(Time('when it was revoked')),
    keys: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          slot: Type.Enum([...keySlots]),
          created_at: Time('when it was made'),
          revoked_at: Type.Optional(Time('when it was revoked or rotated')),
          last_used_on: Type.Optional(Day('when it was last used')),
        },
        closed,
      ),
    ),
  },
  closed,
);

const CecDetailsView = Type.Object(
  {
    company_name: Type.Optional(Type.String()),
    abn: Type.Optional(Type.String()),
    brands: Type.Optional(Brands),
    contact: Type.Optional(Contact),
    missing: Type.Array(Type.String(), { description: 'details that were never recorded' }),
    stale: Type.Array(Type.String(), { description: 'details that were confirmed too long ago' }),
  },
  closed,
);

export const AccountView = Type.Object(
  {
    id: Uuid,
    name: Name,
    kinds: Kinds,
    version: Type.Integer(),
    contact: Type.Optional(Uuid),
    users: Type.Array(UserView),
    subscriptions: Type.Array(SubscriptionView),
    applications: Type.Array(ApplicationView),
    suppliers: Type.Array(Name, { description: 'whose rows it may upload today' }),
    authorities: Type.Array(AuthorityView, { description: 'granted to the account itself' }),
    providers: Type.Array(Type.Object({ account: Uuid, named_at: Time('when it was named') }, closed), {
      description: 'verification service providers that the account has named',
    }),
    serves: Type.Array(Type.Object({ account: Uuid, name: Name }, closed), {
      description: 'suppliers that have named the account as their verification service provider',
    }),
    cec_details: CecDetailsView,
    api_declaration: ApiDeclarationView,
  },
  closed,
);

export function accountView(accounts: Accounts, account: Account, detailsDaysMax: number): object {
  const { id, name, kinds, version, contact, authorities, providers } = account;
  return {
    id,
    name,
    kinds,
    version,
    ...defined({ contact }),
    users: account.users.map(({ user, administrator, addedAt }) => {
      const known = accounts.book.user(user);
      return {
        id: user,
        name: known?.name ?? '',
        email: known?.email ?? '',
        administrator,
        added_at: addedAt,
      };
    }),
    subscriptions: account.subscriptions.map((subscription) =>
      subscriptionView(accounts, account, subscription),
    ),
    applications: account.applications.map(applicationView),
    suppliers: suppliersOf(accounts.authoritiesOf(account)),
    authorities: authorities.map(authorityView),
    providers: providers.map(({ account: named, namedAt }) => ({ account: named, named_at: namedAt })),
    serves: accounts.book.servedBy(account).map((served) => ({ account: served.id, name: served.name })),
    cec_details: cecDetailsView(account.cecDetails, accounts.now(), detailsDaysMax),
    api_declaration: apiDeclarationView(accounts.apiDeclarationOf(account)),
  };
}

export function applicationView({
  id,
  kinds,
  legalName,
  abn,
  contact,
  lodgedAt,
  lodgedBy,
  assessment,
}: Application): object {
  return {
    id,
    kinds,
    legal_name: legalName,
    abn,
    contact,
    state: assessment?.decision ?? 'pending',
    lodged_at: lodgedAt,
    lodged_by: lodgedBy,
    ...(assessment
      ? { reason: assessment.reason, assessed_at: assessment.at, assessed_by: assessment.by }
      : {}),
  };
}

export function authorityView({ grantedAt, grantedBy, ...authority }: Authority): object {
  return { ...authority, granted_at: grantedAt, granted_by: grantedBy };
}

function subscriptionView(
  accounts: Accounts,
  { keys }: Account,
  { id, name, user, terms, createdAt, revokedAt }: Account['subscriptions'][number],
): object {
  return {
    id,
    name,
    ...defined({ user, terms }),
    created_at: createdAt,
    ...defined({ revoked_at: revokedAt }),
    keys: keys
      .filter(({ subscription }) => subscription === id)
      .map((key) => ({
        id: key.id,
        slot: key.slot,
        created_at: key.createdAt,
        ...defined({ revoked_at: key.revokedAt, last_used_on: accounts.book.keyUse(key.id)?.day }),
      })),
  };
}

function cecDetailsView(details: CecDetails, now: number, daysMax: number): object {
  const { missing, stale } = detailFaults(details, now, daysMax);
  return {
    ...defined({
      company_name: details.company_name?.value,
      abn: details.abn?.value,
      brands: details.brands?.value,
      contact: details.contact?.value,
    }),
    missing,
    stale,
  };
}
