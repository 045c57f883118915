import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import {
  auditEvent,
  type ClaimFacts,
  claimEvent,
  claimIdOf,
  type DecidedClaim,
  decideEvent,
  type Evidence,
  emptyState,
  unitOf,
} from '#shared/domain/claims/index.ts';
import { after, evidenceFor } from './claims.ts';

/** Puts decisions into the ledger as the ledger-writer does, for a gateway that has no workers behind it. */
export async function writeDecided(clickhouse: Clickhouse, decided: readonly DecidedClaim[]): Promise<void> {
  const timestamp = (at: number) => new Date(at).toISOString().replace('T', ' ').replace('Z', '');
  await clickhouse.insertRows(
    'decided_claims',
    decided.map((row) => ({ ...row, received_at: timestamp(row.received_at) })),
  );
}

/**
 * A claim of an account, decided at some moment: by the ledger as the claim says it is, unless `change` says otherwise,
 * and passed by the regulator when `passed`.
 */
export function decidedStory(
  facts: ClaimFacts,
  how: {
    readonly account: string;
    readonly at: number;
    readonly offset: number;
    readonly change?: Partial<Evidence>;
    readonly passed?: boolean;
  },
): readonly DecidedClaim[] {
  const { account, at, offset } = how;
  const sender = { event: `event-${offset}`, account, submitted_by: 'key', received_at: at };
  const claim = claimEvent(sender, claimIdOf(unitOf(facts), String(offset)), facts);
  const stamped = { evidenced_at: at, ...how.change };
  const evidenced = { ...claim, ...evidenceFor(claim, undefined, stamped) };
  const { decided, changes } = decideEvent(evidenced, offset, emptyState);
  const first = { ...evidenced, ...decided };
  if (!how.passed) return [first];
  const word = { ...sender, event: `event-${offset + 1}`, account: 'regulator' };
  const audit = auditEvent(word, claim.claim, 'passed', 'seen');
  const heard = { ...audit, ...evidenceFor(audit, undefined, stamped) };
  const passed = decideEvent(heard, offset + 1, after(emptyState, changes)).decided;
  return [first, { ...heard, ...passed }];
}
