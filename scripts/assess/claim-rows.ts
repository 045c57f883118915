import { createReadStream } from 'node:fs';
import { type ClaimFileRecord, claimRecordCharsMax, recordReader } from '#gateway/claims/claim-file.ts';
import { dialectOf, headingsCharsMax } from '#gateway/csv/dialect.ts';
import { type Headings, readHeadings } from '#gateway/csv/headings.ts';
import { RecordReader } from '#gateway/csv/records.ts';
import { isRefusal, type Refusal } from '#gateway/refusal.ts';
import { textsOf } from '#gateway/streams/texts.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { claimColumns } from '#shared/domain/claims/index.ts';
import { findReason } from '#shared/domain/reasons.ts';

/** One row of a claim file that is read as it comes. */
export interface ClaimRow {
  /** From 1. */
  readonly record: number;
  readonly line: number;
  /** The text of a column, empty when the file leaves it out. */
  readonly cell: (field: string) => string;
  /** The row as a claim, by the rules of the bulk file. */
  readonly read: () => ClaimFileRecord;
}

const readBytes = 256 * 1024;

/**
 * The rows of a claim file, some at a time, in constant memory. The layout is that of the bulk file without its limit of
 * records; the text is UTF-8, since of a stream nothing else can be told.
 * @throws OperationalError with the sentence of the catalogue when the file as a whole cannot be read
 */
export async function* claimRows(
  file: string,
  onBytes: (bytes: number) => void = () => undefined,
): AsyncGenerator<readonly ClaimRow[], void> {
  const reading = new Reading();
  for await (const text of textsOf(
    counted(createReadStream(file, { highWaterMark: readBytes }), onBytes),
    headingsCharsMax,
  )) {
    if (typeof text !== 'string') throw refused(text);
    await reading.write(text);
    yield reading.taken();
  }
  await reading.end();
  yield reading.taken();
}

async function* counted(
  bytes: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer, void> {
  for await (const piece of bytes) {
    onBytes(piece.length);
    yield piece;
  }
}

class Reading {
  #reader: RecordReader | undefined;
  #headings: Headings | undefined;
  #places: ReadonlyMap<string, number> = new Map();
  #readRow: ReturnType<typeof recordReader> | undefined;
  #records = 0;
  #rows: ClaimRow[] = [];

  async write(text: string): Promise<void> {
    if (this.#reader) return throwIf(await this.#reader.write(text));
    // The first text holds the headings, and so the dialect.
    const { delimiter, line, from } = dialectOf(text);
    this.#reader = new RecordReader({ delimiter, line, recordCharsMax: claimRecordCharsMax }, (cells, at) =>
      this.#take(cells, at),
    );
    throwIf(await this.#reader.write(text.slice(from)));
  }

  async end(): Promise<void> {
    throwIf(await this.#reader?.end());
    if (this.#records === 0) throw refused({ refused: 'file_empty', detail: '' });
  }

  /** Rows that are complete, each once. */
  taken(): readonly ClaimRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  #take(cells: readonly string[], line: number): Refusal | undefined {
    if (!this.#headings) return this.#begin(cells, line);
    this.#records += 1;
    const record = this.#records;
    this.#rows.push({
      record,
      line,
      cell: (field) => cells[this.#places.get(field) ?? -1] ?? '',
      read: () => this.#readRow!(cells, record, line),
    });
    return undefined;
  }

  #begin(cells: readonly string[], line: number): Refusal | undefined {
    const headings = readHeadings(cells, claimColumns, line);
    if (isRefusal(headings)) return headings;
    this.#headings = headings;
    this.#places = new Map(claimColumns.map(({ field }, c) => [field, headings.cellOf[c]!]));
    this.#readRow = recordReader(headings);
    return undefined;
  }
}

function throwIf(refusal: Refusal | undefined): void {
  if (refusal) throw refused(refusal);
}

function refused({ refused: code, detail }: Pick<Refusal, 'refused' | 'detail'>): OperationalError {
  const sentence = findReason(code)?.sentence ?? code;
  return new OperationalError(code, detail ? `${sentence} ${detail}` : sentence, { retryable: false });
}
