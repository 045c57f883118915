import type { Account } from '#gateway/accounts/account.ts';
import type { SearchReads } from '#gateway/ledger/search.ts';
import { normalise } from '#shared/domain/normalise.ts';
import type { FoundEntry, SearchQuery, SearchScope } from './query.ts';
import { searchAll } from './search.ts';

/** SEC-1: the regulator finds all; others what was sent for suppliers they may send for, and what they have sent themselves. */
export async function searchScope(
  reads: Pick<SearchReads, 'suppliersOf'>,
  account: Account,
): Promise<SearchScope> {
  if (account.kind === 'regulator') return { kind: 'all' };
  const served = account.suppliers.map(normalise);
  const sent = await reads.suppliersOf(account.id);
  return { kind: 'own', account: account.id, served, suppliers: [...new Set([...served, ...sent])] };
}

export async function* searchAllOf(
  reads: SearchReads,
  query: SearchQuery,
  account: Account,
): AsyncGenerator<readonly FoundEntry[]> {
  yield* searchAll(reads, query, await searchScope(reads, account));
}
