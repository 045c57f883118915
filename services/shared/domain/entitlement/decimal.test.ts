import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare, decimal, floor, isWhole, minus, parseDecimal, plus, times, toText } from './decimal.ts';

describe('exact decimals', () => {
  test.each([
    ['6.6', '6.6'],
    ['100.000', '100'],
    ['0.001', '0.001'],
    ['007.50', '7.5'],
    ['0', '0'],
  ])('%s reads as %s', (text, shown) => {
    expect(toText(decimal(text))).toBe(shown);
  });

  test.each([
    '',
    '.5',
    '5.',
    '-1',
    '+1',
    '1e3',
    '1E3',
    ' 1',
    '1,5',
    '0x10',
    'NaN',
    'Infinity',
    '１',
    '1234567890123',
    '1.1234567890123',
  ])('%j is no decimal', (text) => {
    expect(parseDecimal(text)).toBeUndefined();
  });

  test('arithmetic agrees with integers scaled by hand', () => {
    const thousandths = fc.bigInt({ min: 0n, max: 10n ** 9n });
    const text = (units: bigint) => `${units / 1000n}.${(units % 1000n).toString().padStart(3, '0')}`;
    fc.assert(
      fc.property(thousandths, thousandths, (a, b) => {
        const [left, right] = [decimal(text(a)), decimal(text(b))];
        expect(toText(plus(left, right))).toBe(toText(decimal(text(a + b))));
        expect(compare(left, right)).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(floor(left)).toBe(a / 1000n);
        expect(isWhole(left)).toBe(a % 1000n === 0n);
        expect(compare(minus(plus(left, right), right), left)).toBe(0);
        const product = times(left, right);
        expect(product.units * 10n ** BigInt(6 - product.scale)).toBe(a * b);
      }),
    );
  });

  test('the products that binary floating point gets wrong are exact', () => {
    // 1.382 * 5 * 100 is 690.9999999999999 as binary floating point: one certificate too few (ROUND-5).
    expect(floor(times(times(decimal('1.382'), decimal('5')), decimal('100')))).toBe(691n);
  });
});
