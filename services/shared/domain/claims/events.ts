import { type ClaimEvent, type ClaimFacts, type EventHead, noFacts } from './claim.ts';
import { unitOf, unitOfClaim } from './identity.ts';

/** Who sends an event, when. `event`: its id; a copy of an event has the same. */
export interface Sender {
  readonly event: string;
  readonly account: string;
  readonly submitted_by: string;
  readonly received_at: number;
}

/** A claim as it is published. `claim`: its id, from `claimIdOf(unitOf(facts), ...)`. */
export function claimEvent(sender: Sender, claim: string, facts: ClaimFacts): ClaimEvent {
  return { ...facts, ...head(sender, 'claim', claim), unit: unitOf(facts) };
}

export function withdrawalEvent(sender: Sender, claim: string, reason: string): ClaimEvent {
  return { ...noFacts, ...head(sender, 'withdrawal', claim), reason };
}

/** The regulator's word on a claim. */
export function auditEvent(
  sender: Sender,
  claim: string,
  audit: 'passed' | 'failed',
  reason: string,
): ClaimEvent {
  return { ...noFacts, ...head(sender, 'audit', claim), audit, reason };
}

function head(sender: Sender, kind: string, claim: string): EventHead {
  return { ...sender, kind, claim, unit: unitOfClaim(claim), reason: '', audit: '' };
}
