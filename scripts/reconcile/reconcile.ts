import { claimsScope } from '#certificate/decide/claims-state.ts';
import type { RecoveryContext } from '../recovery/context.ts';
import { checkCertificates, checkClaimLogs } from './claims-ledger.ts';
import { checkClaimState } from './claims-state.ts';
import { checkLetters } from './letters.ts';
import { checkPositions } from './positions.ts';
import { Report } from './report.ts';
import { checkSeen } from './seen.ts';
import { checkSerials } from './serials.ts';
import { checkManifests, checkRows, checkSubmissions } from './submissions.ts';

export interface ReconcileOptions {
  /** Submissions and claims received before are not looked for in the logs: epoch milliseconds. */
  readonly since: number;
  /** How long the fleet may take to get to where two stores can be compared. */
  readonly patienceMs: number;
  /** Differences of one check that are put into words; all are counted. */
  readonly shownMax: number;
  readonly progress?: (doing: string) => void;
}

/**
 * Compares Kafka, Redis and ClickHouse with each other, while the fleet runs. What is told differs: nothing is waited for
 * that could still arrive by itself.
 * @throws OperationalError when they could not be compared
 */
export async function reconcile(context: RecoveryContext, options: ReconcileOptions): Promise<Report> {
  const { patienceMs, progress = () => undefined } = options;
  const report = new Report(options.shownMax);
  progress('positions');
  const live = await checkPositions(context, report, patienceMs);
  progress('submissions');
  await checkSubmissions(context, report, options);
  await checkRows(context, report, options);
  await checkManifests(context, report, options);
  await checkLetters(context, report);
  for (const index of live) {
    if (index.scope === claimsScope) continue;
    progress(`partition ${index.scope}`);
    await checkSerials(context, report, index, patienceMs);
    await checkSeen(context, report, index, patienceMs);
  }
  const claims = live.find(({ scope }) => scope === claimsScope);
  if (claims) {
    progress('claims');
    await checkCertificates(context, report, claims);
    await checkClaimLogs(context, report, claims, options);
    await checkClaimState(context, report, claims, patienceMs);
  }
  return report;
}
