import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ListIndex } from './list-index.ts';
import { differencesBetween, nearest, nearestAmong } from './nearest.ts';

const models = [
  'JKM400M-54HL4-V (IEC 61215-2021)',
  'JKM405M-54HL4-V (IEC 61215-2021)',
  'JKM400M-60HL4 (II)',
  'LR5-54HTH-430M',
  'LR5-54HTH-435M',
];

test.each([
  ['JKM400M-54HL4-V', 'JKM400M-54HL4-V (IEC 61215-2021)'],
  ['JKM400M-60HL4 (IEC 61215-2021)', 'JKM400M-60HL4 (II)'],
  ['jkm 400m 54hl4 v', 'JKM400M-54HL4-V (IEC 61215-2021)'],
  ['JKM400M54HL4', 'JKM400M-54HL4-V (IEC 61215-2021)'],
  ['LR5-54HTH-43OM', 'LR5-54HTH-430M'],
  ['LR5-54HHT-435M', 'LR5-54HTH-435M'],
])('%s is a near miss of %s', (text, expected) => {
  expect(nearest(text, models)[0]).toBe(expected);
});

test.each(['', '   ', '()', 'M', 'TSM-500NEG9R.28'])('%j is a near miss of nothing', (text) => {
  expect(nearest(text, models)).toEqual([]);
});

/** The textbook's whole table, without a band. */
function reference(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const change = table[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, table[i - 1]![j]! + 1, table[i]![j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, table[i - 2]![j - 2]! + 1);
      table[i]![j] = least;
    }
  return table[a.length]![b.length]!;
}

test('differences are counted as the textbook counts them, up to the limit', () => {
  const text = fc.string({ unit: fc.constantFrom('A', 'B', '1', '2'), maxLength: 12 });
  fc.assert(
    fc.property(text, text, fc.nat(7), (a, b, limit) => {
      const expected = reference(a, b);
      expect(differencesBetween(a, b, limit)).toBe(expected <= limit ? expected : undefined);
    }),
    { numRuns: 2_000 },
  );
});

const row = (holder: string, model: string) => ({
  holder,
  model,
  brand: '',
  series: '',
  approved: '2024-01-01',
  expires: '2029-01-01',
  current: true,
  nominalKwh: '',
  usableKwh: '',
  acPowerKw: '',
});

test('a list suggests models of the holder, of holders that are near, or who lists the model', () => {
  const list = new ListIndex([
    row('LONGi Green Energy Technology Co Ltd', 'LR5-54HTH-430M'),
    row('Jinko Solar Co Ltd', 'JKM400M-54HL4-V (IEC 61215-2021)'),
    row('JINKO SOLAR CO LTD', 'JKM405M'),
    row('Sonnenhof GmbH', 'OEM-144-500'),
  ]);
  expect(list.find('jinko  solar co ltd', 'jkm405m')).toHaveLength(1);
  expect(list.find('Jinko Solar Co Ltd', 'JKM400M-54HL4-V')).toBeUndefined();
  expect(list.suggest('Jinko Solar Co Ltd', 'JKM400M-54HL4-V')).toEqual([
    { holder: 'Jinko Solar Co Ltd', model: 'JKM400M-54HL4-V (IEC 61215-2021)' },
  ]);
  expect(list.suggest('Jinko Solar Co., Ltd.', 'JKM405M')).toEqual([
    { holder: 'JINKO SOLAR CO LTD', model: 'JKM405M' },
  ]);
  expect(list.suggest('Longi', 'LR5-54HTH-43OM')).toEqual([
    { holder: 'LONGi Green Energy Technology Co Ltd', model: 'LR5-54HTH-430M' },
  ]);
  expect(list.suggest('Longi', 'X-1')).toEqual([
    { holder: 'LONGi Green Energy Technology Co Ltd', model: '' },
  ]);
  expect(list.suggest('Jinko Solar Co Ltd', 'OEM-144-500')).toEqual([
    { holder: 'Sonnenhof GmbH', model: 'OEM-144-500' },
  ]);
  expect(list.suggest('Nobody Pty Ltd', 'X-1')).toEqual([]);
});

const data = path.resolve(import.meta.dirname, '../../../../../shared/data/cec_pv_modules_20260423.csv');

test.skipIf(!existsSync(data))('the real list: a lost suffix and a wrong sign are found again', () => {
  const rows = readFileSync(data, 'utf8')
    .split('\r\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split(',') as [string, string]);
  const all = rows.map(([, model]) => model);
  const byHolder = new Map<string, Set<string>>();
  for (const [holder, model] of rows) byHolder.set(holder, (byHolder.get(holder) ?? new Set()).add(model));
  let asked = 0;
  let first = 0;
  for (const [, own] of byHolder) {
    const near = nearestAmong(own);
    for (const model of own) {
      const base = model.replace(/(\s*\([^()]*\))+$/, '');
      if (base !== model && base !== '')
        expect(near(base).some((found) => found.startsWith(base))).toBe(true);
      if (model.length < 8) continue;
      const at = 3 + (model.length % 3);
      const wrong = `${model.slice(0, at)}${model[at] === 'Ω' ? 'X' : 'Ω'}${model.slice(at + 1)}`;
      asked += 1;
      if (near(wrong)[0] === model) first += 1;
    }
  }
  expect(all.length).toBeGreaterThan(7_000);
  // Others differ from the wrong text by one sign as well, those of neighbouring power classes.
  expect(first / asked).toBeGreaterThan(0.9);
});
