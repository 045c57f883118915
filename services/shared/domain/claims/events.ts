import {
  type ClaimEvent,
  type ClaimFacts,
  type EventContext,
  type EventHead,
  noContext,
  noFacts,
} from './claim.ts';
import { unitOf, unitOfClaim } from './identity.ts';

/** Who sends an event, when. `event`: its id; a copy of an event has the same. */
export interface Sender {
  readonly event: string;
  readonly account: string;
  readonly submitted_by: string;
  readonly received_at: number;
}

/** A claim as it is published. `claim`: its id, from `claimIdOf(unitOf(facts), ...)`. */
export function claimEvent(
  sender: Sender,
  claim: string,
  facts: ClaimFacts,
  context: Partial<EventContext> = {},
): ClaimEvent {
  return { ...facts, ...noContext, ...context, ...head(sender, 'claim', claim), unit: unitOf(facts) };
}

export function withdrawalEvent(sender: Sender, claim: string, reason: string): ClaimEvent {
  return { ...bare(sender, 'withdrawal', claim), reason };
}

/** The regulator refuses what is held. `based_on`: the assessment that it has seen. */
export function refusalEvent(sender: Sender, claim: string, reason: string, based_on: string): ClaimEvent {
  return { ...bare(sender, 'refusal', claim), reason, based_on };
}

/** The regulator's word on a claim's certificates. */
export function auditEvent(
  sender: Sender,
  claim: string,
  audit: 'passed' | 'failed',
  reason: string,
): ClaimEvent {
  return { ...bare(sender, 'audit', claim), audit, reason };
}

/** The creation fee was paid. */
export function registrationEvent(sender: Sender, claim: string, reason: string): ClaimEvent {
  return { ...bare(sender, 'registration', claim), reason };
}

function bare(sender: Sender, kind: EventHead['kind'], claim: string): ClaimEvent {
  return { ...noFacts, ...noContext, ...head(sender, kind, claim) };
}

function head(sender: Sender, kind: string, claim: string): EventHead {
  return { ...sender, kind, claim, unit: unitOfClaim(claim), reason: '', audit: '' };
}
