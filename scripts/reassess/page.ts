import { sydneyDay } from '#shared/domain/days.ts';
import { type Reassessment, sameVerdict, type Verdict } from './reassess.ts';

/** What was found, for a person to read. */
export function reassessmentPage(found: Reassessment, asOf: string): string {
  const { recorded, carried, ledger } = found;
  const lines = [
    `Claim ${found.claim}, as of ${asOf}: ${found.status}`,
    `decided ${new Date(found.decided_at).toISOString()} (${sydneyDay(found.decided_at)} in Sydney), event ${found.event}, place ${found.evidenced_offset} in the order of all claims`,
    '',
    `recorded                          ${verdictLine(recorded)}`,
    carried
      ? `from what the decision carries    ${verdictLine(carried)}: ${sameness(carried, recorded)}`
      : 'from what the decision carries    not possible: it was made before decisions carried their state',
    `from the ledger as it stood then  ${verdictLine(ledger.verdict)}: ${sameness(ledger.verdict, recorded)}`,
    '',
    `ledger as it stood: ${ledgerLine(ledger)}`,
    ledger.differences.length === 0
      ? 'evidence read again: the same'
      : `evidence read again: NOT THE SAME in ${ledger.differences.join(', ')}`,
    '',
    ...findingLines(recorded),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function verdictLine({ decision, certificates, accreditation_code, ...numbers }: Verdict): string {
  if (certificates === 0) return decision;
  const { certificate_year, first_number, last_number } = numbers;
  return `${decision}, ${certificates} certificates (${accreditation_code} ${certificate_year} ${first_number}-${last_number})`;
}

function sameness(verdict: Verdict, recorded: Verdict): string {
  return sameVerdict(verdict, recorded) ? 'the same' : 'NOT THE SAME';
}

function ledgerLine({ stamps, snapshot, rulings_offset }: Reassessment['ledger']): string {
  const watermarks = stamps.map(({ partition, watermark }) => `partition ${partition} up to ${watermark}`);
  return [
    watermarks.length === 0 ? 'no serials were asked for' : watermarks.join(', '),
    snapshot === '' ? 'no list' : `lists ${snapshot}`,
    rulings_offset < 0 ? 'no rulings' : `rulings up to ${rulings_offset}`,
  ].join('; ');
}

function findingLines({ findings }: Verdict): string[] {
  if (findings.length === 0) return ['no findings'];
  return findings.map(({ code, effect, subject, detail, reference }) =>
    [
      `${effect.padEnd(7)} ${code}`,
      subject === '' ? '' : ` (${subject})`,
      `: ${detail}`,
      reference === '' ? '' : ` [${reference}]`,
    ].join(''),
  );
}
