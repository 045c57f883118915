import { isRegulator } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import type { Finding } from '#shared/domain/claims/index.ts';
import type { PublishedClaim } from './desk.ts';

/** One event of a claim with its decision, as the ledger has it; in the order of the log. */
export interface ClaimRow {
  readonly event: string;
  readonly kind: string;
  readonly account: string;
  readonly received_at: number;
  readonly reason: string;
  readonly audit: string;
  readonly evidenced_offset: number;
  readonly decision: string;
  readonly status: string;
  readonly findings: readonly Finding[];
  readonly entitlement: string;
  readonly certificates: number;
  readonly unrounded: string;
  readonly annual_mwh: string;
  readonly working: readonly string[];
  readonly rule_ids: readonly string[];
  readonly rule_set: string;
  readonly snapshot: string;
  readonly accreditation_code: string;
  readonly certificate_year: number;
  readonly first_number: number;
  readonly last_number: number;
  readonly certificate_status: string;
}

export interface ClaimView {
  readonly id: string;
  readonly state: 'pending' | 'decided';
  readonly status?: string;
  readonly decision?: string;
  readonly findings?: readonly object[];
  readonly [figure: string]: unknown;
}

export interface ClaimReads {
  rows(claim: string): Promise<readonly ClaimRow[]>;
  published(claim: string): PublishedClaim | undefined;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

const pauseMs = 100;
/** A claim of another instance may be on its way to the ledger: nobody is told at once that it does not exist. */
const unknownWaitMs = 1_000;

/**
 * A claim as it stands, or, with `waitMs`, once it is decided. Undefined when there is none that this account may see
 * (SEC-1: the account that claimed, and the regulator).
 */
export async function claimState(
  reads: ClaimReads,
  claim: string,
  { account }: Identity,
  waitMs: number,
): Promise<ClaimView | undefined> {
  const published = reads.published(claim);
  const until = reads.now() + (published ? waitMs : Math.max(waitMs, unknownWaitMs));
  let rows = await reads.rows(claim);
  while (!rows.some(({ kind }) => kind === 'claim') && reads.now() < until) {
    await reads.pause(pauseMs);
    rows = await reads.rows(claim);
  }
  const claimant = rows.find(({ kind }) => kind === 'claim')?.account ?? published?.account;
  if (claimant === undefined) return undefined;
  if (!isRegulator(account) && claimant !== account.id) return undefined;
  return viewOf(claim, rows, isRegulator(account));
}

/** Status and certificates are those of the last event that applied; findings and figures those of the claim itself. */
function viewOf(id: string, rows: readonly ClaimRow[], forRegulator: boolean): ClaimView {
  const applied = rows.filter(({ decision }) => decision !== 'not_applied');
  const claim =
    applied.findLast(({ kind }) => kind === 'claim') ?? rows.findLast(({ kind }) => kind === 'claim');
  if (!claim) return { id, state: 'pending' };
  const latest = applied.at(-1) ?? claim;
  return {
    id,
    state: 'decided',
    status: latest.status,
    decision: claim.decision,
    findings: claim.findings.map((finding) => findingView(finding, forRegulator)),
    entitlement: claim.entitlement,
    certificates: claim.certificates,
    unrounded: claim.unrounded,
    annual_mwh: claim.annual_mwh,
    working: claim.working,
    rule_set: claim.rule_set,
    rule_ids: claim.rule_ids,
    snapshot: claim.snapshot,
    accreditation_code: claim.accreditation_code,
    certificate_year: claim.certificate_year,
    first_number: claim.first_number,
    last_number: claim.last_number,
    certificate_status: latest.certificate_status,
    submitted_at: rows[0]!.received_at,
    events: rows.map(({ event, kind, decision, received_at }) => ({ event, kind, decision, received_at })),
  };
}

/** `reference` names other claims and accounts: for the regulator's eyes. */
function findingView({ code, effect, subject, detail, reference }: Finding, forRegulator: boolean): object {
  return { code, effect, subject, detail, ...(forRegulator ? { reference } : {}) };
}
