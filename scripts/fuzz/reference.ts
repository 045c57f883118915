export interface ReferenceRecord {
  /** Without white space around them. */
  readonly cells: readonly string[];
  /** Physical line where the record begins, from 1. */
  readonly line: number;
}

export interface Reference {
  readonly records: readonly ReferenceRecord[];
  readonly refused?: 'quotes_broken';
}

/** What CSV is, and where its lines are: one character after the other, nothing shared with the reader that it judges. */
export function referenceOf(text: string, delimiter = ',', firstLine = 1): Reference {
  const records: ReferenceRecord[] = [];
  let cells: string[] = [];
  let cell = '';
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  let line = firstLine;
  let began = firstLine;
  const endCell = () => {
    cells.push(cell.trim());
    cell = '';
    state = 'start';
  };
  const endRecord = () => {
    endCell();
    if (cells.some((text) => text !== '')) records.push({ cells, line: began });
    cells = [];
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    const lineEnd = char === '\n' || (char === '\r' && text[i + 1] !== '\n');
    if (lineEnd) line += 1;
    if (state === 'quoted') {
      if (char !== '"') cell += char;
      else if (text[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else state = 'closed';
    } else if (char === delimiter) endCell();
    else if (lineEnd) {
      endRecord();
      began = line;
    } else if (char === '\r') continue;
    else if (state === 'closed') {
      if (char.trim() !== '') return { records, refused: 'quotes_broken' };
    } else if (state === 'start' && char === '"') {
      cell = '';
      state = 'quoted';
    } else {
      cell += char;
      if (char.trim() !== '') state = 'plain';
    }
  }
  if (state === 'quoted') return { records, refused: 'quotes_broken' };
  endRecord();
  return { records };
}
