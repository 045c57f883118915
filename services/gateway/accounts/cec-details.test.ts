import { expect, test } from 'vitest';
import { type CecDetails, detailFaults, recordDetails } from './cec-details.ts';

const at = (text: string) => Date.parse(text);
const all = {
  company_name: 'Acme Pty Ltd',
  abn: '51824753556',
  brands: [{ brand: 'Sun', models: [] }],
  contact: { name: 'Ann', email: 'ann@example.org', phone: '' },
};

test('nothing recorded: everything is missing', () => {
  expect(detailFaults({}, 0, 30)).toEqual({
    missing: ['company_name', 'abn', 'brands', 'contact'],
    stale: [],
  });
});

test.each([
  ['the last day on which they are fresh', '2026-12-01T00:00:00Z', []],
  ['a day later', '2026-12-02T00:00:00Z', ['company_name', 'brands', 'contact']],
])('%s: stale are %o', (_, now, stale) => {
  const old: CecDetails = recordDetails({}, all, at('2026-11-01T00:00:00Z'));
  const details = recordDetails(old, { abn: '53004085616' }, at('2026-11-20T00:00:00Z'));
  expect(detailFaults(details, at(now), 30)).toEqual({ missing: [], stale });
});
