import { normalise } from '#shared/domain/normalise.ts';

/** ACCT-1. A general account may do nothing yet; the others name what an account is for. */
export const accountKinds = ['general', 'supplier', 'vsp', 'agent', 'regulator', 'operator'] as const;
export type AccountKind = (typeof accountKinds)[number];

/** Kinds whose files are taken (ACCT-2). */
export const uploaderKinds: readonly AccountKind[] = ['supplier', 'vsp'];

export interface AccountKey {
  readonly id: string;
  readonly label: string;
  /** SHA-256 of the key, hexadecimal: the key itself is nowhere kept. */
  readonly sha256: string;
  readonly createdAt: number;
  readonly revokedAt?: number;
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly kind: AccountKind;
  /** Supplier names that the account may upload for: a supplier's own, or those that a VSP serves. */
  readonly suppliers: readonly string[];
  /** Number of events applied; commands name the version they are based on (A1). */
  readonly version: number;
  readonly keys: readonly AccountKey[];
}

/** One value of the log `accounts`; mirrors schemas/AccountEvent.avsc. */
export interface AccountEvent {
  readonly event: string;
  readonly account: string;
  readonly version: number;
  readonly kind: string;
  readonly at: number;
  readonly by: string;
  readonly data: string;
}

/** What an event says, by its kind; JSON in the event's `data`. */
export type AccountChange =
  | {
      readonly kind: 'account_created';
      readonly data: {
        readonly name: string;
        readonly kind: AccountKind;
        readonly suppliers: readonly string[];
      };
    }
  | {
      readonly kind: 'key_created';
      readonly data: { readonly key: string; readonly label: string; readonly sha256: string };
    }
  | { readonly kind: 'key_revoked'; readonly data: { readonly key: string } };

/**
 * The account after an event, or undefined when the event is stale: based on another version than the account has by
 * then (A1). Events that a later release has added change nothing but the version.
 */
export function applyEvent(account: Account | undefined, event: AccountEvent): Account | undefined {
  if (event.version !== (account?.version ?? 0)) return undefined;
  const change = { kind: event.kind, data: JSON.parse(event.data) } as AccountChange;
  const version = event.version + 1;
  if (!account) {
    if (change.kind !== 'account_created') return undefined;
    return { id: event.account, ...change.data, version, keys: [] };
  }
  switch (change.kind) {
    case 'account_created':
      return undefined;
    case 'key_created': {
      const { key: id, label, sha256 } = change.data;
      return { ...account, version, keys: [...account.keys, { id, label, sha256, createdAt: event.at }] };
    }
    case 'key_revoked':
      return {
        ...account,
        version,
        keys: account.keys.map((key) => revoked(key, change.data.key, event.at)),
      };
  }
  return { ...account, version };
}

function revoked(key: AccountKey, id: string, at: number): AccountKey {
  return key.id === id && key.revokedAt === undefined ? { ...key, revokedAt: at } : key;
}

/** Whose rows an account sends. Rows that name no supplier are its only supplier's, or its own. */
export function senderOf(account: Account): {
  readonly supplier: string;
  readonly mayUploadFor: (supplierKey: string) => boolean;
} {
  const [only, ...others] = account.suppliers;
  return {
    supplier: only !== undefined && others.length === 0 ? only : account.name,
    mayUploadFor: supplierTest(account),
  };
}

/** Whether a row may name this supplier: names compare as all texts do (SER-2). */
export function supplierTest(account: Account): (supplierKey: string) => boolean {
  const keys = new Set(account.suppliers.map(normalise));
  return (supplierKey) => keys.has(supplierKey);
}
