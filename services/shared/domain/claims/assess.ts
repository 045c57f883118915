import type { EntitlementResult } from '../entitlement/index.ts';
import { accreditationCode, type CertificateNumbers, certificateYear, nextNumbers } from './certificates.ts';
import type { ClaimDecision, ClaimEvent, Evidence, Finding } from './claim.ts';
import { differenceFinding, entitlementFindings, entitlementOf, yearsDeemed } from './entitlement.ts';
import { fieldFindings } from './fields.ts';
import { decisionOf, finding, inPrecedence, withWaivers } from './findings.ts';
import { modelFindings } from './models.ts';
import { reserve } from './reservations.ts';
import type { ClaimRules } from './rules.ts';
import {
  type ClaimedSerial,
  countFindings,
  declaredFindings,
  evidenceBySerial,
  evidenceOf,
  serialFindings,
  serialsOf,
} from './serials.ts';
import type { Slot, Surroundings } from './state.ts';

export interface Assessment {
  readonly decision: ClaimDecision;
  /** All of them, in precedence. */
  readonly findings: readonly Finding[];
  readonly entitlement: EntitlementResult;
  /** What the claim would change; empty and absent unless it is approved. */
  readonly serials: readonly ClaimedSerial[];
  readonly reservations: ReadonlyMap<string, Slot>;
  readonly numbers: CertificateNumbers | undefined;
  /** The unit's code: its own, or the next one when this is its first approval. Empty unless approved. */
  readonly code: string;
}

/**
 * Assesses a claim. Pure: the same claim, evidence, state and rules give the same verdict, wherever and whenever it is
 * computed again. Wrong data is a finding, never an exception.
 */
export function assessClaim(
  claim: ClaimEvent,
  evidence: Evidence,
  state: Surroundings,
  rules: ClaimRules,
): Assessment {
  const known = { createdOn: evidence.created_on, unit: state.unit, premises: state.premises };
  const entitlement = entitlementOf(claim, known, rules);
  const serials = serialsOf(claim);
  const bySerial = evidenceBySerial(evidence);
  const found = inPrecedence([
    ...fieldFindings(claim, rules),
    ...entitlementFindings(claim, entitlement),
    ...periodFindings(claim, state),
    ...modelFindings(claim, evidence, rules),
    ...countFindings(claim),
    ...declaredFindings(serials, evidence),
    ...serials.flatMap((claimed) =>
      serialFindings(claim, claimed, evidenceOf(claimed, bySerial), state.slots.get(claimed.slot)),
    ),
    ...addressFindings(claim, state),
    ...differenceFinding(claim, entitlement),
  ]);
  const findings = withWaivers(found, claim.waived);
  const decision = decisionOf(findings);
  const shared = { decision, findings, entitlement, serials };
  if (decision !== 'approved') return { ...shared, reservations: new Map(), numbers: undefined, code: '' };
  return {
    ...shared,
    reservations: reserve(claim.claim, serials, evidence, state.slots),
    numbers: nextNumbers(state.lastNumber, entitlement.stcs ?? 0, certificateYear(evidence.created_on)),
    code: state.unit?.code ?? accreditationCode(claim.unit_kind, state.lastCode + 1),
  };
}

/** DEEM-8, ELIG-2: a unit with live claims can only claim what follows them, and must say so. */
function periodFindings(claim: ClaimEvent, { unit }: Surroundings): readonly Finding[] {
  if (!unit || unit.live.length === 0) return [];
  const covered = yearsDeemed(claim, unit);
  const stated = claim.years_already_deemed === '' ? '0' : claim.years_already_deemed;
  if (claim.unit_kind !== 'battery' && stated === covered) return [];
  const detail =
    covered === 'max'
      ? 'a live claim covers all years of the unit'
      : `live claims cover ${covered} years of the unit, ${stated} are stated`;
  return [
    finding('period_already_claimed', 'years_already_deemed', detail, {
      reference: unit.live.at(-1)?.claim ?? '',
    }),
  ];
}

/** FIND-18. Added systems and extensions are expected beside another unit; a later period of a unit is no other unit. */
function addressFindings(claim: ClaimEvent, { unit, premises }: Surroundings): readonly Finding[] {
  if (claim.installation_type === 'Extension' || claim.installation_type === 'Additional system') return [];
  const others = (premises?.live[claim.unit_kind] ?? 0) - (unit?.live.length ?? 0);
  if (others <= 0) return [];
  return [
    finding(
      'address_repeated',
      'address',
      'there is another live claim for a unit of this kind at the address',
      {
        reference: premises?.latest ?? '',
      },
    ),
  ];
}
