import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeText, firstInvalidByte } from './text.ts';

const text = 'Supplier name,Modèle\r\nSérie,β\r\n';
const swapped = (given: string) => Buffer.from(given, 'utf16le').swap16();

test.each([
  ['UTF-8', Buffer.from(text), text],
  ['UTF-8', Buffer.from(`\ufeff${text}`), text],
  ['UTF-16LE', Buffer.from(`\ufeff${text}`, 'utf16le'), text],
  ['UTF-16LE', Buffer.from(text, 'utf16le'), text],
  ['UTF-16BE', swapped(`\ufeff${text}`), text],
  ['UTF-16BE', swapped(text), text],
  ['Windows-1252', Buffer.from('S\xe9rie 7\xb0,\x96-\xa0-\x80\n', 'latin1'), 'Série 7°,\u2013-\u00a0-€\n'],
])('%s is read, with and without byte order mark', (encoding, bytes, expected) => {
  expect(decodeText(bytes)).toEqual({ text: expected, encoding });
});

// 光伏 in GBK and Shift JIS, Солнце in Windows-1251, é in Mac Roman; and marks that do not keep their word.
test.each([
  ['GBK', [0x61, 0x0a, 0xb9, 0xe2, 0xb7, 0xfc, 0x2c], { position: 2, line: 2 }],
  ['Shift JIS', [0x61, 0x2c, 0x8c, 0xf5, 0x95, 0x9a], { position: 2, line: 1 }],
  ['Windows-1251', [0xd1, 0xee, 0xeb, 0xed, 0xf6, 0xe5], { position: 0 }],
  ['two letters that GBK would take for one', [0x47, 0x72, 0xf6, 0xdf, 0x65], { position: 2 }],
  ['Mac Roman', [0x53, 0x8e, 0x72, 0x69, 0x65], { position: 1 }],
  ['UTF-32', [0xff, 0xfe, 0x00, 0x00, 0x61, 0x00, 0x00, 0x00], { position: 0 }],
  ['UTF-8 by its mark', [0xef, 0xbb, 0xbf, 0x61, 0xe9, 0x62], { position: 4 }],
  ['UTF-16 cut in a character', [0xff, 0xfe, 0x61, 0x00, 0x62], { position: 4 }],
  ['UTF-16 with half a pair', [0xfe, 0xff, 0x00, 0x61, 0xd8, 0x00, 0x00, 0x62], { position: 4 }],
  ['a sequence cut off at the end', [0x61, 0xe2, 0x82], { position: 1 }],
  ['an encoded surrogate', [0x61, 0x62, 0xed, 0xa0, 0x80], { position: 2 }],
  ['an overlong form', [0xc0, 0xaf, 0x80], { position: 0 }],
  ['a number beyond Unicode', [0x61, 0xf4, 0x90, 0x80, 0x80], { position: 1 }],
])('%s is refused as a whole, with the first byte that does not fit', (_, bytes, facts) => {
  expect(decodeText(Buffer.from(bytes))).toMatchObject({ refused: 'file_encoding_unknown', facts });
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

test('text comes back from every encoding that it can be written in', () => {
  const written = fc.string({
    unit: fc.constantFrom('a', '7', ',', '\n', 'é', '°', '–', '貿', '😀', '\u00a0'),
    maxLength: 30,
  });
  fc.assert(
    fc.property(written, (given) => {
      const headed = `Supplier name,${given}`;
      for (const bytes of [
        Buffer.from(headed),
        Buffer.from(`\ufeff${headed}`, 'utf16le'),
        Buffer.from(headed, 'utf16le'),
        swapped(headed),
      ])
        expect(decodeText(bytes)).toMatchObject({ text: headed });
    }),
  );
});

const zip = (...names: string[]) =>
  Buffer.concat(names.map((name) => Buffer.from(`PK\x03\x04\x14\x00\x00\x00${name}`, 'latin1')));

test.each([
  ['.xlsx', zip('[Content_Types].xml', 'xl/workbook.xml')],
  ['.ods', zip('mimetypeapplication/vnd.oasis.opendocument.spreadsheet')],
  ['zip', zip('panels.csv')],
  ['.xls', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0x00])],
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['PDF', Buffer.from('%PDF-1.7')],
  ['HTML', Buffer.from('\ufeff\n<html><table>')],
])('%s in place of CSV is told by its first bytes, and named', (kind, bytes) => {
  const refusal = decodeText(bytes);
  expect(refusal).toMatchObject({ refused: 'file_not_csv', detail: expect.stringContaining(kind) });
});

test('text that only begins like another kind of file is text', () => {
  expect(decodeText(Buffer.from('PK,b\n'))).toMatchObject({ text: 'PK,b\n' });
});
