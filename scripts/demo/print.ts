import type { ClaimResult, DemoResult, SubmissionResult } from './scenario.ts';

const reportRowsShown = 6;

/** The demo's result as a person reads it. */
export function printResult(result: DemoResult, say: (text: string) => void): void {
  for (const submission of result.submissions) printSubmission(submission, say);
  const { serial, state, remarks } = result.expired;
  say(
    `\nSerial ${serial}: ${state}, with the remark ${remarks.join(', ')} (the installation date of a claim decides)`,
  );
  for (const claim of result.claims) printClaim(claim, say);
  say('\nTime');
  for (const [what, seconds] of Object.entries(result.seconds))
    say(`  ${seconds.toFixed(2).padStart(6)} s  ${what}`);
  say('');
  if (result.differences.length === 0) say('Everything is as planted: no row lost, none registered twice.');
  for (const difference of result.differences) say(`NOT AS PLANTED  ${difference}`);
}

function printSubmission(
  { id, title, received, outcomes, imbalance, report }: SubmissionResult,
  say: (text: string) => void,
) {
  say(`\n${title}`);
  say(`  submission ${id}: ${received} rows received`);
  for (const [outcome, rows] of Object.entries(outcomes)) say(`  ${String(rows).padStart(6)}  ${outcome}`);
  say(`  ${String(imbalance).padStart(6)}  imbalance (received - all outcomes)`);
  if (report.length === 0) return;
  say(
    `  rows that were not registered, as the report lists them (${Math.min(reportRowsShown, report.length)} of ${report.length}):`,
  );
  for (const row of oneOfEachFirst(report))
    say(`    record ${row.record}, line ${row.line}: ${row.value} [${row.code}] ${row.sentence} ${row.hint}`);
}

/** The first row of each code before others of the same. */
function oneOfEachFirst(report: SubmissionResult['report']): SubmissionResult['report'] {
  const first = report.filter((row, i) => report.findIndex(({ code }) => code === row.code) === i);
  return [...first, ...report.filter((row) => !first.includes(row))].slice(0, reportRowsShown);
}

function printClaim(
  { id, title, decision, certificates, findings, working }: ClaimResult,
  say: (text: string) => void,
) {
  say(`\nClaim ${id} (${title}): ${decision}, ${certificates} certificates`);
  for (const { code, effect, subject, detail } of findings)
    say(`  ${effect.padEnd(6)} ${code} ${subject}: ${detail}`);
  if (certificates > 0) for (const step of working) say(`  ${step}`);
}
