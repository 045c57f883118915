import { isUtf8 } from 'node:buffer';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { firstInvalidByte, otherKind } from './text.ts';

const mark = Buffer.from([0xef, 0xbb, 0xbf]);
const utf16Marks = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];
/** What tells other kinds of files from text stands among the first bytes. */
export const firstBytes = 512;

/**
 * The text of UTF-8 that comes bit by bit. Where a stream ends nobody knows, so that its encoding can not be found by
 * looking at all of it: it is UTF-8, with or without byte order mark, or it is refused where it is not.
 */
export class Utf8Reader {
  /** The beginning of a character whose other bytes have not come. */
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes before the rest. */
  #position = 0;
  #line = 1;
  #begun = false;

  /** The text, up to where it can not be read on. The first call must have at least `firstBytes`, or all there are. */
  read(bytes: Buffer): { readonly text: string; readonly refusal?: Refusal } {
    const joined = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const other = this.#begun ? undefined : refuseOther(joined);
    if (other) return { text: '', refusal: other };
    const skipped = !this.#begun && joined.subarray(0, 3).equals(mark) ? 3 : 0;
    this.#begun = true;
    const whole = joined.subarray(skipped, wholeCharacters(joined));
    if (!isUtf8(whole)) {
      const good = whole.subarray(0, firstInvalidByte(whole));
      return { text: good.toString('utf8'), refusal: this.#broken(whole, skipped) };
    }
    this.#position += skipped + whole.length;
    this.#rest = joined.subarray(skipped + whole.length);
    this.#line += lineEnds(whole, whole.length);
    return { text: whole.toString('utf8') };
  }

  /** Why the text can not end here. */
  end(): Refusal | undefined {
    return this.#rest.length === 0 ? undefined : this.#broken(this.#rest, 0);
  }

  #broken(bytes: Buffer, skipped: number): Refusal {
    const within = firstInvalidByte(bytes);
    const position = this.#position + skipped + within;
    const line = this.#line + lineEnds(bytes, within);
    return refuse('file_encoding_unknown', `byte ${position} is not part of UTF-8 text (line ${line})`, {
      position,
      line,
    });
  }
}

function refuseOther(bytes: Buffer): Refusal | undefined {
  const kind = otherKind(bytes);
  if (kind === 'compressed (gzip)')
    return refuse('file_not_csv', 'the data is compressed with gzip; say so in the header Content-Encoding');
  if (kind !== undefined) return refuse('file_not_csv', `the data is ${kind}`);
  return utf16Marks.some((start) => bytes.subarray(0, 2).equals(start))
    ? refuse('file_encoding_unknown', 'the data is UTF-16; a stream is UTF-8', { position: 0, line: 1 })
    : undefined;
}

/** Length without the last character, where some of its bytes may still be missing. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return back < lengthOf(byte) ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Bytes of the character that begins with this one. */
function lengthOf(first: number): number {
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

function lineEnds(bytes: Buffer, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < to; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
