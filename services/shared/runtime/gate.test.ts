import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FetchGate } from './gate.ts';

/** D4: after a seek, only what was fetched from the offset sought may be handled. */
test('a fetch from anywhere else is not admitted, before or behind', () => {
  const gate = new FetchGate(10);
  expect([9, 10, 11].map((offset) => gate.admits(offset))).toEqual([false, true, false]);
});

test('a stale fetch after a seek is thrown away: the next one must begin where this partition waits (must survive 2)', () => {
  const before = new FetchGate(10);
  before.advance(19);
  expect(before.admits(20)).toBe(true);
  // The state was rolled back; the worker starts again at 5 while the fetch from 20 is still under way.
  const after = new FetchGate(5);
  expect(after.admits(20)).toBe(false);
  expect(after.admits(5)).toBe(true);
});

test('the end of a batch is its last offset, whatever offsets it lacks', () => {
  const gate = new FetchGate(0);
  gate.advance(7);
  expect(gate.next).toBe(8);
  expect([6, 7, 8].map((offset) => gate.admits(offset))).toEqual([false, false, true]);
});

describe('fetches that held markers or aborted messages only', () => {
  test.each([
    ['from where it waits', 10, 12, 13],
    ['from before, over it', 8, 12, 13],
    ['that single offset', 10, 10, 11],
    ['all before it', 5, 9, 10],
    ['all behind it', 11, 12, 10],
  ])('%s (%i to %i): then it waits for %i', (_what, firstOffset, lastOffset, next) => {
    const gate = new FetchGate(10);
    gate.skipped(firstOffset, lastOffset);
    expect(gate.next).toBe(next);
  });
});

test('whatever is fetched: what is handled is every message once, in order', () => {
  const fetch = fc.record({
    kind: fc.constantFrom('fetch', 'fetch', 'stale', 'markers'),
    from: fc.nat(30),
    size: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(fetch, { maxLength: 40 }), (fetches) => {
      const gate = new FetchGate(0);
      const handled: number[] = [];
      for (const { kind, from, size } of fetches) {
        const first = kind === 'stale' ? from : gate.next;
        if (kind === 'markers') {
          handled.push(...Array.from({ length: size }, (_, i) => first + i));
          gate.skipped(first, first + size - 1);
          continue;
        }
        if (!gate.admits(first)) continue;
        handled.push(...Array.from({ length: size }, (_, i) => first + i));
        gate.advance(first + size - 1);
      }
      expect(handled).toEqual(Array.from({ length: handled.length }, (_, i) => i));
    }),
  );
});
