import type { Identity } from '#gateway/accounts/book.ts';
import type { Finding, Waiver } from '#shared/domain/claims/index.ts';
import type { PublishedClaim } from './desk.ts';
import { seesAllClaims } from './viewer.ts';

/** One event of a claim with its decision, as the ledger has it; in the order of the log. */
export interface ClaimRow {
  readonly event: string;
  readonly kind: string;
  readonly account: string;
  readonly submitted_by: string;
  readonly received_at: number;
  readonly reason: string;
  readonly audit: string;
  readonly based_on: string;
  readonly asked_by: string;
  readonly waived: readonly Waiver[];
  readonly file: string;
  readonly record: number;
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

/** A claim that somebody may see: its events in the ledger, none yet while it is on its way there. */
export interface VisibleClaim {
  readonly id: string;
  readonly claimant: string;
  readonly rows: readonly ClaimRow[];
}

const pauseMs = 100;
/** A claim of another instance may be on its way to the ledger: nobody is told at once that it does not exist. */
const unknownWaitMs = 1_000;

/**
 * A claim as the ledger has it once `enough` of it is there, or when `waitMs` is over. Undefined when there is none that
 * this account may see (SEC-1: the account that claimed, and the regulator).
 */
export async function visibleClaim(
  reads: ClaimReads,
  id: string,
  { account }: Pick<Identity, 'account'>,
  waitMs: number,
  enough: (rows: readonly ClaimRow[]) => boolean = isDecided,
): Promise<VisibleClaim | undefined> {
  const published = reads.published(id);
  const start = reads.now();
  const known = (rows: readonly ClaimRow[]) => published !== undefined || isDecided(rows);
  const patience = (rows: readonly ClaimRow[]) =>
    start + (known(rows) ? waitMs : Math.max(waitMs, unknownWaitMs));
  let rows = await reads.rows(id);
  while (!(isDecided(rows) && enough(rows)) && reads.now() < patience(rows)) {
    await reads.pause(pauseMs);
    rows = await reads.rows(id);
  }
  const claimant = rows.find(({ kind }) => kind === 'claim')?.account ?? published?.account;
  if (claimant === undefined) return undefined;
  if (!seesAllClaims(account) && claimant !== account.id) return undefined;
  return { id, claimant, rows };
}

function isDecided(rows: readonly ClaimRow[]): boolean {
  return rows.some(({ kind }) => kind === 'claim');
}

function isApplied({ decision }: ClaimRow): boolean {
  return decision !== 'not_applied';
}

/** The assessment that counts: the latest that applied. */
export function latestAssessment(rows: readonly ClaimRow[]): ClaimRow | undefined {
  const claims = rows.filter(({ kind }) => kind === 'claim');
  return claims.findLast(isApplied) ?? claims.at(-1);
}

/** Status after the last event that applied; undefined while nothing is decided. */
export function statusOf(rows: readonly ClaimRow[]): string | undefined {
  return rows.findLast(isApplied)?.status;
}

/** Status and certificates are those of the last event that applied; findings and figures those of the claim itself. */
export function claimView({ id, rows }: VisibleClaim, { account }: Pick<Identity, 'account'>): ClaimView {
  const claim = latestAssessment(rows);
  if (!claim) return { id, state: 'pending' };
  const latest = rows.findLast(isApplied) ?? claim;
  return {
    id,
    state: 'decided',
    status: latest.status,
    decision: claim.decision,
    findings: findingViews(claim.findings, seesAllClaims(account)),
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
    assessment: claim.event,
    events: rows.map(({ event, kind, decision, received_at }) => ({ event, kind, decision, received_at })),
  };
}

/** Everything that happened to a claim, in the order of the log. Who acted for the regulator is the regulator's affair. */
export function historyView(claim: VisibleClaim, { account }: Pick<Identity, 'account'>): object {
  const forRegulator = seesAllClaims(account);
  const events = claim.rows.map((row) => ({
    event: row.event,
    kind: row.kind,
    by: row.account === claim.claimant && row.asked_by === '' ? 'claimant' : 'regulator',
    received_at: row.received_at,
    reason: row.reason,
    applied: isApplied(row),
    decision: row.decision,
    status: row.status,
    findings: findingViews(row.findings, forRegulator),
    waived: row.waived,
    based_on: row.based_on,
    certificates: row.certificates,
    certificate_status: row.certificate_status,
    accreditation_code: row.accreditation_code,
    certificate_year: row.certificate_year,
    first_number: row.first_number,
    last_number: row.last_number,
    snapshot: row.snapshot,
    rule_set: row.rule_set,
    ...(forRegulator
      ? {
          account: row.account,
          asked_by: row.asked_by,
          submitted_by: row.submitted_by,
          evidenced_offset: row.evidenced_offset,
        }
      : {}),
  }));
  return { id: claim.id, state: events.length > 0 ? 'decided' : 'pending', events };
}

/** `reference` names other claims and accounts: for the regulator's eyes. */
export function findingViews(findings: readonly Finding[], forRegulator: boolean): readonly object[] {
  return findings.map(({ code, effect, subject, detail, reference }) => ({
    code,
    effect,
    subject,
    detail,
    ...(forRegulator ? { reference } : {}),
  }));
}
