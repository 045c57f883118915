export const delimiters = [',', ';', '\t'] as const;
export type Delimiter = (typeof delimiters)[number];

export interface Dialect {
  readonly delimiter: Delimiter;
  /** Where the records begin in the text, and on which physical line. */
  readonly from: number;
  readonly line: number;
}

/** Spreadsheet programs write, and read, the separator in a first line of its own. */
const separatorLine = /^"?sep=([,;\t])"?(?:\r\n|\r|\n|$)/i;
export const headingsCharsMax = 16_384;

/**
 * By which sign the cells of a text are separated: the one that its line of headings has most often outside quotation
 * marks. No heading holds any of the three, so that only a text without headings leaves a choice: then it is the comma.
 */
export function dialectOf(text: string): Dialect {
  const said = separatorLine.exec(text);
  if (said) return { delimiter: said[1] as Delimiter, from: said[0].length, line: 2 };
  const counts = countOutsideQuotes(text);
  let delimiter: Delimiter = ',';
  for (const candidate of delimiters) if (counts[candidate] > counts[delimiter]) delimiter = candidate;
  return { delimiter, from: 0, line: 1 };
}

/** In the first line that is not blank; a quoted cell may go on over the end of its line. */
function countOutsideQuotes(text: string): Record<Delimiter, number> {
  let counts = { ',': 0, ';': 0, '\t': 0 };
  let quoted = false;
  let blank = true;
  for (let at = 0; at < text.length && at < headingsCharsMax; at++) {
    const char = text[at]!;
    if (char === '"') quoted = !quoted;
    else if (quoted) blank &&= char.trim() === '';
    else if (char === ',' || char === ';' || char === '\t') counts[char] += 1;
    else if (char !== '\n' && char !== '\r') blank &&= char.trim() === '';
    else if (blank) counts = { ',': 0, ';': 0, '\t': 0 };
    else break;
  }
  return counts;
}

export function nameOf(delimiter: Delimiter): 'comma' | 'semicolon' | 'tab' {
  switch (delimiter) {
    case ',':
      return 'comma';
    case ';':
      return 'semicolon';
    case '\t':
      return 'tab';
  }
}
