import { setImmediate } from 'node:timers/promises';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { BlankLines } from './blank-lines.ts';
import type { Delimiter } from './dialect.ts';
import { PieceParser } from './fast-csv.ts';
import { locateBrokenQuotes } from './quotes.ts';

/** Characters given to the parser at once; also the most that one record may hold, unless a kind of file needs more. */
export const pieceChars = 16_384;

/**
 * Called for each record with its cells, the physical line where it starts, from 1, and the one where what follows starts.
 * A refusal ends the reading.
 */
export type OnRecord = (cells: readonly string[], line: number, next: number) => Refusal | undefined;

export interface RecordOptions {
  readonly delimiter: Delimiter;
  /** Physical line of the first character. */
  readonly line?: number;
  readonly recordCharsMax?: number;
  /** Lets other work of the process go on. */
  readonly pause?: () => Promise<void>;
}

/**
 * Reads the records of CSV text that comes bit by bit with fast-csv, headings included; blank lines are no records. What
 * it gives depends on the text alone, not on how it was cut, and it keeps no more of it than one record and one piece.
 *
 * fast-csv does not tell lines. It gives every line end as the end of a row, or inside a cell, so lines are counted from
 * what it gives; blank lines come as rows without text for that reason (`ignoreEmpty` stays off).
 */
export class RecordReader {
  readonly #parser: PieceParser;
  readonly #delimiter: Delimiter;
  readonly #onRecord: OnRecord;
  readonly #recordCharsMax: number;
  readonly #pause: () => Promise<void>;
  /** Where the next record begins. */
  #line: number;
  readonly #blank = new BlankLines();
  #quoted = false;
  #rows = 0;
  /** Characters since a piece in which a row ended. */
  #pending = 0;
  #refusal: Refusal | undefined;

  constructor(options: RecordOptions, onRecord: OnRecord) {
    const { delimiter, line = 1, recordCharsMax = pieceChars, pause = setImmediate } = options;
    this.#recordCharsMax = recordCharsMax;
    this.#pause = pause;
    this.#delimiter = delimiter;
    this.#line = line;
    this.#onRecord = onRecord;
    this.#parser = new PieceParser(delimiter);
  }

  /** The line after what was read: no record that is still to come begins before it. */
  get line(): number {
    return this.#line;
  }

  /** Takes more text; other work of the process goes on before each piece of it. A refusal is the end. */
  async write(text: string): Promise<Refusal | undefined> {
    for (let at = 0; at < text.length && !this.#refusal; at += pieceChars)
      await this.#writePiece(text.slice(at, at + pieceChars));
    return this.#refusal;
  }

  /** The text has ended. */
  async end(): Promise<Refusal | undefined> {
    if (!this.#refusal) this.#parse(() => this.#parser.end(), this.#parser.unread);
    return this.#refusal;
  }

  async #writePiece(piece: string): Promise<void> {
    await this.#pause();
    const text = this.#parser.unread + piece;
    const before = this.#rows;
    this.#quoted ||= piece.includes('"');
    this.#parse(() => this.#parser.parse(piece), text);
    this.#pending = this.#rows === before ? this.#pending + piece.length : 0;
    // Pieces without the end of a row lie inside one record, which would be parsed anew with every piece.
    if (!this.#refusal && this.#pending >= this.#recordCharsMax)
      this.#refusal = this.#brokenQuotes(text) ?? refuseTooLong(this.#line, this.#recordCharsMax);
  }

  /** `text` is what is parsed: where the parser fails, a quotation mark in it is the reason. */
  #parse(parse: () => readonly string[][], text: string): void {
    let rows: readonly string[][];
    try {
      rows = parse();
    } catch (failure) {
      this.#refusal = this.#brokenQuotes(text);
      if (!this.#refusal) throw failure;
      return;
    }
    for (const cells of rows) this.#take(cells);
  }

  #take(cells: string[]): void {
    this.#rows += 1;
    const start = this.#line;
    this.#line += 1 + (this.#quoted ? lineEndsIn(cells) : 0);
    if (this.#refusal) return;
    if (cells.every(isBlank)) {
      this.#refusal = this.#blank.add(start);
      return;
    }
    this.#blank.row();
    // Files that were joined: each begins with its mark. fast-csv drops one at the start of a piece, and nowhere else.
    if (cells[0]!.charCodeAt(0) === 0xfeff) cells[0] = cells[0]!.replace(/^\ufeff+/, '');
    this.#refusal = isTooLong(cells, this.#recordCharsMax)
      ? refuseTooLong(start, this.#recordCharsMax)
      : this.#onRecord(cells, start, this.#line);
  }

  #brokenQuotes(text: string): Refusal | undefined {
    const place = locateBrokenQuotes(text, this.#delimiter);
    if (!place) return undefined;
    const line = this.#line + place.recordLines;
    const quoteLine = this.#line + place.lines;
    const { column } = place;
    return refuse('quotes_broken', `the row begins at line ${line}; column ${column}, line ${quoteLine}`, {
      line,
      column,
      quote_line: quoteLine,
    });
  }
}

/** Reads the records of a whole text. */
export async function readRecords(
  text: string,
  options: RecordOptions,
  onRecord: OnRecord,
): Promise<Refusal | undefined> {
  const reader = new RecordReader(options, onRecord);
  await reader.write(withoutBlankEnd(text, options.delimiter));
  return reader.end();
}

/**
 * Without the blank lines at the end: spreadsheets leave them by the hundred thousand, and each costs as much as a row. What
 * is cut off holds no quotation mark, so it changes nothing before it.
 */
function withoutBlankEnd(text: string, delimiter: Delimiter): string {
  const blank = new Set([delimiter, '\t', ' ', '\r', '\n'].map((sign) => sign.charCodeAt(0)));
  let last = text.length - 1;
  while (last >= 0 && blank.has(text.charCodeAt(last))) last -= 1;
  const lineEndAt = text.slice(last + 1).search(/[\r\n]/);
  return lineEndAt < 0 ? text : text.slice(0, last + 1 + lineEndAt + 1);
}

const lineEnd = /\r\n|\r|\n/g;

function lineEndsIn(cells: readonly string[]): number {
  let count = 0;
  for (const cell of cells)
    if (cell.includes('\n') || cell.includes('\r')) count += cell.match(lineEnd)?.length ?? 0;
  return count;
}

function isBlank(cell: string): boolean {
  return cell === '' || cell.trim() === '';
}

function isTooLong(cells: readonly string[], recordCharsMax: number): boolean {
  let chars = cells.length;
  for (const cell of cells) chars += cell.length;
  return chars > recordCharsMax;
}

function refuseTooLong(line: number, limit: number): Refusal {
  return refuse('record_too_long', `the row that begins at line ${line} is longer than ${limit} characters`, {
    line,
    limit,
  });
}
