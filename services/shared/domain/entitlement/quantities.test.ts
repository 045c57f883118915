import { expect, test } from 'vitest';
import { decimal } from './decimal.ts';
import { roundProduct } from './quantities.ts';

// No unit has a product of exactly 0.5 or 1: these borders can only be tried here.
test.each([
  ['0', 0, 'ROUND-4'],
  ['0.499', 0, 'ROUND-4'],
  ['0.49999999', 0, 'ROUND-4'],
  ['0.5', 1, 'ROUND-3'],
  ['0.50000001', 1, 'ROUND-3'],
  ['0.99999999', 1, 'ROUND-3'],
  ['1', 1, 'ROUND-2'],
  ['1.0', 1, 'ROUND-2'],
  ['1.99999999', 1, 'ROUND-2'],
  ['2', 2, 'ROUND-2'],
  ['691', 691, 'ROUND-2'],
  ['690.99999999', 690, 'ROUND-2'],
])('%s MWh is %i (%s)', (product, stcs, rule) => {
  expect(roundProduct(decimal(product))).toEqual({ stcs, rule });
});
