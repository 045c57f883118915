import { expect, test } from 'vitest';
import { RowBudget } from './row-budget.ts';

test('so many rows a minute, at once or one by one, for each account', () => {
  const budget = new RowBudget(6_000);
  expect(budget.take('a', 5_000, 0)).toBe(0);
  expect(budget.take('a', 2_000, 0)).toBe(10_000);
  expect(budget.take('b', 6_000, 0)).toBe(0);
  expect(budget.take('a', 2_000, 9_999)).toBe(1);
  expect(budget.take('a', 2_000, 10_000)).toBe(0);
  expect(budget.take('a', 1, 10_000)).toBe(10);
});

test('a quiet hour is worth no more than a minute', () => {
  const budget = new RowBudget(6_000);
  expect(budget.take('a', 6_000, 0)).toBe(0);
  expect(budget.take('a', 6_000, 3_600_000)).toBe(0);
  expect(budget.take('a', 6_000, 3_600_000)).toBe(60_000);
});

test('more than a minute holds is taken from a full budget, and made up for', () => {
  const budget = new RowBudget(60_000);
  expect(budget.take('a', 300_000, 0)).toBe(0);
  expect(budget.take('a', 60, 0)).toBe(240_060);
});

test('accounts that have been quiet are forgotten without losing what they owe', () => {
  const budget = new RowBudget(1_000);
  budget.take('a', 10_000, 0);
  for (let i = 0; i < 100; i++) budget.take(`b${i}`, 1, 130_000);
  expect(budget.take('a', 1, 130_000)).toBeGreaterThan(0);
});
