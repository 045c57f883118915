import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addDays, dayOf, daysBetween, sydneyDay, sydneyMidnight } from './days.ts';

test.each([
  ['winter, one minute before midnight', '2026-06-30T13:59:00Z', '2026-06-30'],
  ['winter, midnight', '2026-06-30T14:00:00Z', '2026-07-01'],
  ['summer, one millisecond before midnight', '2025-12-31T12:59:59.999Z', '2025-12-31'],
  ['summer, midnight', '2025-12-31T13:00:00Z', '2026-01-01'],
  [
    'the night summer time begins (4 October 2026), before its midnight',
    '2026-10-03T13:59:59Z',
    '2026-10-03',
  ],
  ['the night summer time begins, after its midnight', '2026-10-03T14:00:00Z', '2026-10-04'],
  ['the evening after summer time began', '2026-10-04T12:59:59Z', '2026-10-04'],
  ['midnight an hour earlier by UTC than the night before', '2026-10-04T13:00:00Z', '2026-10-05'],
  ['the night summer time ends (5 April 2026), midnight', '2026-04-04T13:00:00Z', '2026-04-05'],
  ['the evening after summer time ended', '2026-04-05T13:59:59Z', '2026-04-05'],
  ['midnight after summer time ended', '2026-04-05T14:00:00Z', '2026-04-06'],
  ['2001, when summer time began on the last Sunday of October', '2001-10-28T13:00:00Z', '2001-10-29'],
])('%s: %s is %s in Sydney', (_, moment, day) => {
  expect(sydneyDay(Date.parse(moment))).toBe(day);
});

test('every moment has the day that the time zone database gives it, in whatever order moments are asked for', () => {
  const reference = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Australia/Sydney' });
  const from = Date.parse('2001-01-01T00:00:00Z');
  const to = Date.parse('2037-01-01T00:00:00Z');
  fc.assert(
    fc.property(
      fc.integer({ min: from, max: to }),
      (moment) => sydneyDay(moment) === reference.format(moment),
    ),
    { numRuns: 2_000 },
  );
});

test.each([
  [2024, 2, 29, '2024-02-29'],
  [2026, 2, 29, undefined],
  [2026, 4, 31, undefined],
  [2026, 0, 1, undefined],
  [2026, 13, 1, undefined],
  [2026, 1, 0, undefined],
])('%i-%i-%i is %s', (year, month, day, expected) => {
  expect(dayOf(year, month, day)).toBe(expected);
});

test.each([
  ['2026-11-24', '2026-11-24', 0],
  ['2026-02-28', '2026-03-01', 1],
  ['2028-02-28', '2028-03-01', 2],
  // Sydney's summer time begins and ends between these: days are calendar days all the same.
  ['2026-04-04', '2026-04-06', 2],
  ['2026-12-31', '2026-12-30', -1],
])('from %s to %s: %i days', (from, to, days) => {
  expect(daysBetween(from, to)).toBe(days);
  expect(addDays(from, days)).toBe(to);
});

test('midnight in Sydney: the first moment of a day, in summer and in winter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12_000 }), fc.integer({ min: 0, max: 40 }), (since, later) => {
      const at = (days: number) =>
        new Date(Date.UTC(2001, 3, 1) + days * 86_400_000).toISOString().slice(0, 10);
      const midnight = sydneyMidnight(at(since), later);
      expect(sydneyDay(midnight)).toBe(at(since + later));
      expect(sydneyDay(midnight - 1)).toBe(at(since + later - 1));
    }),
  );
});
