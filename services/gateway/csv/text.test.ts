import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeText, firstInvalidByte } from './text.ts';

test('with and without byte order mark the text is the same', () => {
  expect(decodeText(Buffer.from('\ufeffSérie,β\r\n'))).toEqual({ text: 'Série,β\r\n' });
  expect(decodeText(Buffer.from('Série,β\r\n'))).toEqual({ text: 'Série,β\r\n' });
});

test.each([
  ['Windows-1252', Buffer.from('a,b\nS\xe9rie,c\n', 'latin1'), 5],
  ['UTF-16', Buffer.from('\ufeffa,b\n', 'utf16le'), 0],
  ['a sequence cut off at the end', Buffer.from([0x61, 0xe2, 0x82]), 1],
  ['an encoded surrogate', Buffer.from([0x61, 0x62, 0xed, 0xa0, 0x80]), 2],
  ['an overlong form', Buffer.from([0xc0, 0xaf]), 0],
  ['a number beyond Unicode', Buffer.from([0x61, 0xf4, 0x90, 0x80, 0x80]), 1],
])('%s is refused as a whole, with the position of the first wrong byte', (_, bytes, position) => {
  expect(decodeText(bytes)).toMatchObject({ refused: 'file_not_utf8', facts: { position } });
});

test('the position is where valid UTF-8 ends', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc
      .array(fc.constantFrom(0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xbf, 0xf4), {
        maxLength: 12,
      })
      .map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(bytes, (data) => {
      const position = firstInvalidByte(data);
      expect(position === data.length).toBe(isUtf8(data));
      expect(isUtf8(data.subarray(0, position))).toBe(true);
      // No longer sequence that begins there is valid either.
      for (let end = position + 1; end <= Math.min(position + 4, data.length); end++)
        expect(isUtf8(data.subarray(position, end))).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test('workbooks of spreadsheet programs are told by their first bytes', () => {
  const xlsx = Buffer.from([0x50, 0x4b, 0x03, 0x04, 0x14, 0x00]);
  expect(decodeText(xlsx)).toMatchObject({ refused: 'file_not_csv' });
  expect(decodeText(Buffer.from('PK,b\n'))).toEqual({ text: 'PK,b\n' });
});
