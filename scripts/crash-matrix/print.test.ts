import { describe, expect, it } from 'vitest';
import { faults, faultsNamed } from './faults.ts';
import { complaintsOf, tableOf } from './print.ts';
import type { FaultResult } from './run.ts';

const good: FaultResult = {
  fault: 'redis killed',
  about: '',
  injected: 3,
  restarts: 0,
  repeated: 0,
  rows: 2_000,
  claims: 16,
  lost: 0,
  doubled: 0,
  wrong: 0,
  faults: [],
  recoverySeconds: 1.25,
  seconds: 9,
};

describe('the table', () => {
  it('has a line for each fault, and one for all of them with the worst recovery', () => {
    const other = { ...good, fault: 'kafka killed', injected: 1, recoverySeconds: 6 };
    expect(tableOf([good, other]).split('\n')).toEqual([
      '| fault        | injected |  rows | claims | lost | doubled | wrong | recovery |',
      '| ------------ | -------: | ----: | -----: | ---: | ------: | ----: | -------: |',
      '| redis killed |        3 | 2,000 |     16 |    0 |       0 |     0 |    1.3 s |',
      '| kafka killed |        1 | 2,000 |     16 |    0 |       0 |     0 |    6.0 s |',
      '| all 2        |        4 | 4,000 |     32 |    0 |       0 |     0 |    6.0 s |',
    ]);
  });
});

describe('what is not as it must be', () => {
  it.each([
    ['nothing', {}, []],
    ['a row is lost', { lost: 1, faults: ['lost: row'] }, ['redis killed: lost: row']],
    ['a row is there twice', { doubled: 1, faults: ['twice'] }, ['redis killed: twice']],
    ['an outcome is another', { wrong: 1, faults: ['wrong'] }, ['redis killed: wrong']],
    ['the fault never happened', { injected: 0 }, ['redis killed: it was never injected']],
  ] as const)('%s', (_, change, complaints) => {
    expect(complaintsOf([{ ...good, ...change }])).toEqual(complaints);
  });
});

describe('faults', () => {
  it('have names of their own', () => {
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
  });

  it('are chosen by how their names begin; a name of none is told', () => {
    expect(faultsNamed(['redis emptied'])).toMatchObject([{ name: 'redis emptied' }]);
    expect(faultsNamed(['redis', 'nonsense'])).toEqual({ unknown: 'nonsense' });
  });
});
