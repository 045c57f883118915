import { expect, test } from 'vitest';
import { apiDeclarationOf, type LastDay, lastDayOf } from './api-users.ts';

test.each<[string, string, LastDay, string]>([
  ['an ordinary day', '2026-08-24', 'included', '2026-11-24'],
  ['the switch excludes the last day', '2026-08-24', 'excluded', '2026-11-23'],
  ['over the turn of the year', '2026-11-15', 'included', '2027-02-15'],
  ['31 January: April has 30 days', '2026-01-31', 'included', '2026-04-30'],
  ['30 November: February has 28 days', '2026-11-30', 'included', '2027-02-28'],
  ['29 November: February has 28 days', '2026-11-29', 'included', '2027-02-28'],
  ['30 November before a leap year', '2027-11-30', 'included', '2028-02-29'],
  ['28 February: no clipping, May goes on', '2026-02-28', 'included', '2026-05-28'],
  ['31 December', '2026-12-31', 'included', '2027-03-31'],
])('%s: made on %s, last day %s -> %s', (_, madeOn, lastDay, until) => {
  expect(lastDayOf(madeOn, lastDay)).toBe(until);
});

const made = (at: string) => ({
  apiDeclarations: [{ text: 'api-users-1', at: Date.parse(at), by: 'user:u' }],
});

// Made on 24 August 2026 by Sydney's clock, of which UTC still has the 23rd.
const account = made('2026-08-23T14:00:00Z');

test.each([
  ['at once', '2026-08-23T14:00:00Z', 'current', 92],
  ['the day before the last', '2026-11-22T13:00:00Z', 'current', 1],
  ['the last day begins', '2026-11-23T13:00:00Z', 'current', 0],
  ['the last millisecond of the last day', '2026-11-24T12:59:59.999Z', 'current', 0],
  ['the day after begins', '2026-11-24T13:00:00Z', 'expired', -1],
])('%s: %s is %s, days left %i', (_, now, state, daysLeft) => {
  expect(apiDeclarationOf(account, Date.parse(now))).toMatchObject({
    state,
    madeOn: '2026-08-24',
    until: '2026-11-24',
    daysLeft,
  });
});

test('with the last day excluded it ends a day earlier', () => {
  const now = Date.parse('2026-11-23T13:00:00Z');
  expect(apiDeclarationOf(account, now, 'excluded')).toMatchObject({ state: 'expired', until: '2026-11-23' });
});

test('the latest counts', () => {
  const twice = {
    apiDeclarations: [...account.apiDeclarations, ...made('2026-10-01T00:00:00Z').apiDeclarations],
  };
  expect(apiDeclarationOf(twice, Date.parse('2026-12-01T00:00:00Z'))).toMatchObject({
    state: 'current',
    until: '2027-01-01',
  });
});

test('none was ever made', () => {
  expect(apiDeclarationOf({ apiDeclarations: [] }, 0)).toEqual({ state: 'none' });
});
