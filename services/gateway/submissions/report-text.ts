import { writeToString } from 'fast-csv';
import { type ReportRow, reportCells, reportHeadings } from './report.ts';

type Rows = AsyncIterable<readonly ReportRow[]>;

/**
 * CSV with headings, in blocks as the rows come. Begins with a byte order mark: spreadsheets then read it as UTF-8. Texts that
 * came in an upload must not become formulas there: those that begin like one get an apostrophe, which uploads take off.
 */
export async function* csvReport(rows: Rows): AsyncGenerator<string> {
  yield `\ufeff${await writeToString([reportHeadings], csvFormat)}`;
  for await (const block of rows)
    if (block.length > 0)
      yield await writeToString(
        block.map((row) => reportCells(row).map(harmless)),
        csvFormat,
      );
}

/** What comes from somebody's upload must be no formula in somebody's spreadsheet. */
export function harmless(cell: string): string {
  return /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
}

const csvFormat = { headers: false, rowDelimiter: '\r\n', includeEndRowDelimiter: true } as const;

/** One JSON object, in blocks as the rows come. */
export async function* jsonReport(
  { id, state }: { readonly id: string; readonly state: string },
  rows: Rows,
): AsyncGenerator<string> {
  const head = JSON.stringify({ submission: id, state, rows: [] });
  yield head.slice(0, -2);
  let separator = '';
  for await (const block of rows) {
    if (block.length === 0) continue;
    yield separator + block.map((row) => JSON.stringify(row)).join(',');
    separator = ',';
  }
  yield ']}';
}
