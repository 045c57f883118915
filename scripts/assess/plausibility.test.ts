import { expect, test } from 'vitest';
import { FindingCounts } from './plausibility.ts';

const finding = (code: string, effect: 'refuse' | 'ask' | 'note' | 'waived' = 'ask') => ({
  code,
  effect,
  subject: `of ${code}`,
  detail: 'so it is',
  reference: '',
});
const limits = { shareMax: 0.2, after: 10, accepted: new Set<string>() };

function counted(with_: number, of: number, ...findings: ReturnType<typeof finding>[]): FindingCounts {
  const counts = new FindingCounts();
  for (let record = 1; record <= of; record++)
    counts.add({ record, line: record + 1, findings: record <= with_ ? findings : [] });
  return counts;
}

test('a share is implausible when it is above the limit, and enough was judged', () => {
  const codes = (counts: FindingCounts, more: Partial<typeof limits> = {}) =>
    counts.implausible({ ...limits, ...more }).map(({ code, claims, judged }) => [code, claims, judged]);
  expect(codes(counted(2, 10, finding('a')))).toEqual([]);
  expect(codes(counted(3, 10, finding('a')))).toEqual([['a', 3, 10]]);
  expect(codes(counted(9, 9, finding('a')))).toEqual([]);
  expect(codes(counted(9, 9, finding('a')), { after: 9 })).toEqual([['a', 9, 9]]);
  expect(codes(counted(10, 10, finding('a')), { shareMax: 1 })).toEqual([]);
});

test('what decides nothing is not counted; a finding counts once a claim; what is accepted is believed', () => {
  const counts = counted(
    5,
    10,
    finding('a'),
    finding('a'),
    finding('b', 'refuse'),
    finding('c', 'note'),
    finding('d', 'waived'),
  );
  const found = counts.implausible(limits);
  expect(found.map(({ code, claims }) => [code, claims])).toEqual([
    ['a', 5],
    ['b', 5],
  ]);
  expect(found[0]!.examples).toEqual(
    [1, 2, 3, 4, 5].map((record) => ({ record, line: record + 1, subject: 'of a', detail: 'so it is' })),
  );
  expect(counts.implausible({ ...limits, accepted: new Set(['a', 'b']) })).toEqual([]);
});

test('what an earlier run counted counts on', () => {
  const counts = counted(0, 5);
  counts.addCounts(5, new Map([['a', 4]]));
  expect(counts.implausible(limits)).toMatchObject([{ code: 'a', claims: 4, judged: 10, examples: [] }]);
});
