import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Watermark } from './watermark.ts';

test('nothing acknowledged: no watermark', () => {
  expect(new Watermark([]).value).toBeUndefined();
  expect(new Watermark([{ key: 'a', origin: 5 }]).value).toBeUndefined();
});

test('the highest origin, whatever origins are skipped; an older copy changes nothing', () => {
  const watermark = new Watermark([]);
  const values = [0, 3, 9, 2, 9, 10].map((origin) => {
    watermark.acknowledge(origin);
    return watermark.value;
  });
  expect(values).toEqual([0, 3, 9, 9, 9, 10]);
});

test('one below the lowest unsettled dead letter, known before or since', () => {
  const watermark = new Watermark([
    { key: 'a', origin: 5 },
    { key: 'b', origin: 7 },
  ]);
  watermark.acknowledge(9);
  expect(watermark.value).toBe(4);
  expect(watermark.settle('a')).toBe(true);
  expect(watermark.value).toBe(6);
  watermark.hold('c', 2);
  expect(watermark.value).toBe(1);
  expect([watermark.settle('c'), watermark.settle('c'), watermark.settle('none')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(watermark.settle('b')).toBe(true);
  expect(watermark.value).toBe(9);
});

test('a dead letter beyond what is acknowledged holds nothing back', () => {
  const watermark = new Watermark([{ key: 'a', origin: 50 }]);
  watermark.acknowledge(9);
  expect(watermark.value).toBe(9);
});

test('the first message of a partition is a dead letter: there is no watermark, not one of -1', () => {
  const watermark = new Watermark([{ key: 'a', origin: 0 }]);
  watermark.acknowledge(4);
  expect(watermark.value).toBeUndefined();
});

test('never above an unsettled dead letter, never above what was acknowledged', () => {
  const step = fc.record({ kind: fc.constantFrom('acknowledge', 'hold', 'settle'), origin: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const watermark = new Watermark([]);
      const held = new Set<number>();
      let highest = -1;
      for (const { kind, origin } of steps) {
        if (kind === 'acknowledge') {
          watermark.acknowledge(origin);
          highest = Math.max(highest, origin);
        } else if (kind === 'hold') {
          watermark.hold(String(origin), origin);
          held.add(origin);
        } else {
          watermark.settle(String(origin));
          held.delete(origin);
        }
        const expected = Math.min(highest, ...[...held].map((of) => of - 1));
        expect(watermark.value ?? -1).toBe(Math.max(expected, -1));
      }
    }),
  );
});

test('goes on from where an earlier writer had acknowledged the log', () => {
  const watermark = new Watermark([{ key: 'a', origin: 5 }], 9);
  expect([watermark.value, watermark.highest]).toEqual([4, 9]);
  watermark.acknowledge(5);
  watermark.settle('a');
  expect(watermark.value).toBe(9);
});
