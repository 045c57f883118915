import { expect, test } from 'vitest';
import { addMonths, nextDay, parseDay } from './calendar.ts';

test.each([
  '2019-02-29',
  '2020-13-01',
  '2020-00-01',
  '2020-04-31',
  '1900-02-29',
  '2020-1-01',
  '01/01/2020',
  '2020-01-01T00:00',
  '',
])('%j is no day', (text) => {
  expect(parseDay(text)).toBeUndefined();
});

test.each(['2020-02-29', '2000-02-29', '2001-04-01', '2030-12-31'])('%s is a day', (text) => {
  expect(parseDay(text)).toBe(text);
});

test.each([
  ['2008-02-29', 12, '2009-02-28'],
  ['2007-02-28', 12, '2008-02-28'],
  ['2019-12-31', 12, '2020-12-31'],
  ['2020-01-31', 1, '2020-02-29'],
  ['2020-12-15', 1, '2021-01-15'],
])('%s and %i months is %s', (day, months, later) => {
  expect(addMonths(day, months)).toBe(later);
});

test.each([
  ['2015-06-30', '2015-07-01'],
  ['2030-12-31', '2031-01-01'],
  ['2020-02-28', '2020-02-29'],
  ['2019-02-28', '2019-03-01'],
])('after %s comes %s', (day, next) => {
  expect(nextDay(day)).toBe(next);
});
