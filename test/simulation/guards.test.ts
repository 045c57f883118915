import { describe, expect, test } from 'vitest';
import { mutants, requireFitting } from './mutants.ts';
import { runSeeds } from './pool.ts';
import { describeViolation } from './report.ts';

/** Many times what it takes to find the one that is hardest to find. */
const seedsMax = 1_500;

describe.concurrent('without this guard, a seed is found that breaks', () => {
  test.each(mutants)('$guard', async (mutant) => {
    requireFitting(mutant);
    const [found] = await runSeeds({ from: 1, count: seedsMax, threads: 1, mutant, stopAtViolation: true });
    expect(found?.violation, `no violation in ${seedsMax} seeds`).toBeDefined();
    // With the guard, the same seed passes: it is the guard that was missed.
    const violations = await runSeeds({ from: found!.seed, count: 1, threads: 1 });
    expect(violations.map((result) => describeViolation(result))).toEqual([]);
  });
});

test('a guard that was moved is not taken for one that is not needed', () => {
  const edits = [{ file: 'package.json', find: 'no such text', replace: '' }];
  expect(() => requireFitting({ guard: 'none', edits })).toThrow('has not exactly one "no such text"');
});
