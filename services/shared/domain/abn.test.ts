import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAbn } from './abn.ts';

test.each([
  ['51 824 753 556', '51824753556'],
  ['53004085616', '53004085616'],
  [' 83 914 571 673 ', '83914571673'],
])('%s is an ABN', (text, digits) => {
  expect(parseAbn(text)).toBe(digits);
});

test.each([
  ['the last digit is another', '51 824 753 557'],
  ['two digits changed places', '51 824 753 565'],
  ['a digit is missing', '5182475355'],
  ['a digit too many', '518247535560'],
  ['a letter', '51 824 753 55O'],
  ['it begins with 0', '01824753556'],
  ['a hyphen', '51-824-753-556'],
  ['nothing', ''],
])('no ABN: %s', (_, text) => {
  expect(parseAbn(text)).toBeUndefined();
});

test('any one wrong digit is found', () => {
  const change = fc.tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(change, ([at, by]) => {
      const digits = [...'51824753556'];
      digits[at] = String((Number(digits[at]) + by) % 10);
      expect(parseAbn(digits.join(''))).toBeUndefined();
    }),
  );
});
