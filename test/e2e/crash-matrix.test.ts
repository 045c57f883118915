import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultsNamed } from '#scripts/crash-matrix/faults.ts';
import { Rig } from '#scripts/crash-matrix/rig.ts';
import { runFaults } from '#scripts/crash-matrix/run.ts';
import { openTestSupervisor } from '#test/support/engines.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));

/** One of each kind; `npm run crash-matrix -- --all` tries all of them. */
const names = [
  'kill gateway.transaction-commit',
  'kill dedup.publish',
  'zombie dedup.publish',
  'kafka answer of a commit lost',
  'redis emptied',
];

let rig: Rig;
let close: () => void;

beforeAll(async () => {
  const opened = await openTestSupervisor();
  close = opened.close;
  rig = await Rig.start(opened.supervisor, () => undefined);
});
afterAll(async () => {
  await rig?.stop();
  close?.();
});

test(`nothing lost, nothing doubled, whatever dies (SEED=${seed})`, { timeout: 900_000 }, async () => {
  const faults = faultsNamed(names);
  if ('unknown' in faults) throw new Error(`there is no fault ${faults.unknown}`);
  const results = await runFaults({
    rig,
    faults,
    seed,
    rows: 1_000,
    progress: () => undefined,
    onResult: () => undefined,
  });
  expect(
    results.map(({ fault, lost, doubled, wrong, faults: told }) => ({ fault, lost, doubled, wrong, told })),
  ).toEqual(faults.map(({ name }) => ({ fault: name, lost: 0, doubled: 0, wrong: 0, told: [] })));
  for (const { fault, injected, rows, claims } of results) {
    expect(injected, fault).toBeGreaterThan(0);
    expect(rows, fault).toBeGreaterThanOrEqual(1_000);
    expect(claims, fault).toBeGreaterThan(0);
  }
});
