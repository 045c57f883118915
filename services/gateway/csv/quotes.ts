import type { Delimiter } from './dialect.ts';

export interface BrokenQuotes {
  /** Line ends before the record, and before the cell. */
  readonly recordLines: number;
  readonly lines: number;
  /** Number of the cell in its record, from 1. */
  readonly column: number;
}

const spaces = { ',': /[^\S\r\n]*/y, ';': /[^\S\r\n]*/y, '\t': /[^\S\r\n\t]*/y } as const;

/**
 * Where the first cell with broken quotation marks stands: one that is never closed, or is followed by text. Undefined
 * when all are in order. Says where, once fast-csv has said that; one pass, whatever the text.
 */
export function locateBrokenQuotes(text: string, delimiter: Delimiter = ','): BrokenQuotes | undefined {
  let lines = 0;
  let recordLines = 0;
  let column = 1;
  let at = 0;
  while (at < text.length) {
    // At the start of a cell. White space before a quotation mark does not count, as in fast-csv.
    const first = skipSpace(text, at, delimiter);
    if (text[first] === '"') {
      const close = closingQuote(text, first + 1);
      if (close === undefined) return { recordLines, lines, column };
      const before = lines;
      lines += lineEnds(text, first, close);
      at = skipSpace(text, close + 1, delimiter);
      if (at < text.length && !isEnd(text[at]!, delimiter)) return { recordLines, lines: before, column };
    } else {
      while (at < text.length && !isEnd(text[at]!, delimiter)) at += 1;
    }
    if (text[at] === delimiter) {
      at += 1;
      column += 1;
    } else if (at < text.length) {
      at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
      lines += 1;
      recordLines = lines;
      column = 1;
    }
  }
  return undefined;
}

function isEnd(char: string, delimiter: Delimiter): boolean {
  return char === delimiter || char === '\n' || char === '\r';
}

function skipSpace(text: string, from: number, delimiter: Delimiter): number {
  const space = spaces[delimiter];
  space.lastIndex = from;
  space.exec(text);
  return Math.max(space.lastIndex, from);
}

/** Index of the quotation mark that closes the cell; two in a row stand for one. */
function closingQuote(text: string, from: number): number | undefined {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2))
    if (text[at + 1] !== '"') return at;
  return undefined;
}

function lineEnds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) {
    const char = text.charCodeAt(at);
    if (char === 10 || (char === 13 && text.charCodeAt(at + 1) !== 10)) count += 1;
  }
  return count;
}
