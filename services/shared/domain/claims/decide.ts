import { AssertionError } from '#shared/base/errors.ts';
import { decideDeeming } from '../entitlement/deeming.ts';
import { readFacts } from '../entitlement/facts.ts';
import { type Assessment, assessClaim } from './assess.ts';
import type {
  CertificateStatus,
  ClaimStatus,
  Decided,
  DecidedClaim,
  EventDecision,
  EvidencedClaim,
  Finding,
} from './claim.ts';
import { entitlementInput } from './entitlement.ts';
import { type FindingCode, finding } from './findings.ts';
import { premisesOf, unitOf, unitOfClaim } from './identity.ts';
import { release } from './reservations.ts';
import { type ClaimRules, rulesOf } from './rules.ts';
import {
  type Changes,
  type ClaimRecord,
  noPremises,
  type PremisesRecord,
  type Surroundings,
  stateOf,
  stateText,
} from './state.ts';

/** What one event of `claims.evidenced` becomes, and what it changes. */
export interface DecidedEvent {
  readonly decided: Decided;
  readonly changes: Changes;
}

/**
 * Decides one event (C2). A function of message and state alone (D9): the rules come from the version in the message.
 * An event that does not apply changes nothing and says why.
 */
export function decideEvent(event: EvidencedClaim, offset: number, state: Surroundings): DecidedEvent {
  if (unitOfClaim(event.claim) !== event.unit || (event.kind === 'claim' && unitOf(event) !== event.unit))
    return notApplied(offset, state, 'field_invalid', 'the unit key belongs to another claim');
  switch (event.kind) {
    case 'claim':
      return decideClaim(event, offset, state, rulesOf(event.rules_version));
    case 'withdrawal':
      return decideWithdrawal(event, offset, state);
    case 'refusal':
      return decideRefusal(event, offset, state);
    case 'registration':
      return decideRegistration(offset, state);
    case 'audit':
      return decideAudit(event, offset, state);
    default:
      throw new AssertionError(`no rule for an event of kind ${event.kind}`);
  }
}

/**
 * Decides a claim once more from what its decision carries: message, evidence, and the state it was decided on. Events
 * other than claims, and claims decided before decisions carried their state, cannot be decided again: undefined.
 */
export function decideAgain(decided: DecidedClaim): Decided | undefined {
  if (decided.kind !== 'claim' || decided.state_before === '') return undefined;
  return decideEvent(decided, decided.evidenced_offset, stateOf(decided.state_before)).decided;
}

/** An event without figures. */
function plain(
  offset: number,
  decision: EventDecision,
  record: ClaimRecord | undefined,
  findings: readonly Finding[],
): Decided {
  return {
    evidenced_offset: offset,
    decision,
    status: record?.status ?? '',
    findings,
    entitlement: '',
    certificates: 0,
    unrounded: '',
    annual_mwh: '',
    working: [],
    rule_ids: [],
    rule_set: '',
    accreditation_code: '',
    certificate_year: 0,
    first_number: 0,
    last_number: 0,
    certificate_status: '',
    premises: '',
    state_before: '',
  };
}

function notApplied(offset: number, state: Surroundings, code: FindingCode, detail: string): DecidedEvent {
  return {
    decided: plain(offset, 'not_applied', state.claim, [finding(code, 'claim', detail)]),
    changes: {},
  };
}

/** A claim that is held may be made again, with the same id, when what was asked has been answered. */
function decideClaim(
  event: EvidencedClaim,
  offset: number,
  state: Surroundings,
  rules: ClaimRules,
): DecidedEvent {
  if (state.claim && state.claim.account !== event.account)
    return notApplied(offset, state, 'not_claimant', 'the claim belongs to another account');
  if (state.claim && state.claim.status !== 'held')
    return notApplied(offset, state, 'claim_closed', `the claim is ${state.claim.status} already`);
  if (state.claim?.events.includes(event.event))
    return notApplied(offset, state, 'claim_closed', 'this event was decided already');
  if (overtaken(event, state)) return notApplied(offset, state, 'claim_changed', overtakenDetail);
  const assessment = assessClaim(event, event, state, rules);
  const record = recordOf(event, state.claim, assessment);
  return {
    decided: decidedClaim(event, offset, assessment, record, state),
    changes:
      assessment.decision === 'approved'
        ? approval(event, state, assessment, record, rules)
        : { claim: record },
  };
}

const overtakenDetail = 'the claim was assessed again meanwhile';

/** The event is based on an assessment that is not the latest: whoever sent it had not seen what it would change. */
function overtaken(event: EvidencedClaim, { claim }: Surroundings): boolean {
  return event.based_on !== '' && claim?.events.at(-1) !== event.based_on;
}

function recordOf(
  event: EvidencedClaim,
  former: ClaimRecord | undefined,
  { decision, serials, entitlement, numbers }: Assessment,
): ClaimRecord {
  const approved = decision === 'approved';
  return {
    status: decision,
    account: event.account,
    unit_kind: event.unit_kind,
    premises: premisesOf(event),
    events: decision === 'held' ? [...(former?.events ?? []), event.event] : [],
    slots: approved ? serials.map(({ slot }) => slot) : [],
    certificates: approved ? (entitlement.stcs ?? 0) : 0,
    first_number: numbers?.first ?? 0,
    certificate_year: numbers?.year ?? 0,
  };
}

function decidedClaim(
  event: EvidencedClaim,
  offset: number,
  { decision, findings, entitlement, numbers, code }: Assessment,
  record: ClaimRecord,
  state: Surroundings,
): Decided {
  return {
    ...plain(offset, decision, record, findings),
    entitlement: entitlement.outcome,
    certificates: record.certificates,
    unrounded: entitlement.unrounded ?? '',
    annual_mwh: entitlement.annual_mwh ?? '',
    working: entitlement.working,
    rule_ids: entitlement.rule_ids,
    rule_set: `${entitlement.rule_set} claims-${event.rules_version}`,
    accreditation_code: code,
    certificate_year: numbers?.year ?? 0,
    first_number: numbers?.first ?? 0,
    last_number: numbers?.last ?? 0,
    certificate_status: numbers ? 'Pending audit' : '',
    premises: record.premises,
    state_before: stateText(state),
  };
}

function approval(
  event: EvidencedClaim,
  state: Surroundings,
  { reservations, numbers, code, entitlement }: Assessment,
  record: ClaimRecord,
  rules: ClaimRules,
): Changes {
  const period = { claim: event.claim, years: deemedYears(event, state, rules) };
  const multiplied =
    (entitlement.stcs_without_solar_credits ?? 0) < (entitlement.stcs ?? 0) &&
    entitlement.stcs_without_solar_credits !== null;
  return {
    claim: record,
    unit: { code, live: [...(state.unit?.live ?? []), period] },
    premises: premisesWith(state.premises ?? noPremises, event, multiplied),
    slots: reservations,
    ...(numbers ? { lastNumber: numbers.last } : {}),
    ...(state.unit ? {} : { lastCode: state.lastCode + 1 }),
  };
}

/** Years that an approved claim covers; `max`: no period can follow (DEEM-7), as for a battery. */
function deemedYears(event: EvidencedClaim, state: Surroundings, rules: ClaimRules): number | 'max' {
  const known = { createdOn: event.created_on, unit: state.unit, premises: state.premises };
  const reading = readFacts(entitlementInput(event, known));
  if ('faults' in reading || reading.facts.kind === 'battery') return 'max';
  const { years, isMaximum } = decideDeeming(reading.facts, rules.entitlement);
  return isMaximum ? 'max' : years;
}

function premisesWith(premises: PremisesRecord, event: EvidencedClaim, multiplied: boolean): PremisesRecord {
  const kind = event.unit_kind;
  return {
    live: { ...premises.live, [kind]: (premises.live[kind] ?? 0) + 1 },
    latest: event.claim,
    multiplied: multiplied ? event.claim : premises.multiplied,
    battery: kind === 'battery' ? event.claim : premises.battery,
  };
}

function premisesWithout(premises: PremisesRecord, kind: string, claim: string): PremisesRecord {
  const unless = (id: string) => (id === claim ? '' : id);
  const { [kind]: count = 0, ...others } = premises.live;
  return {
    live: count > 1 ? { ...others, [kind]: count - 1 } : others,
    latest: unless(premises.latest),
    multiplied: unless(premises.multiplied),
    battery: unless(premises.battery),
  };
}

/** A claim can be withdrawn by its account until its audit. Its numbers are never given again. */
function decideWithdrawal(event: EvidencedClaim, offset: number, state: Surroundings): DecidedEvent {
  const { claim } = state;
  if (!claim) return notApplied(offset, state, 'claim_unknown', 'there is no claim with this id');
  if (claim.account !== event.account)
    return notApplied(offset, state, 'not_claimant', 'the claim belongs to another account');
  if (claim.status !== 'approved' && claim.status !== 'held')
    return notApplied(offset, state, 'claim_closed', `the claim is ${claim.status} already`);
  return ended(event, offset, state, claim, 'withdrawn');
}

/** The regulator's word on a claim that is held: it gets no certificates. */
function decideRefusal(event: EvidencedClaim, offset: number, state: Surroundings): DecidedEvent {
  const { claim } = state;
  if (!claim) return notApplied(offset, state, 'claim_unknown', 'there is no claim with this id');
  if (claim.status !== 'held')
    return notApplied(
      offset,
      state,
      'claim_closed',
      `the claim is ${claim.status}: there is nothing to refuse`,
    );
  if (overtaken(event, state)) return notApplied(offset, state, 'claim_changed', overtakenDetail);
  const record: ClaimRecord = { ...claim, status: 'refused', events: [] };
  return { decided: plain(offset, 'refused', record, []), changes: { claim: record } };
}

/** CERT-3: certificates are valid once their fee is paid, and it can be paid once they have passed. */
function decideRegistration(offset: number, state: Surroundings): DecidedEvent {
  const { claim } = state;
  if (!claim) return notApplied(offset, state, 'claim_unknown', 'there is no claim with this id');
  if (claim.status !== 'passed')
    return notApplied(offset, state, 'claim_closed', `the claim is ${claim.status}: no creation fee is due`);
  return advanced(offset, state, claim, 'registered', 'registered', 'Registered');
}

/** CERT-6. Passed: the certificates wait for their fee. Failed: the serials are free again, the numbers are not. */
function decideAudit(event: EvidencedClaim, offset: number, state: Surroundings): DecidedEvent {
  const { claim } = state;
  if (!claim) return notApplied(offset, state, 'claim_unknown', 'there is no claim with this id');
  if (claim.status !== 'approved')
    return notApplied(
      offset,
      state,
      'claim_closed',
      `the claim is ${claim.status}: there is nothing to audit`,
    );
  switch (event.audit) {
    case 'failed':
      return ended(event, offset, state, claim, 'failed');
    case 'passed':
      return advanced(offset, state, claim, 'passed', 'audit_passed', 'Pending creation fee payment');
    default:
      return notApplied(offset, state, 'field_invalid', 'an audit is passed or failed');
  }
}

/** The claim goes on, with all that it holds. */
function advanced(
  offset: number,
  state: Surroundings,
  claim: ClaimRecord,
  status: ClaimStatus,
  decision: EventDecision,
  certificates: CertificateStatus,
): DecidedEvent {
  const record: ClaimRecord = { ...claim, status };
  const decided = plain(offset, decision, record, []);
  return { decided: withCertificates(decided, state, record, certificates), changes: { claim: record } };
}

const endings = {
  withdrawn: { decision: 'withdrawn', certificates: 'Withdrawn' },
  failed: { decision: 'audit_failed', certificates: 'Invalid due to audit' },
} as const;

function ended(
  event: EvidencedClaim,
  offset: number,
  state: Surroundings,
  claim: ClaimRecord,
  status: ClaimStatus & keyof typeof endings,
): DecidedEvent {
  const ending = endings[status];
  const record: ClaimRecord = { ...claim, status, slots: [], events: [] };
  const decided = withCertificates(
    plain(offset, ending.decision, record, []),
    state,
    record,
    ending.certificates,
  );
  if (claim.status !== 'approved') return { decided, changes: { claim: record } };
  return { decided, changes: { ...liveless(event, state, claim), claim: record } };
}

/** Everything that an approved claim held, without it. */
function liveless(
  event: EvidencedClaim,
  { unit, premises, slots }: Surroundings,
  claim: ClaimRecord,
): Changes {
  return {
    ...(unit ? { unit: { ...unit, live: unit.live.filter((period) => period.claim !== event.claim) } } : {}),
    ...(premises ? { premises: premisesWithout(premises, claim.unit_kind, event.claim) } : {}),
    slots: release(event.claim, claim.slots, slots),
  };
}

/** The numbers that the claim was given, with their new status; `certificates` counts what this decision gives. */
function withCertificates(
  decided: Decided,
  { unit }: Surroundings,
  claim: ClaimRecord,
  status: CertificateStatus,
): Decided {
  if (claim.certificates === 0) return decided;
  return {
    ...decided,
    accreditation_code: unit?.code ?? '',
    certificate_year: claim.certificate_year,
    first_number: claim.first_number,
    last_number: claim.first_number + claim.certificates - 1,
    certificate_status: status,
  };
}
