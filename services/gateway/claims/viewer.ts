import { type Account, isRegulator } from '#gateway/accounts/account.ts';

/** SEC-1: who sees the claims of all accounts, and what findings say of others. */
export function seesAllClaims(account: Pick<Account, 'kinds'>): boolean {
  return isRegulator(account);
}
