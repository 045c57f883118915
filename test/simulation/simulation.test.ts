import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { runSeeds, seedsFrom } from './pool.ts';
import { describeViolation, Totals } from './report.ts';
import type { RunResult } from './simulation.ts';
import { faultKinds } from './weather.ts';

const threads = Math.min(availableParallelism(), 4);
const seeds = 500;

test('any order, any faults: each row has the one outcome that a sequential reader gives it', async () => {
  const totals = new Totals();
  const violations = await runSeeds({
    seeds: seedsFrom(1, seeds),
    threads,
    onResult: (result) => totals.add(result),
  });
  expect(violations.map((result) => describeViolation(result))).toEqual([]);

  // The runs must reach what they are about.
  expect(totals.runs).toBe(seeds);
  expect(totals.rows).toBeGreaterThan(10 * seeds);
  expect(totals.replays).toBeGreaterThan(seeds / 2);
  expect(totals.rebuilds).toBeGreaterThan(seeds / 5);
  expect(faultKinds.filter((kind) => totals.faults.get(kind)! < 5)).toEqual([]);
});

test('a run replays from its seed', async () => {
  const digests: number[][] = [];
  for (let time = 0; time < 2; time++) {
    const results: RunResult[] = [];
    await runSeeds({ seeds: seedsFrom(1, 20), threads, onResult: (result) => results.push(result) });
    digests.push(results.sort((a, b) => a.seed - b.seed).map(({ digest }) => digest));
  }
  expect(digests[0]).toEqual(digests[1]);
  expect(new Set(digests[0]).size).toBe(20);
});
