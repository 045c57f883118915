import { expect, test } from 'vitest';
import { parseRowLimits, rowLimitsDefault } from './limits.ts';

test('limits are said by channel and guidance; what is not said keeps its default', () => {
  expect(rowLimitsDefault).toEqual({ csv: 5_000, json: 5_000, guidance: { vsp: 1_000 } });
  expect(parseRowLimits('csv=1000, csv:trial=10')).toEqual({
    csv: 1_000,
    json: 5_000,
    guidance: { vsp: 1_000, trial: 10 },
  });
});

test.each(['', 'csv', 'csv=0', 'csv=5001', 'json:vsp=10', 'portal=10', 'csv=1e3'])(
  '%j is refused',
  (text) => {
    expect(() => parseRowLimits(text)).toThrow();
  },
);
