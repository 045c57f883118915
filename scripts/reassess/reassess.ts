import { bySerial, evidenceOf, noEvidence, questionOf } from '#certificate/gather/evidence.ts';
import { ledgerReads } from '#certificate/gather/ledger-reads.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import {
  type Decided,
  type DecidedClaim,
  decideAgain,
  decideEvent,
  type Evidence,
} from '#shared/domain/claims/index.ts';
import { decidedClaims, lastCodeBefore, relatedClaims } from './decided-claims.ts';
import { stateBefore } from './state.ts';

/** What two computations of one verdict are compared by. */
export interface Verdict {
  readonly decision: string;
  readonly certificates: number;
  readonly unrounded: string;
  readonly accreditation_code: string;
  readonly certificate_year: number;
  readonly first_number: number;
  readonly last_number: number;
  readonly findings: Decided['findings'];
}

export interface Reassessment {
  readonly claim: string;
  readonly event: string;
  readonly evidenced_offset: number;
  readonly decided_at: number;
  /** Of the claim at the moment asked about. */
  readonly status: string;
  readonly recorded: Verdict;
  /** Absent when the decision is of a release that did not carry its state. */
  readonly carried?: Verdict;
  readonly ledger: {
    readonly verdict: Verdict;
    /** Parts of the evidence that the ledger shows otherwise now; none when it stood still. */
    readonly differences: readonly string[];
    readonly stamps: Evidence['stamps'];
    readonly snapshot: string;
    readonly rulings_offset: number;
  };
  /** Both computations give the recorded verdict, and the ledger the recorded evidence. */
  readonly same: boolean;
}

/** When the evidence of an event was complete; of the first version of the schema only the receipt is known. */
export function decidedAt({ evidenced_at, received_at }: DecidedClaim): number {
  return evidenced_at > 0 ? evidenced_at : received_at;
}

/**
 * Computes the verdict that was in force at a moment once more, twice: from what the decision carries, and from the ledger
 * as it stood when it was decided. Undefined when nothing was decided by then.
 */
export async function reassess(
  clickhouse: Clickhouse,
  options: { readonly claim: string; readonly by: (at: number) => boolean; readonly partitions: number },
): Promise<Reassessment | undefined> {
  const { claim, by, partitions } = options;
  const events = await decidedClaims(clickhouse, [claim]);
  const applied = events.filter((event) => event.decision !== 'not_applied' && by(decidedAt(event)));
  const decided = applied.findLast(({ kind }) => kind === 'claim');
  if (!decided) return undefined;
  const recorded = verdictOf(decided);
  const again = decideAgain(decided);
  const ledger = await fromLedger(clickhouse, decided, partitions);
  const carried = again && verdictOf(again);
  const verdicts = [ledger.verdict, ...(carried ? [carried] : [])];
  return {
    claim,
    event: decided.event,
    evidenced_offset: decided.evidenced_offset,
    decided_at: decidedAt(decided),
    status: applied.at(-1)!.status,
    recorded,
    ...(carried ? { carried } : {}),
    ledger,
    same: ledger.differences.length === 0 && verdicts.every((verdict) => equal(verdict, recorded)),
  };
}

async function fromLedger(
  clickhouse: Clickhouse,
  decided: DecidedClaim,
  partitions: number,
): Promise<Reassessment['ledger']> {
  const evidence = await gatherAgain(clickhouse, decided, partitions);
  const related = await relatedClaims(clickhouse, decided);
  const state = stateBefore(
    decided,
    await decidedClaims(clickhouse, related),
    await lastCodeBefore(clickhouse, decided.evidenced_offset),
  );
  const { decided: verdict } = decideEvent({ ...decided, ...evidence }, decided.evidenced_offset, state);
  const parts = ['serial_evidence', 'model_evidence', 'ineligible_serials'] as const;
  return {
    verdict: verdictOf(verdict),
    differences: parts.filter((part) => !equal(evidence[part], decided[part])),
    stamps: decided.stamps,
    snapshot: decided.snapshot,
    rulings_offset: decided.rulings_offset,
  };
}

/** The evidence, from the rows, lists and rulings that were there: up to its watermarks, publications and offset. */
async function gatherAgain(
  clickhouse: Clickhouse,
  decided: DecidedClaim,
  partitions: number,
): Promise<Evidence> {
  const source = {
    partition: decided.source_partition,
    offset: decided.source_offset,
    at: decided.evidenced_at,
  };
  const question = questionOf(decided, partitions);
  if (question.serials.length + question.models.length === 0) return noEvidence(decided, source);
  const reads = ledgerReads(clickhouse, partitions);
  const watermarks = new Map(decided.stamps.map(({ partition, watermark }) => [partition, watermark]));
  const stamps = new Map(decided.stamps.map(({ partition, stamp }) => [partition, stamp]));
  const [entries, listings, rulings] = await Promise.all([
    reads.entries(question.serials, watermarks),
    reads.listingsOf(question.models, decided.snapshot),
    reads.rulingsUpTo(question.serials, question.models, decided.rulings_offset),
  ]);
  const answer = { stamps, watermarks, entries, listings, rulings };
  // The rules are those of the decision, whatever this release would use.
  const { rules_version } = decided;
  return { ...evidenceOf(decided, source, answer, bySerial(entries)), rules_version };
}

function verdictOf(decided: Decided): Verdict {
  return {
    decision: decided.decision,
    certificates: decided.certificates,
    unrounded: decided.unrounded,
    accreditation_code: decided.accreditation_code,
    certificate_year: decided.certificate_year,
    first_number: decided.first_number,
    last_number: decided.last_number,
    findings: decided.findings,
  };
}

/** Without regard to the order of fields: ClickHouse has its own. */
function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  );
}

export { equal as sameVerdict };
