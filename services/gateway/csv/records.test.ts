import fc from 'fast-check';
import { expect, test } from 'vitest';
import { locateBrokenQuotes } from './quotes.ts';
import { pieceChars, readRecords } from './records.ts';

interface Read {
  readonly records: readonly { readonly cells: readonly string[]; readonly line: number }[];
  readonly refused?: string;
}

async function read(text: string): Promise<Read> {
  const records: { cells: string[]; line: number }[] = [];
  const refusal = await readRecords(text, (cells, line) => {
    records.push({ cells: cells.map((cell) => cell.trim()), line });
    return undefined;
  });
  return refusal ? { records, refused: refusal.refused } : { records };
}

/** One character after the other, nothing shared with the reader: what CSV is, and where its lines are. */
function reference(text: string): Read {
  const records: { cells: string[]; line: number }[] = [];
  let cells: string[] = [];
  let cell = '';
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  let line = 1;
  let began = 1;
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
  const chars = text.replace(/^\ufeff/, '');
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!;
    const lineEnd = char === '\n' || (char === '\r' && chars[i + 1] !== '\n');
    if (lineEnd) line += 1;
    if (state === 'quoted') {
      if (char !== '"') cell += char;
      else if (chars[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else state = 'closed';
    } else if (char === ',') endCell();
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

const noise = fc.string({
  unit: fc.constantFrom(
    'a',
    '7',
    ',',
    '"',
    '""',
    '\n',
    '\r\n',
    '\r',
    ' ',
    '\t',
    ';',
    'é',
    '\ufeff',
    '😀',
    '\0',
  ),
  maxLength: 60,
});

test('any text is read as the reference reads it, line by line', async () => {
  await fc.assert(
    fc.asyncProperty(noise, async (text) => {
      const expected = reference(text);
      const actual = await read(text);
      expect(actual.refused).toBe(expected.refused);
      if (!expected.refused) expect(actual.records).toEqual(expected.records);
    }),
    { numRuns: 600 },
  );
});

test('the broken record is found exactly where fast-csv finds one', async () => {
  await fc.assert(
    fc.asyncProperty(noise, async (text) => {
      const actual = await read(text);
      const line = locateBrokenQuotes(text.replace(/^\ufeff/, ''));
      expect(line !== undefined).toBe(actual.refused === 'quotes_broken');
      if (line !== undefined) expect(reference(text).refused).toBe('quotes_broken');
    }),
    { numRuns: 300 },
  );
});

const cell = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[A-Za-z0-9 ()./-]{0,30}$/) },
  fc.string({ unit: fc.constantFrom('x', '"', ',', '\n', '\r\n', '\r', 'ß', ' '), maxLength: 12 }),
);
const eol = fc.constantFrom('\n', '\r\n', '\r');

test('a written table comes back with the lines it was written on, also across pieces', async () => {
  const rows = fc.array(
    fc.record({
      cells: fc.array(cell, { minLength: 2, maxLength: 5 }),
      end: eol,
      blank: fc.nat(2),
      quoted: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 0, max: 3 * pieceChars }), async (table, padding) => {
      // A first row that ends anywhere near the end of a piece moves every boundary into what follows.
      let text = `${'p,'.repeat(100)}\n`.repeat(Math.floor(padding / 201));
      let line = 1 + Math.floor(padding / 201);
      const expected = [];
      for (const { cells, end, blank, quoted } of table) {
        const written = cells.map((value) =>
          quoted || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value,
        );
        if (cells.some((value) => value.trim() !== ''))
          expected.push({ cells: cells.map((value) => value.trim()), line });
        text += written.join(',') + end + end.repeat(blank);
        line += 1 + blank + cells.reduce((sum, value) => sum + (value.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
      }
      const actual = await read(text);
      expect(actual.refused).toBeUndefined();
      expect(actual.records.slice(-expected.length)).toEqual(expected);
    }),
    { numRuns: 80 },
  );
});

test.each([
  ['never closed', 'a,b\nc,"d\ne,f\n', 2],
  ['followed by text', 'a,b\n"c\nc"x,d\n', 2],
  ['after blank lines', '\r\n\r\na,b\r\n\r\n"c"d', 5],
])('quotation marks %s: the line where the row begins', async (_, text, line) => {
  const refusal = await readRecords(text, () => undefined);
  expect(refusal).toMatchObject({ refused: 'quotes_broken', facts: { line } });
});

test('a row longer than a piece is refused where it begins, however long it goes on', async () => {
  const long = 'x'.repeat(20 * pieceChars);
  const plain = await readRecords(`a,b\n\nc,${long}\nd,e\n`, () => undefined);
  expect(plain).toMatchObject({ refused: 'record_too_long', facts: { line: 3 } });
  const open = await readRecords(`a,b\nc,"${long}\n${long}`, () => undefined);
  expect(open).toMatchObject({ refused: 'quotes_broken', facts: { line: 2 } });
  const manyCells = await readRecords(`a,b\n${'cell,'.repeat(pieceChars / 4)}\n`, () => undefined);
  expect(manyCells).toMatchObject({ refused: 'record_too_long', facts: { line: 2 } });
});

test('a byte order mark at the start of a piece belongs to its cell', async () => {
  const first = `${'p,'.repeat(63)}p\n`;
  const text = `${first.repeat(pieceChars / first.length)}a\ufeffb,c\n`;
  const boundary = text.indexOf('\ufeff');
  expect(boundary).toBe(pieceChars + 1);
  const { records } = await read(text.slice(1));
  expect(records.at(-1)?.cells).toEqual(['a\ufeffb', 'c']);
});

test('reading ends when the receiver refuses', async () => {
  let seen = 0;
  const refusal = await readRecords('a\n'.repeat(50_000), () => {
    seen += 1;
    return seen === 3 ? { refused: 'headings_missing' } : undefined;
  });
  expect(refusal).toEqual({ refused: 'headings_missing' });
  expect(seen).toBe(3);
});
