import { type Account, isAdministrator, isStaff } from '#gateway/accounts/account.ts';
import type { Accounts } from '#gateway/accounts/accounts.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';

/** SEC-1: one's own account, and for the agency's staff any. What is not one's own is not there. */
export function visibleAccount(accounts: Accounts, identity: Identity, id: string): Account | Refusal {
  const account = accounts.get(id);
  const visible = account && (account.id === identity.account.id || isStaff(identity.account));
  return visible ? account : refuse('resource_not_found');
}

/** One's own account. */
export function ownAccount(identity: Identity, id: string): Account | Refusal {
  return identity.account.id === id ? identity.account : refuse('resource_not_found');
}

/** One's own account, for its nominated contact and its administrators (ACCT-3). */
export function administeredAccount(identity: Identity, id: string): Account | Refusal {
  if (identity.account.id !== id) return refuse('resource_not_found');
  return isAdministrator(identity.account, identity.user) ? identity.account : refuse('administrator_needed');
}
