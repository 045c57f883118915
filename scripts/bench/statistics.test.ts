import { describe, expect, it } from 'vitest';
import { percentile, spreadOf } from './statistics.ts';

describe('percentile', () => {
  it.each([
    [[7], 0.5, 7],
    [[4, 1, 3, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.95, 4],
    [Array.from({ length: 20 }, (_, i) => i + 1), 0.95, 19],
  ])('of %j at %d is %d', (values, share, expected) => {
    expect(percentile(values, share)).toBe(expected);
  });
});

describe('spreadOf', () => {
  it('takes the middle of an odd number, and between the two middle ones of an even number', () => {
    expect(spreadOf([3, 1, 10])).toEqual({ min: 1, median: 3, max: 10 });
    expect(spreadOf([3, 1, 10, 5])).toEqual({ min: 1, median: 4, max: 10 });
  });
});
