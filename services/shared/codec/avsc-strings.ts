import { createRequire } from 'node:module';
import { assert } from '#shared/base/errors.ts';

// How avsc writes and reads texts, which is most of what a batch costs. avsc measures each before it writes it; here it is
// written and measured in one. The bytes are the same (tested against the untouched library). Most texts that are read are
// empty, and need no call into Node.

/** avsc's position in a buffer. It may lie past the end: that is how an encoder learns how much room was missing. */
interface Tap {
  readonly buf: Buffer & { utf8Write(text: string, at: number, bytesMax: number): number };
  pos: number;
  writeLong(this: Tap, value: number): void;
  writeString(this: Tap, text: string): void;
  readString(this: Tap): string;
}

const { Tap } = createRequire(import.meta.url)('avsc/lib/utils') as { Tap: { prototype: Tap } };
assert('utf8Write' in Buffer.prototype, 'this Node writes no UTF-8 into a buffer directly');

/** Up to here a loop is faster than a call into Node. */
const loopCharsMax = 6;
/** Lengths below this take one byte. */
const shortBytes = 64;

Tap.prototype.writeString = function (text) {
  if (writeAscii(this, text) || writeShort(this, text)) return;
  const bytes = Buffer.byteLength(text);
  this.writeLong(bytes);
  const at = this.pos;
  this.pos += bytes;
  if (this.pos <= this.buf.length) this.buf.utf8Write(text, at, bytes);
};

const { readString } = Tap.prototype;
Tap.prototype.readString = function () {
  if (this.buf[this.pos] !== 0) return readString.call(this);
  this.pos += 1;
  return '';
};

/** A few characters of ASCII. False, with nothing advanced, when they are more, others, or find no room. */
function writeAscii(tap: Tap, text: string): boolean {
  const { buf, pos } = tap;
  const { length } = text;
  if (length > loopCharsMax || pos + 1 + length > buf.length) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return false;
    buf[pos + 1 + i] = code;
  }
  buf[pos] = length << 1;
  tap.pos = pos + 1 + length;
  return true;
}

/** A text whose length takes one byte, which is written after it. False, with nothing advanced, when it is another. */
function writeShort(tap: Tap, text: string): boolean {
  const { buf, pos } = tap;
  const bytesMax = 3 * text.length;
  if (text.length >= shortBytes || pos + 1 + bytesMax > buf.length) return false;
  const bytes = buf.utf8Write(text, pos + 1, bytesMax);
  if (bytes >= shortBytes) return false;
  buf[pos] = bytes << 1;
  tap.pos = pos + 1 + bytes;
  return true;
}
