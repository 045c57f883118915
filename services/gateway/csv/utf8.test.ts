import { describe, expect, it } from 'vitest';
import { Utf8Reader } from './utf8.ts';

/** The text of bytes that come cut into pieces of `size`, or the first refusal. */
function readInPieces(bytes: Buffer, size: number) {
  const reader = new Utf8Reader();
  let text = '';
  for (let at = 0; at < bytes.length; at += size) {
    const { text: more, refusal } = reader.read(bytes.subarray(at, at + size));
    text += more;
    if (refusal) return { ...refusal, before: text };
  }
  return reader.end() ?? text;
}

describe('text that comes bit by bit', () => {
  const text = 'Größe,Ünïcode,名前,😀\r\nrow two,ß,日本,🧪\n';

  it.each([1, 2, 3, 4, 5, 7, 1_000])('is the same however it is cut: pieces of %i bytes', (size) => {
    expect(readInPieces(Buffer.from(text), size)).toBe(text);
  });

  it('is without its byte order mark, which a later one is not', () => {
    expect(readInPieces(Buffer.from(`\ufeff${text}\ufeff`), 1_000)).toBe(`${text}\ufeff`);
  });

  it.each([1, 3, 1_000])('is refused where it is not UTF-8, by byte and line: pieces of %i bytes', (size) => {
    const bytes = Buffer.concat([Buffer.from('one\ntwo\nGr'), Buffer.from([0xf6, 0xdf]), Buffer.from('e\n')]);
    expect(readInPieces(bytes, size)).toMatchObject({
      refused: 'file_encoding_unknown',
      facts: { position: 10, line: 3 },
      before: 'one\ntwo\nGr',
    });
  });

  it('is refused where it ends in the middle of a character', () => {
    const bytes = Buffer.from('one\n名').subarray(0, 6);
    expect(readInPieces(bytes, 1_000)).toMatchObject({
      refused: 'file_encoding_unknown',
      facts: { position: 4, line: 2 },
    });
  });

  it.each([
    ['a workbook', Buffer.from('504b0304140006000800', 'hex'), 'file_not_csv'],
    ['gzip that nobody announced', Buffer.from('1f8b0800000000000003', 'hex'), 'file_not_csv'],
    ['UTF-16', Buffer.from('\ufeffSupplier', 'utf16le'), 'file_encoding_unknown'],
  ])('is refused from its first bytes: %s', (_, bytes, code) => {
    expect(new Utf8Reader().read(bytes)).toMatchObject({ text: '', refusal: { refused: code } });
  });
});
