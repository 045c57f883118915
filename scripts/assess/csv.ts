import { createWriteStream, renameSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { harmless } from '#gateway/submissions/report-text.ts';
import { quotedCell } from '../csv-cell.ts';
import type { StoredVerdict } from './verdicts.ts';

export const csvHeadings = [
  'Record',
  'Line',
  'Claim',
  'Type of system',
  'Serials',
  'Decision',
  'Certificates',
  'Unrounded',
  'Findings',
  'Details',
  'References',
] as const;

export function csvCell(text: string): string {
  return quotedCell(harmless(text));
}

/** What decides comes before notes, as in the verdict; each finding as `effect code (subject): sentence`. */
export function csvRow(verdict: StoredVerdict): string {
  const { findings } = verdict;
  const codes = [...new Set(findings.map(({ code }) => code))];
  const details = findings.map(
    ({ effect, code, subject, detail }) =>
      `${effect} ${code}${subject === '' ? '' : ` (${subject})`}: ${detail}`,
  );
  const references = [
    ...new Set(findings.map(({ reference }) => reference).filter((reference) => reference !== '')),
  ];
  return [
    String(verdict.record),
    String(verdict.line),
    verdict.claim,
    verdict.unit_kind,
    String(verdict.serials),
    verdict.decision,
    String(verdict.certificates),
    verdict.unrounded,
    codes.join(';'),
    details.join('; '),
    references.join(';'),
  ]
    .map(csvCell)
    .join(',');
}

/** The verdicts as a file. It is there as a whole, or it is the one that was there before. */
export async function writeCsv(
  file: string,
  verdicts: AsyncIterable<readonly StoredVerdict[]>,
): Promise<void> {
  const unfinished = `${file}.part`;
  await pipeline(Readable.from(lines(verdicts), { objectMode: false }), createWriteStream(unfinished));
  renameSync(unfinished, file);
}

async function* lines(verdicts: AsyncIterable<readonly StoredVerdict[]>): AsyncGenerator<string, void> {
  yield `${csvHeadings.join(',')}\r\n`;
  for await (const rows of verdicts) if (rows.length > 0) yield `${rows.map(csvRow).join('\r\n')}\r\n`;
}
