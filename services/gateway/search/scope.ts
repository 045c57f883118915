import { type Account, isRegulator } from '#gateway/accounts/account.ts';
import type { SearchReads } from '#gateway/ledger/search.ts';
import { normalise } from '#shared/domain/normalise.ts';
import type { SearchScope } from './query.ts';

/** SEC-1: the regulator finds all; others what was sent for suppliers they may send for, and what they have sent themselves. */
export async function searchScope(
  reads: Pick<SearchReads, 'suppliersOf'>,
  account: Account,
  /** Suppliers that the account may upload for today. */
  suppliers: readonly string[],
): Promise<SearchScope> {
  if (isRegulator(account)) return { kind: 'all' };
  const served = suppliers.map(normalise);
  const sent = await reads.suppliersOf(account.id);
  return { kind: 'own', account: account.id, served, suppliers: [...new Set([...served, ...sent])] };
}
