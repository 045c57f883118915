/**
 * The physical line, from 1, where the first record with broken quotation marks begins: one that is never closed, or is
 * followed by text. Undefined when all are in order. Says where, once fast-csv has said that; one pass, whatever the text.
 */
export function locateBrokenQuotes(text: string): number | undefined {
  let line = 1;
  let recordLine = 1;
  let at = 0;
  while (at < text.length) {
    // At the start of a cell. White space before a quotation mark does not count, as in fast-csv.
    const first = skipSpace(text, at);
    if (text[first] === '"') {
      const close = closingQuote(text, first + 1);
      if (close === undefined) return recordLine;
      line += lineEnds(text, first, close);
      at = skipSpace(text, close + 1);
      if (at < text.length && !isEnd(text[at]!)) return recordLine;
    } else {
      while (at < text.length && !isEnd(text[at]!)) at += 1;
    }
    if (text[at] === ',') at += 1;
    else if (at < text.length) {
      at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
      line += 1;
      recordLine = line;
    }
  }
  return undefined;
}

function isEnd(char: string): boolean {
  return char === ',' || char === '\n' || char === '\r';
}

const space = /[^\S\r\n]*/y;

function skipSpace(text: string, from: number): number {
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
