import { type Account, isRegulator } from '#gateway/accounts/account.ts';

/**
 * SEC-1: that a serial is in the ledger for somebody else is for the regulator to know. Whoever wants to change one that is
 * not theirs is told what they would be told if there were none.
 */
export function outcomeSeenBy(viewer: Account, outcome: string): string {
  return outcome === 'not_yours' && !isRegulator(viewer) ? 'not_found' : outcome;
}

/** Rows by outcome, as an account may see them: the sum stays the same. */
export function outcomesSeenBy(
  viewer: Account,
  outcomes: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (const [outcome, rows] of Object.entries(outcomes)) {
    const told = outcomeSeenBy(viewer, outcome);
    seen[told] = (seen[told] ?? 0) + rows;
  }
  return seen;
}
