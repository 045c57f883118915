import { type Headings, readHeadings } from '#gateway/csv/headings.ts';
import { readRecords } from '#gateway/csv/records.ts';
import { decodeText } from '#gateway/csv/text.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { type Batch, Batcher } from './batches.ts';
import type { DocumentKind } from './documents.ts';
import { RowReader, type Sender } from './rows.ts';

export interface FileContents {
  readonly rows: number;
  readonly batches: readonly Batch[];
  /** Rows by finding of the gateway; empty for those without. */
  readonly findings: ReadonlyMap<string, number>;
}

/** A refused file is counted on up to this many times its limit, so that the message can tell how long it is (UP-2). */
const countedOn = 10;

/**
 * Reads a whole file into batches, or says why it is refused. What it makes depends on the bytes, the number of partitions
 * and, for findings alone, on what the account may do. Works in slices: other requests go on meanwhile.
 */
export async function readFile(
  bytes: Buffer,
  document: DocumentKind,
  options: { readonly partitions: number; readonly sender: Sender },
): Promise<FileContents | Refusal> {
  const decoded = decodeText(bytes);
  if (isRefusal(decoded)) return decoded;

  const batcher = new Batcher(document, options.partitions);
  const findings = new Map<string, number>();
  let reader: RowReader | undefined;
  let rows = 0;
  const refusal = await readRecords(decoded.text, (cells, line) => {
    if (!reader) {
      const headings: Headings | Refusal = readHeadings(cells, document.layout);
      if (isRefusal(headings)) return headings;
      reader = new RowReader(document, headings, options.sender);
      return undefined;
    }
    rows += 1;
    if (rows > document.rowsMax)
      return rows > document.rowsMax * countedOn ? tooManyRows(rows, document.rowsMax) : undefined;
    const row = reader.read(cells, rows, line);
    findings.set(row.record.finding, (findings.get(row.record.finding) ?? 0) + 1);
    batcher.add(row);
    return undefined;
  });
  if (refusal) return refusal;
  if (rows > document.rowsMax) return tooManyRows(rows, document.rowsMax);
  if (rows === 0) return refuse('file_empty');
  return { rows, batches: batcher.batches(), findings };
}

function tooManyRows(count: number, limit: number): Refusal {
  const least = count > limit * countedOn ? 'at least ' : '';
  return refuse('too_many_rows', `the file has ${least}${count} rows, the limit is ${limit}`, {
    limit,
    count,
  });
}
