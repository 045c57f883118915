import type { Authority } from './authority.ts';
import type { CecDetails } from './cec-details.ts';

/** ACCT-1. What an account can apply for; every member account is a general account besides (A3). */
export const upgradeKinds = ['supplier', 'vsp', 'agent', 'inverter_supplier'] as const;
export type UpgradeKind = (typeof upgradeKinds)[number];

export const memberKinds = ['general', ...upgradeKinds] as const;
/** The agency's own. Such an account is of this one kind. */
export const staffKinds = ['regulator', 'operator'] as const;
export const accountKinds = [...memberKinds, ...staffKinds] as const;
export type AccountKind = (typeof accountKinds)[number];

/** Kinds whose files are taken (ACCT-2); which files, is said by `kindsOfProduct`. */
export const uploaderKinds: readonly AccountKind[] = ['supplier', 'vsp', 'inverter_supplier'];

/** Everybody who has a key. */
export const everyKind: readonly AccountKind[] = ['general', ...staffKinds];

export interface AccountKey {
  readonly id: string;
  readonly subscription: string;
  readonly slot: KeySlot;
  /** SHA-256 of the key, hexadecimal: the key itself is nowhere kept. */
  readonly sha256: string;
  readonly createdAt: number;
  readonly revokedAt?: number;
}
export const keySlots = ['primary', 'secondary'] as const;
export type KeySlot = (typeof keySlots)[number];

/** A named subscription to the ledger: who holds its keys acts for the account, as the user who made it. */
export interface Subscription {
  readonly id: string;
  readonly name: string;
  /** Absent for keys that an operator gave: they act for the account, and as nobody in particular. */
  readonly user?: string;
  /** Version of the terms of use that was agreed to. */
  readonly terms?: string;
  readonly createdAt: number;
  readonly revokedAt?: number;
}

export interface AccountUser {
  readonly user: string;
  readonly administrator: boolean;
  readonly addedAt: number;
}

export interface ContactPerson {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
}

/** An application for kinds, and what became of it. */
export interface Application {
  readonly id: string;
  readonly kinds: readonly AccountKind[];
  readonly legalName: string;
  /** 11 digits. */
  readonly abn: string;
  readonly contact: ContactPerson;
  readonly lodgedAt: number;
  readonly lodgedBy: string;
  readonly assessment?: Assessment;
}

export interface Assessment {
  readonly decision: 'approved' | 'refused';
  /** Of a refusal. */
  readonly reason: string;
  readonly at: number;
  readonly by: string;
}

/** Somebody declared a text for the account. */
export interface MadeDeclaration {
  readonly text: string;
  readonly at: number;
  readonly by: string;
}

/** A verification service provider that a supplier named: it may upload what the supplier may. */
export interface NamedProvider {
  readonly account: string;
  readonly namedAt: number;
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly kinds: readonly AccountKind[];
  /** Number of events applied; commands name the version they are based on (A1). */
  readonly version: number;
  /** The contact person nominated to the agency: a user. */
  readonly contact?: string;
  readonly users: readonly AccountUser[];
  readonly subscriptions: readonly Subscription[];
  readonly keys: readonly AccountKey[];
  readonly applications: readonly Application[];
  /** What was granted to the account itself. */
  readonly authorities: readonly Authority[];
  readonly providers: readonly NamedProvider[];
  readonly cecDetails: CecDetails;
  readonly apiDeclarations: readonly MadeDeclaration[];
}

export function isOfKind(account: Pick<Account, 'kinds'>, ...kinds: readonly AccountKind[]): boolean {
  return kinds.some((kind) => account.kinds.includes(kind));
}

/** SEC-1: who sees all data of the ledger. */
export function isRegulator(account: Pick<Account, 'kinds'>): boolean {
  return isOfKind(account, 'regulator');
}

export function isStaff(account: Pick<Account, 'kinds'>): boolean {
  return isOfKind(account, ...staffKinds);
}

export function pendingApplication(account: Pick<Account, 'applications'>): Application | undefined {
  return account.applications.find(({ assessment }) => !assessment);
}

/** ACCT-3: the nominated contact and users with administrator permission apply, add users, name providers. */
export function isAdministrator(account: Account, user: string | undefined): boolean {
  if (user === undefined) return false;
  return account.contact === user || account.users.some((of) => of.user === user && of.administrator);
}

export function isUser(account: Account, user: string | undefined): boolean {
  return user !== undefined && account.users.some((of) => of.user === user);
}

/**
 * The kinds of an account that was asked for by one word: a general account besides, and for a supplier everything
 * that suppliers provide.
 */
export function kindsOfWord(kind: AccountKind): readonly AccountKind[] {
  switch (kind) {
    case 'regulator':
    case 'operator':
    case 'general':
      return [kind];
    case 'supplier':
      return ['general', 'supplier', 'inverter_supplier'];
    case 'vsp':
    case 'agent':
    case 'inverter_supplier':
      return ['general', kind];
  }
}
