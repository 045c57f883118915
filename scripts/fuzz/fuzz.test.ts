import { expect, test } from 'vitest';
import { fuzz } from './run.ts';

test('files as they should be, and files that something happened to: a sample', async () => {
  const seed = Date.now() % 1_000_000_000;
  process.stdout.write(`fuzz seed ${seed}; one case again: npm run fuzz -- --seed ${seed} --case N\n`);
  let last = -1;
  const before = (caseNumber: number) => {
    last = caseNumber;
  };
  const figures = await fuzz({ seed, cases: 3_000, secondsMax: 90, before }).catch((error: Error) => {
    throw new Error(`seed ${seed}, case ${last}: ${error.message}`);
  });
  expect(figures.cases).toBeGreaterThan(500);
  expect(figures.verdicts.accepted).toBeGreaterThan(figures.cases / 5);
  expect(Object.keys(figures.verdicts).length).toBeGreaterThan(5);
});
