import { describe, expect, test } from 'vitest';
import { mutants, requireFitting } from './mutants.ts';
import { runSeeds, seedsFrom } from './pool.ts';
import { describeViolation } from './report.ts';

/** Many times what it takes to find the one that is hardest to find. */
const seedsMax = 1_500;
const timeoutMs = 300_000;
const found = new Set<number>();

describe.concurrent('without this guard, a seed is found that breaks', () => {
  test.each(mutants)(
    '$guard',
    async (mutant) => {
      requireFitting(mutant);
      const seeds = seedsFrom(1, seedsMax);
      const [first] = await runSeeds({ seeds, threads: 1, mutant, stopAtViolation: true });
      expect(first?.violation, `no violation in ${seedsMax} seeds`).toBeDefined();
      found.add(first!.seed);
    },
    timeoutMs,
  );
});

test(
  'with all of them the same seeds pass',
  async () => {
    expect(found.size).toBeGreaterThan(0);
    const violations = await runSeeds({ seeds: [...found], threads: 1 });
    expect(violations.map((result) => describeViolation(result))).toEqual([]);
  },
  timeoutMs,
);

test('a guard that was moved is not taken for one that is not needed', () => {
  const edits = [{ file: 'package.json', find: 'no such text', replace: '' }];
  expect(() => requireFitting({ guard: 'none', edits })).toThrow('has not exactly one "no such text"');
});
