import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import './avsc-strings.ts';

const require = createRequire(import.meta.url);

/** avsc as it was published: its modules loaded anew. */
function untouched(): typeof import('avsc') {
  const own = () => Object.keys(require.cache).filter((file) => file.includes('/node_modules/avsc/'));
  const kept = own().map((file) => [file, require.cache[file]!] as const);
  for (const [file] of kept) delete require.cache[file];
  const fresh = require('avsc') as typeof import('avsc');
  for (const file of own()) delete require.cache[file];
  for (const [file, module] of kept) require.cache[file] = module;
  return fresh;
}

const schema = { type: 'array', items: 'string' } as const;
const ours = (require('avsc') as typeof import('avsc')).Type.forSchema(schema);
const theirs = untouched().Type.forSchema(schema);

// Lengths around those at which the way of writing changes, in bytes and in characters.
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.tuple(fc.constantFrom('a', 'é', '€', '😀'), fc.nat(70)).map(([unit, times]) => unit.repeat(times)),
);

describe('texts as avsc writes them', () => {
  it('are the same bytes', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
        expect(ours.toBuffer(texts).equals(theirs.toBuffer(texts))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('say the same of a buffer that is too small, and write nothing beyond it', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), fc.nat(200), (texts, room) => {
        const [mine, other] = [Buffer.alloc(room + 64), Buffer.alloc(room + 64)];
        const end = ours.encode(texts, mine.subarray(0, room), 0);
        expect(end).toBe(theirs.encode(texts, other.subarray(0, room), 0));
        expect(mine.subarray(room).equals(Buffer.alloc(64))).toBe(true);
        if (end >= 0) expect(mine.subarray(0, end).equals(other.subarray(0, end))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are read as they were, however the bytes end', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), fc.nat(400), (texts, length) => {
        const bytes = theirs.toBuffer(texts);
        expect(ours.fromBuffer(bytes)).toEqual(texts.map((one) => one.toWellFormed()));
        const [mine, other] = [ours, theirs].map((type) => type.decode(bytes.subarray(0, length), 0).offset);
        expect(mine).toBe(other);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are written by two different functions', () => {
    const { Tap } = require('avsc/lib/utils') as { Tap: { prototype: { writeString: () => void } } };
    expect(String(Tap.prototype.writeString)).toContain('writeShort');
    expect(theirs).not.toBeInstanceOf(ours.constructor);
  });

  it('are always UTF-8, also when a text is half a character', () => {
    for (const half of ['\ud800', 'abcdefgh\udc00', `${'x'.repeat(70)}\ud800`])
      expect(ours.fromBuffer(ours.toBuffer([half]))).toEqual([half.toWellFormed()]);
  });
});
