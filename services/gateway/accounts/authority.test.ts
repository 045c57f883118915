import { expect, test } from 'vitest';
import { type Authority, authorityTest, suppliersOf } from './authority.ts';

const authority = (of: Partial<Authority> = {}): Authority => ({
  id: 'g',
  supplier: 'Acme  imports',
  grantedAt: 1,
  grantedBy: 'user:r',
  ...of,
});
const row = ['ACME IMPORTS', 'SUN', 'S-1'] as const;

test.each<[string, Partial<Authority>, string, boolean]>([
  ['no limits', {}, '2026-11-24', true],
  ['another supplier', { supplier: 'Acme' }, '2026-11-24', false],
  ['its holder, otherwise written', { holder: ' sun ' }, '2026-11-24', true],
  ['another holder', { holder: 'Moon' }, '2026-11-24', false],
  ['its model', { holder: 'Sun', models: ['s-0', 's-1'] }, '2026-11-24', true],
  ['another model', { holder: 'Sun', models: ['S-2'] }, '2026-11-24', false],
  ['the day before the first', { from: '2026-11-25' }, '2026-11-24', false],
  ['the first day', { from: '2026-11-24' }, '2026-11-24', true],
  ['the last day', { to: '2026-11-24' }, '2026-11-24', true],
  ['the day after the last', { to: '2026-11-23' }, '2026-11-24', false],
])('%s: %o on %s -> %s', (_, of, day, may) => {
  expect(authorityTest([authority(of)], day)(...row)).toBe(may);
});

test('authorities add up, and never mix', () => {
  const may = authorityTest(
    [
      authority({ holder: 'Sun', models: ['S-1'] }),
      authority({ holder: 'Moon', models: ['M-1'] }),
      authority({ supplier: 'Other' }),
      authority({ models: ['X-1'] }),
    ],
    '2026-11-24',
  );
  expect(may('ACME IMPORTS', 'SUN', 'S-1')).toBe(true);
  expect(may('ACME IMPORTS', 'MOON', 'M-1')).toBe(true);
  expect(may('ACME IMPORTS', 'MOON', 'S-1')).toBe(false);
  expect(may('OTHER', 'MOON', 'S-1')).toBe(true);
  expect(may('ACME IMPORTS', 'MARS', 'X-1')).toBe(true);
  expect(may('ACME IMPORTS', 'SUN', 'X-1')).toBe(true);
  expect(may('ACME IMPORTS', 'MARS', 'S-1')).toBe(false);
});

test('what is left out is not asked about', () => {
  const may = authorityTest([authority({ holder: 'Sun', models: ['S-1'] })], '2026-11-24');
  expect([may('ACME IMPORTS'), may('ACME IMPORTS', 'SUN')]).toEqual([true, true]);
  expect([may('ACME IMPORTS', 'MOON'), may('OTHER')]).toEqual([false, false]);
});

test('a supplier is named once', () => {
  expect(
    suppliersOf([authority(), authority({ supplier: 'ACME IMPORTS' }), authority({ supplier: 'B' })]),
  ).toEqual(['Acme  imports', 'B']);
});
