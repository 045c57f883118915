import { dialectOf } from '#gateway/csv/dialect.ts';
import { readHeadings } from '#gateway/csv/headings.ts';
import { readRecords } from '#gateway/csv/records.ts';
import { decodeText } from '#gateway/csv/text.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import {
  type ClaimFacts,
  type ClaimFault,
  claimColumns,
  claimFromCells,
} from '#shared/domain/claims/index.ts';
import { findReason } from '#shared/domain/reasons.ts';

/** CLM-14. */
export const claimFileRecordsMax = 250;
/** Two cells of a thousand serials (CLM-2), and the rest. */
export const claimRecordCharsMax = 262_144;

/** One row of a claim file: a claim, or why it cannot be read as one. `line`: where it begins, from 1. */
export interface ClaimFileRecord {
  readonly record: number;
  readonly line: number;
  readonly claim?: ClaimFacts;
  readonly faults: readonly (Omit<ClaimFault, 'code'> & { readonly code: string })[];
}

/** A file is counted on up to this many times its limit, so that its length can be told. */
const countedOn = 10;

/**
 * Reads a claim file: one claim a row. What is wrong with the file as a whole refuses it with the place; what is wrong
 * with a row concerns that row alone. A function of the bytes.
 */
export async function readClaimFile(bytes: Buffer): Promise<readonly ClaimFileRecord[] | Refusal> {
  const decoded = decodeText(bytes);
  if (isRefusal(decoded)) return decoded;
  const records: ClaimFileRecord[] = [];
  let read: ((cells: readonly string[], record: number, line: number) => ClaimFileRecord) | undefined;
  let rows = 0;
  const dialect = dialectOf(decoded.text);
  const refusal = await readRecords(
    decoded.text.slice(dialect.from),
    { ...dialect, recordCharsMax: claimRecordCharsMax },
    (cells, line) => {
      if (!read) {
        const headings = readHeadings(cells, claimColumns, line);
        if (isRefusal(headings)) return headings;
        read = recordReader(headings);
        return undefined;
      }
      rows += 1;
      if (rows <= claimFileRecordsMax) records.push(read(cells, rows, line));
      return rows > claimFileRecordsMax * countedOn ? tooMany(rows) : undefined;
    },
  );
  if (refusal) return refusal;
  if (rows > claimFileRecordsMax) return tooMany(rows);
  return rows === 0 ? refuse('file_empty') : records;
}

function tooMany(count: number): Refusal {
  const least = count > claimFileRecordsMax * countedOn ? 'at least ' : '';
  const limit = claimFileRecordsMax;
  return refuse('too_many_rows', `the file has ${least}${count} claims, the limit is ${limit}`, {
    limit,
    count,
  });
}

/** What reads the rows under these headings. */
export function recordReader({
  cellOf,
  width,
}: {
  readonly cellOf: readonly number[];
  readonly width: number;
}) {
  const places = new Map(claimColumns.map(({ field }, c) => [field, cellOf[c]!]));
  return (cells: readonly string[], record: number, line: number): ClaimFileRecord => {
    // Cells that may stand in the wrong column say nothing.
    if (cells.length < width || cells.slice(width).some((cell) => cell.trim() !== ''))
      return { record, line, faults: [wrongCount(cells.length, width)] };
    const reading = claimFromCells((field) => cells[places.get(field)!] ?? '');
    return 'reasons' in reading
      ? { record, line, faults: reading.reasons }
      : { record, line, claim: reading.claim, faults: [] };
  };
}

function wrongCount(cells: number, headings: number) {
  const code = 'cell_count_wrong';
  return {
    code,
    field: '',
    message: `${findReason(code)?.sentence} ${cells} cells, ${headings} headings.`,
  };
}
