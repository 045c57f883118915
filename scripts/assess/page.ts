import type { Implausible, PlausibilityLimits } from './plausibility.ts';
import type { Summary } from './verdicts.ts';

/** What a job found, by decision and by finding. */
export function summaryPage(job: string, summary: Summary, csv: string): string {
  const claims = summary.decisions.reduce((sum, decision) => sum + decision.claims, 0);
  const share = (of: number) => `${((of / Math.max(claims, 1)) * 100).toFixed(1)} %`;
  return [
    `Job ${job}: ${claims.toLocaleString('en')} claims`,
    '',
    ...summary.decisions.map(
      ({ decision, claims: of, certificates }) =>
        `  ${decision.padEnd(12)} ${number(of)}  ${share(of).padStart(7)}${certificates > 0 ? `  ${certificates.toLocaleString('en')} certificates` : ''}`,
    ),
    '',
    ...(summary.findings.length === 0
      ? ['No findings.']
      : ['Findings, by the number of claims that have them:', '']),
    ...summary.findings.map(
      ({ code, effect, claims: of, times }) =>
        `  ${effect.padEnd(8)} ${code.padEnd(32)} ${number(of)}  ${share(of).padStart(7)}${times > of ? `  ${times.toLocaleString('en')} times` : ''}`,
    ),
    '',
    `Verdicts: ${csv}, and in ClickHouse: SELECT * FROM assessment_verdicts WHERE job = '${job}' ORDER BY record`,
    '',
  ].join('\n');
}

function number(value: number): string {
  return value.toLocaleString('en').padStart(12);
}

/** Why a job has stopped, and how it goes on. */
export function questionPage(
  job: string,
  question: readonly Implausible[],
  { shareMax }: PlausibilityLimits,
  command: string,
): string {
  return [
    `Job ${job} has stopped with a question: is it the claims, or is it the rule?`,
    '',
    ...question.flatMap(({ code, claims, judged, examples }) => [
      `  ${code}: ${claims.toLocaleString('en')} of ${judged.toLocaleString('en')} claims, ${((claims / judged) * 100).toFixed(1)} %; more than ${shareMax * 100} % is not believed without asking`,
      ...examples.map(
        ({ record, line, subject, detail }) =>
          `    record ${record}, line ${line}${subject === '' ? '' : `, ${subject}`}: ${detail}`,
      ),
      '',
    ]),
    'Nothing is answered yet. If the finding is right, go on from here with',
    '',
    `  ${command} ${question.map(({ code }) => `--accept ${code}`).join(' ')}`,
    '',
    'If it is not (a list that is missing, a damaged file, a ledger that is behind), put that right and begin anew with --again.',
    '',
  ].join('\n');
}
