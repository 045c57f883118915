import { expect, it } from 'vitest';
import { steadyWindow } from './steady.ts';

/** Arrivals of 100 rows every 10 ms from 500 ms on: a slow start, then a steady stream, then one late block. */
const samples = [
  ...Array.from({ length: 10 }, (_, i) => ({ atMs: 500 + 10 * i, rows: 100 * (i + 1) })),
  { atMs: 9_000, rows: 1_050 },
];

it('measures from one arrival to another, without the start and without what comes late', () => {
  const window = steadyWindow(samples, 200, ({ rows }) => rows <= 1_000);
  expect(window.from).toEqual({ atMs: 510, rows: 200 });
  expect(window.to).toEqual({ atMs: 590, rows: 1_000 });
  expect(window.rowsPerSecond).toBe(10_000);
});

it('refuses a run without a steady part instead of giving a figure', () => {
  expect(() => steadyWindow(samples, 1_000, ({ atMs }) => atMs <= 590)).toThrow('too short');
  expect(() => steadyWindow([], 0, () => true)).toThrow('too short');
});
