import fc from 'fast-check';
import { expect, test } from 'vitest';
import { referenceOf } from '#scripts/fuzz/reference.ts';
import { type Delimiter, delimiters } from './dialect.ts';
import { locateBrokenQuotes } from './quotes.ts';
import { type OnRecord, pieceChars, RecordReader, readRecords } from './records.ts';

interface Read {
  readonly records: readonly { readonly cells: readonly string[]; readonly line: number }[];
  readonly refused?: string;
}

/** Reads a whole text, or the same text cut where `cuts` says. */
async function read(text: string, delimiter: Delimiter = ',', cuts?: readonly number[]): Promise<Read> {
  const records: { cells: string[]; line: number }[] = [];
  const onRecord: OnRecord = (cells, line) => {
    records.push({ cells: cells.map((cell) => cell.trim()), line });
    return undefined;
  };
  const refusal = cuts
    ? await readCut(text, cuts, new RecordReader({ delimiter }, onRecord))
    : await readRecords(text, { delimiter }, onRecord);
  return refusal ? { records, refused: refusal.refused } : { records };
}

async function readCut(text: string, cuts: readonly number[], reader: RecordReader) {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const place of [...places, text.length]) {
    const refusal = await reader.write(text.slice(from, place));
    if (refusal) return refusal;
    from = place;
  }
  return reader.end();
}

const comma = { delimiter: ',' } as const;

/** Without the mark at the start, which is none of the text. */
const reference = (text: string, delimiter: Delimiter = ',') =>
  referenceOf(text.replace(/^\ufeff/, ''), delimiter);

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

const anyDelimiter = fc.constantFrom(...delimiters);

test('any text is read as the reference reads it, line by line, whichever sign separates cells', async () => {
  await fc.assert(
    fc.asyncProperty(noise, anyDelimiter, async (text, delimiter) => {
      const expected = reference(text, delimiter);
      const actual = await read(text, delimiter);
      expect(actual.refused).toBe(expected.refused);
      if (!expected.refused) expect(actual.records).toEqual(expected.records);
    }),
    { numRuns: 900 },
  );
});

test('what is read does not depend on where the text was cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      noise,
      anyDelimiter,
      fc.array(fc.nat(60), { maxLength: 8 }),
      async (text, delimiter, cuts) => {
        const whole = await read(text, delimiter);
        const cut = await read(text, delimiter, cuts);
        expect(cut.refused).toBe(whole.refused);
        if (!whole.refused) expect(cut.records).toEqual(whole.records);
      },
    ),
    { numRuns: 400 },
  );
});

test('the broken record is found exactly where fast-csv finds one', async () => {
  await fc.assert(
    fc.asyncProperty(noise, anyDelimiter, async (text, delimiter) => {
      const actual = await read(text, delimiter);
      const place = locateBrokenQuotes(text.replace(/^\ufeff/, ''), delimiter);
      expect(place !== undefined).toBe(actual.refused === 'quotes_broken');
      if (place !== undefined) expect(reference(text, delimiter).refused).toBe('quotes_broken');
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

const padding = `${'p,'.repeat(100)}\n`.repeat(200);

test.each([
  ['never closed', 'a,b\nc,"d\ne,f\n', { line: 2, column: 2, quote_line: 2 }],
  ['followed by text', 'a,b\n"c\nc"x,d\n', { line: 2, column: 1, quote_line: 2 }],
  ['after blank lines', '\r\n\r\na,b\r\n\r\n"c"d', { line: 5, column: 1, quote_line: 5 }],
  ['in a cell behind one with line ends', 'a,b\n"c\n\nc","d"d,e\n', { line: 2, column: 2, quote_line: 4 }],
  ['far behind the first piece', `${padding}a,"b"c\n${padding}`, { line: 201, column: 2, quote_line: 201 }],
])('quotation marks %s: row, column and line', async (_, text, facts) => {
  const refusal = await readRecords(text, comma, () => undefined);
  expect(refusal).toMatchObject({ refused: 'quotes_broken', facts });
  const line = 7;
  const later = await readRecords(text, { ...comma, line }, () => undefined);
  expect(later).toMatchObject({ facts: { line: facts.line + 6, quote_line: facts.quote_line + 6 } });
});

test('a row longer than a piece is refused where it begins, however long it goes on', async () => {
  const long = 'x'.repeat(20 * pieceChars);
  const plain = await readRecords(`a,b\n\nc,${long}\nd,e\n`, comma, () => undefined);
  expect(plain).toMatchObject({ refused: 'record_too_long', facts: { line: 3 } });
  const open = await readRecords(`a,b\nc,"${long}\n${long}`, comma, () => undefined);
  expect(open).toMatchObject({ refused: 'quotes_broken', facts: { line: 2 } });
  const manyCells = await readRecords(`a,b\n${'cell,'.repeat(pieceChars / 4)}\n`, comma, () => undefined);
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

test.each([
  ['a,b\nc,d\n', [1, 2]],
  ['a,b\nc,\n', [1, 2]],
  ['a,b\n"c\n",\n', [1, 2]],
  ['a,b\r', [1]],
  ['', []],
])('hundred thousands of blank lines behind %j are no records', async (text, lines) => {
  for (const blank of ['\n', '\r\n', ',,,\r\n', ' \t,\r'])
    expect((await read(text + blank.repeat(300_000))).records.map(({ line }) => line)).toEqual(lines);
  const open = await read(`a,b\nc,"d${'\n'.repeat(10)}`);
  expect(open.refused).toBe('quotes_broken');
});

test('reading ends when the receiver refuses', async () => {
  let seen = 0;
  const refusal = await readRecords('a\n'.repeat(50_000), comma, () => {
    seen += 1;
    return seen === 3 ? { refused: 'headings_missing' } : undefined;
  });
  expect(refusal).toEqual({ refused: 'headings_missing' });
  expect(seen).toBe(3);
});
