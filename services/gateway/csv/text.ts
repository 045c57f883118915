import { isUtf8 } from 'node:buffer';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { isWindows1252, windows1252Text } from './windows-1252.ts';

export type Encoding = 'UTF-8' | 'UTF-16LE' | 'UTF-16BE' | 'Windows-1252';

export interface DecodedText {
  /** Without byte order mark. */
  readonly text: string;
  readonly encoding: Encoding;
}

/**
 * The text of a file, or why it is none (DMG-8). What decides, in this order: the first bytes of another kind of file; a
 * byte order mark; the pattern that UTF-16 makes of a heading; valid UTF-8; Windows-1252 where nothing else makes sense of
 * the bytes. Whatever could be two encodings is refused, not guessed.
 */
export function decodeText(bytes: Buffer): DecodedText | Refusal {
  const other = otherKind(bytes);
  if (other !== undefined) return refuse('file_not_csv', `the file is ${other}`);
  const mark = marks.find(({ start }) => startsWith(bytes, start));
  if (mark) return decodeAs(bytes.subarray(mark.start.length), mark.encoding, mark.start.length, 'its mark');
  const unmarked = utf16Pattern(bytes);
  if (unmarked) return decodeAs(bytes, unmarked, 0, 'its first bytes');
  if (isUtf8(bytes)) return { text: bytes.toString('utf8'), encoding: 'UTF-8' };
  if (isWindows1252(bytes)) return { text: windows1252Text(bytes), encoding: 'Windows-1252' };
  const position = firstInvalidByte(bytes);
  return unknown(
    bytes,
    position,
    `byte ${position} is not part of UTF-8 text, nor is it Windows-1252 beyond doubt`,
  );
}

/** The longer marks first: that of UTF-32 begins as one of UTF-16 does. */
const marks: readonly { readonly start: readonly number[]; readonly encoding: Encoding | 'UTF-32' }[] = [
  { start: [0xff, 0xfe, 0x00, 0x00], encoding: 'UTF-32' },
  { start: [0x00, 0x00, 0xfe, 0xff], encoding: 'UTF-32' },
  { start: [0xef, 0xbb, 0xbf], encoding: 'UTF-8' },
  { start: [0xff, 0xfe], encoding: 'UTF-16LE' },
  { start: [0xfe, 0xff], encoding: 'UTF-16BE' },
];

function decodeAs(
  bytes: Buffer,
  encoding: Encoding | 'UTF-32',
  skipped: number,
  evidence: string,
): DecodedText | Refusal {
  switch (encoding) {
    case 'UTF-32':
      return unknown(bytes, 0, 'the file is UTF-32, which is not taken');
    case 'UTF-8': {
      if (isUtf8(bytes)) return { text: bytes.toString('utf8'), encoding };
      const position = firstInvalidByte(bytes);
      return unknown(
        bytes,
        position,
        `the file is UTF-8 by ${evidence}, but byte ${skipped + position} is not`,
        skipped,
      );
    }
    case 'UTF-16LE':
    case 'UTF-16BE': {
      const text = utf16Text(bytes, encoding);
      const length =
        bytes.length % 2 === 1 && text.isWellFormed() ? bytes.length - 1 : firstLoneSurrogate(text) * 2;
      if (length >= bytes.length) return { text, encoding };
      return unknown(
        bytes,
        length,
        `the file is ${encoding} by ${evidence}, but byte ${skipped + length} is not`,
        skipped,
      );
    }
    case 'Windows-1252':
      return { text: windows1252Text(bytes), encoding };
  }
}

function unknown(bytes: Buffer, position: number, detail: string, skipped = 0): Refusal {
  let line = 1;
  for (let at = bytes.indexOf(10); at >= 0 && at < position; at = bytes.indexOf(10, at + 1)) line += 1;
  return refuse('file_encoding_unknown', `${detail} (line ${line})`, { position: skipped + position, line });
}

function utf16Text(bytes: Buffer, encoding: 'UTF-16LE' | 'UTF-16BE'): string {
  const whole = bytes.subarray(0, bytes.length & ~1);
  return (encoding === 'UTF-16LE' ? whole : Buffer.from(whole).swap16()).toString('utf16le');
}

/** Index of the first half of a surrogate pair that stands alone; the length when there is none. */
function firstLoneSurrogate(text: string): number {
  if (text.isWellFormed()) return text.length;
  return text.search(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/);
}

/** The headings are ASCII: in UTF-16 every other byte of the first two characters is zero. */
function utf16Pattern(bytes: Buffer): 'UTF-16LE' | 'UTF-16BE' | undefined {
  if (bytes.length < 4) return undefined;
  const [a, b, c, d] = [bytes[0] !== 0, bytes[1] !== 0, bytes[2] !== 0, bytes[3] !== 0];
  if (a && !b && c && !d) return 'UTF-16LE';
  return !a && b && !c && d ? 'UTF-16BE' : undefined;
}

function startsWith(bytes: Buffer, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

const zipStarts: readonly (readonly number[])[] = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x50, 0x4b, 0x05, 0x06],
  [0x50, 0x4b, 0x07, 0x08],
];
const otherStarts: readonly { readonly start: readonly number[]; readonly kind: string }[] = [
  {
    start: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
    kind: 'a workbook (.xls, or .xlsx with a password)',
  },
  { start: [0x09, 0x08, 0x10, 0x00], kind: 'a workbook (.xls)' },
  { start: [0x1f, 0x8b], kind: 'compressed (gzip)' },
  { start: [0x25, 0x50, 0x44, 0x46, 0x2d], kind: 'a PDF document' },
  { start: [0x7b, 0x5c, 0x72, 0x74, 0x66], kind: 'an RTF document' },
];
const markup = /^\s*<(\?xml|!doctype|html|table|meta)/i;

/** What the first bytes say when nobody asked the program for CSV. */
export function otherKind(bytes: Buffer): string | undefined {
  if (zipStarts.some((start) => startsWith(bytes, start))) return archiveKind(bytes);
  const known = otherStarts.find(({ start }) => startsWith(bytes, start));
  if (known) return known.kind;
  // Spreadsheet programs also save HTML and XML, under the names of their workbooks.
  const from = startsWith(bytes, [0xef, 0xbb, 0xbf]) ? 3 : 0;
  return markup.test(bytes.toString('latin1', from, from + 200)) ? 'HTML or XML' : undefined;
}

function archiveKind(bytes: Buffer): string {
  if (bytes.includes('application/vnd.oasis.opendocument.spreadsheet'))
    return 'an OpenDocument workbook (.ods)';
  if (bytes.includes('xl/')) return 'a workbook (.xlsx)';
  return bytes.includes('.iwa') ? 'a Numbers workbook' : 'a zip archive';
}

/** Position of the first byte of the first sequence that is not UTF-8; the length when all is well. */
export function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return at;
}

/** Bytes of the well-formed sequence at `at` (Unicode, table 3-7), or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const [length, least, most] = secondByte(first);
  const second = bytes[at + 1] ?? 0;
  if (length === 0 || second < least || second > most) return 0;
  for (let i = at + 2; i < at + length; i++) if (((bytes[i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Length of a sequence by its first byte, and what its second byte may be. */
function secondByte(first: number): readonly [number, number, number] {
  if (first < 0xc2) return [0, 0, 0];
  if (first < 0xe0) return [2, 0x80, 0xbf];
  if (first === 0xe0) return [3, 0xa0, 0xbf];
  if (first === 0xed) return [3, 0x80, 0x9f];
  if (first < 0xf0) return [3, 0x80, 0xbf];
  if (first === 0xf0) return [4, 0x90, 0xbf];
  if (first < 0xf4) return [4, 0x80, 0xbf];
  return first === 0xf4 ? [4, 0x80, 0x8f] : [0, 0, 0];
}
