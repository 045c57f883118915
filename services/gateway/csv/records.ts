import { setImmediate } from 'node:timers/promises';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { CsvParserStream, ParserOptions } from './fast-csv.ts';
import { locateBrokenQuotes } from './quotes.ts';

/** Characters given to the parser at once; also the most that one record may hold. */
export const pieceChars = 16_384;

/** Called for each record with its cells, and the physical line where it starts, from 1. A refusal ends the reading. */
export type OnRecord = (cells: readonly string[], line: number) => Refusal | undefined;

/**
 * Reads the records of a CSV text with fast-csv, headings included; blank lines are no records. The text is given to the
 * parser in pieces, and other work of the process goes on between two of them.
 *
 * fast-csv does not tell lines. It gives every line end as the end of a row, or inside a cell, so lines are counted from
 * what it gives; blank lines come as rows without text for that reason (`ignoreEmpty` stays off).
 */
export async function readRecords(text: string, onRecord: OnRecord): Promise<Refusal | undefined> {
  const parser = new CsvParserStream<string[], string[]>(new ParserOptions({ headers: false }));
  const quoted = text.includes('"');
  let line = 1;
  let rows = 0;
  let refusal: Refusal | undefined;
  let failure: Error | undefined;

  parser.on('error', (error: Error) => {
    failure = error;
  });
  parser.on('data', (cells: string[]) => {
    rows += 1;
    const start = line;
    line += 1 + (quoted ? lineEndsIn(cells) : 0);
    if (refusal || cells.every(isBlank)) return;
    refusal = isTooLong(cells) ? refuseTooLong(start) : onRecord(cells, start);
  });

  for (let at = 0; at < text.length && !refusal && !failure; ) {
    const end = endOfPiece(text, at);
    const before = rows;
    await written(parser, text.slice(at, end));
    await setImmediate();
    // A whole piece without the end of a row lies inside one record, which would be parsed anew with every piece.
    if (rows === before && end - at >= pieceChars && !failure)
      return brokenQuotes(text) ?? refuseTooLong(line);
    at = end;
  }
  if (!refusal && !failure) await ended(parser);
  parser.destroy();
  if (refusal) return refusal;
  if (!failure) return undefined;
  const broken = brokenQuotes(text);
  // The parser also hands on what its receiver throws.
  if (!broken) throw failure;
  return broken;
}

/** fast-csv drops a byte order mark at the start of every piece: no piece but the first may begin with one. */
function endOfPiece(text: string, at: number): number {
  let end = Math.min(at + pieceChars, text.length);
  while (text.charCodeAt(end) === 0xfeff) end += 1;
  return end;
}

/** Resolves when the parser has taken a piece, whatever became of it; errors come as events. */
function written(parser: CsvParserStream<string[], string[]>, piece: string): Promise<void> {
  return new Promise((resolve) => parser.write(piece, () => resolve()));
}

function ended(parser: CsvParserStream<string[], string[]>): Promise<void> {
  return new Promise((resolve) => {
    parser.once('end', resolve);
    parser.once('error', resolve);
    parser.end();
  });
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

function isTooLong(cells: readonly string[]): boolean {
  let chars = cells.length;
  for (const cell of cells) chars += cell.length;
  return chars > pieceChars;
}

function refuseTooLong(line: number): Refusal {
  return refuse(
    'record_too_long',
    `the row that begins at line ${line} is longer than ${pieceChars} characters`,
    {
      line,
      limit: pieceChars,
    },
  );
}

function brokenQuotes(text: string): Refusal | undefined {
  const line = locateBrokenQuotes(text);
  return line === undefined ? undefined : refuse('quotes_broken', `the row begins at line ${line}`, { line });
}
