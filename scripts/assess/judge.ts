import type { Cells } from '#certificate/decide/cells.ts';
import { bySerial, evidenceOf } from '#certificate/gather/evidence.ts';
import type { LedgerEntry, Listings } from '#certificate/gather/questions.ts';
import type { ClaimFileRecord } from '#gateway/claims/claim-file.ts';
import { joinKey } from '#shared/base/keys.ts';
import {
  type ClaimEvent,
  type ClaimFacts,
  claimEvent,
  claimIdOf,
  decideEvent,
  type EvidencedClaim,
  type Finding,
  type Surroundings,
  serialsOf,
  unitOf,
} from '#shared/domain/claims/index.ts';
import type { Rulings } from '#shared/domain/rulings/ruling.ts';
import type { Basis } from './basis.ts';
import type { KeptCell } from './earlier.ts';

export interface Verdict {
  readonly record: number;
  readonly line: number;
  readonly claim: string;
  readonly unit_kind: string;
  readonly serials: number;
  /** `unreadable`: the row is no claim; the gateway would not have taken it. */
  readonly decision: 'approved' | 'held' | 'refused' | 'unreadable';
  readonly certificates: number;
  readonly entitlement: string;
  readonly unrounded: string;
  readonly rule_set: string;
  readonly findings: readonly Finding[];
  /** What later records may depend on. */
  readonly state: readonly KeptCell[];
}

/** The claim of a record, as if it came in when the job was begun. */
export function claimOfRecord(facts: ClaimFacts, record: number, { job, begunAt }: Basis): ClaimEvent {
  const sender = {
    event: joinKey(job, String(record)),
    account: 'assessment',
    submitted_by: '',
    received_at: begunAt,
  };
  return claimEvent(sender, claimIdOf(unitOf(facts), joinKey('assessment', job, String(record))), facts);
}

/** What ledger, lists and rulings say of a claim. */
export interface Known {
  readonly entries: readonly LedgerEntry[];
  readonly listings: Listings;
  readonly rulings: Rulings;
}

/** The claim with its evidence, by the function that the live decision uses. */
export function evidencedClaim(
  claim: ClaimEvent,
  record: number,
  known: Known,
  basis: Basis,
): EvidencedClaim {
  const stamps = basis.watermarks;
  const answer = {
    stamps,
    watermarks: stamps,
    entries: known.entries,
    listings: known.listings,
    rulings: { offset: basis.rulingsUpTo, rulings: known.rulings },
  };
  const source = { partition: 0, offset: record, at: basis.begunAt };
  const evidence = evidenceOf(claim, source, answer, bySerial(known.entries));
  return { ...claim, ...evidence, rules_version: basis.rulesVersion };
}

/** Where the state of a claim comes from, and where what it changes goes. */
export interface StatePorts {
  before(claim: EvidencedClaim): { readonly state: Surroundings; readonly cells?: Cells };
  after(
    claim: EvidencedClaim,
    changes: ReturnType<typeof decideEvent>['changes'],
    cells: Cells,
  ): readonly KeptCell[];
}

/** The verdict on a claim, by the rule of the live decision. */
export function judge(
  claim: EvidencedClaim,
  { record, line }: Pick<ClaimFileRecord, 'record' | 'line'>,
  ports: StatePorts,
): Verdict {
  const { state, cells } = ports.before(claim);
  const { decided, changes } = decideEvent(claim, record, state);
  return {
    record,
    line,
    claim: claim.claim,
    unit_kind: claim.unit_kind,
    serials: serialsOf(claim).length,
    decision: decided.decision as Verdict['decision'],
    certificates: decided.certificates,
    entitlement: decided.entitlement,
    unrounded: decided.unrounded,
    rule_set: decided.rule_set,
    findings: decided.findings,
    state: cells ? ports.after(claim, changes, cells) : [],
  };
}

/** A row that cannot be read as a claim. */
export function unreadable({ record, line, faults }: ClaimFileRecord): Verdict {
  return {
    record,
    line,
    claim: '',
    unit_kind: '',
    serials: 0,
    decision: 'unreadable',
    certificates: 0,
    entitlement: '',
    unrounded: '',
    rule_set: '',
    findings: faults.map(({ code, field, message }) => ({
      code,
      effect: 'refuse',
      subject: field,
      detail: message,
      reference: '',
    })),
    state: [],
  };
}
