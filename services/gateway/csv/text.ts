import { isUtf8 } from 'node:buffer';
import { type Refusal, refuse } from '#gateway/refusal.ts';

/** First bytes of the files that spreadsheet programs write when nobody asks them for CSV. */
const spreadsheets: readonly Buffer[] = [
  Buffer.from([0x50, 0x4b, 0x03, 0x04]),
  Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]),
];

/** The text of a file, without its byte order mark; or why it is none. UTF-8 only, for now. */
export function decodeText(bytes: Buffer): { readonly text: string } | Refusal {
  if (spreadsheets.some((start) => bytes.subarray(0, start.length).equals(start)))
    return refuse('file_not_csv', 'the file is a workbook of a spreadsheet program');
  if (!isUtf8(bytes)) {
    const position = firstInvalidByte(bytes);
    return refuse('file_not_utf8', `byte ${position} is not part of UTF-8 text`, { position });
  }
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return { text: bytes.toString('utf8', start) };
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
