import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PieceParser } from './fast-csv.ts';

const require = createRequire(import.meta.url);

/** fast-csv as it was published: its modules loaded anew. */
const theirs = untouched();

function untouched(): typeof import('fast-csv') {
  const own = () => Object.keys(require.cache).filter((file) => /node_modules\/@?fast-csv\//.test(file));
  const kept = own().map((file) => [file, require.cache[file]!] as const);
  for (const [file] of kept) delete require.cache[file];
  const fresh = require('fast-csv') as typeof import('fast-csv');
  for (const file of own()) delete require.cache[file];
  for (const [file, module] of kept) require.cache[file] = module;
  return fresh;
}

/** Rows, and the error if there is one, of a text that comes in pieces. */
function ours(pieces: readonly string[], delimiter: string): unknown {
  const rows: unknown[] = [];
  const parser = new PieceParser(delimiter);
  try {
    for (const piece of pieces) rows.push(...parser.parse(piece));
    rows.push(...parser.end());
    return { rows };
  } catch (error) {
    return { rows, error: (error as Error).message };
  }
}

/** The same by the stream that fast-csv publishes. */
function published(pieces: readonly string[], delimiter: string): Promise<unknown> {
  return new Promise((resolve) => {
    const rows: unknown[] = [];
    const { CsvParserStream, ParserOptions } = theirs;
    const parser = new CsvParserStream(new ParserOptions({ headers: false, delimiter }));
    parser.on('error', (error: Error) => resolve({ rows, error: error.message }));
    parser.on('data', (row: unknown) => rows.push(row));
    parser.on('end', () => resolve({ rows }));
    for (const piece of pieces) parser.write(piece);
    parser.end();
  });
}

const delimiters = [',', ';', '\t', '|'] as const;
/** Everything that the two functions look at, a few times each, and a little of everything else. */
const character = fc.oneof(
  fc.constantFrom(
    ...',;\t|"',
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\v',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\u3000',
    'a',
    'é',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
);
const piece = fc.array(character, { maxLength: 30 }).map((characters) => characters.join(''));

it('is two different parsers', () => {
  expect(theirs.ParserOptions).not.toBe((require('fast-csv') as typeof theirs).ParserOptions);
});

it('gives the same rows and the same errors as fast-csv untouched, whatever the text and its pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 4 }),
      fc.constantFrom(...delimiters),
      async (pieces, delimiter) => {
        expect(ours(pieces, delimiter)).toEqual(await published(pieces, delimiter));
      },
    ),
    { numRuns: 3_000 },
  );
});
