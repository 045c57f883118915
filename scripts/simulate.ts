// Runs the serial pipeline on engines in memory under seeded faults, thousands of seeds in a minute, and compares it with a
// sequential reference. Ends with 1 when a seed breaks something; that seed does the same again.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Mutant, mutants } from '#test/simulation/mutants.ts';
import { runSeeds, seedsFrom } from '#test/simulation/pool.ts';
import { describeViolation, Totals } from '#test/simulation/report.ts';

const help = `npm run simulate -- [options]

  --seeds N     how many runs (1000)
  --seed S      the first seed; the next runs take the following ones (1)
  --threads N   (one for each core)
  --trace N     steps to print of a run that breaks (60)
  --guards      takes the guards out one by one, and says which seed finds it
`;

const violationsPrinted = 3;

interface Options {
  readonly seeds: number;
  readonly seed: number;
  readonly threads: number;
  readonly trace: number;
}

const { values } = readArguments();
if (values.help) end(help, 0);
const options: Options = {
  seeds: whole('seeds', 1_000),
  seed: whole('seed', 1),
  threads: whole('threads', availableParallelism()),
  trace: whole('trace', 60),
};
process.exitCode = (await (values.guards ? findGuards(options) : simulateSeeds(options))) ? 0 : 1;

async function simulateSeeds({ seeds, seed, threads, trace }: Options): Promise<boolean> {
  const totals = new Totals();
  const begun = performance.now();
  let toldAt = begun;
  const violations = await runSeeds({
    seeds: seedsFrom(seed, seeds),
    threads,
    onResult: (result) => {
      totals.add(result);
      if (performance.now() < toldAt + 5_000) return;
      toldAt = performance.now();
      process.stderr.write(`${totals.runs} of ${seeds} seeds ...\n`);
    },
  });
  const seconds = (performance.now() - begun) / 1_000;
  for (const violation of violations.slice(0, violationsPrinted))
    process.stdout.write(`${describeViolation(violation, trace)}\n\n`);
  if (violations.length > violationsPrinted)
    process.stdout.write(
      `also: ${violations
        .slice(violationsPrinted)
        .map((result) => result.seed)
        .join(', ')}\n\n`,
    );
  const faults = [...totals.faults].map(([kind, count]) => line(kind, count));
  process.stdout.write(
    [
      'faults',
      ...faults,
      'runs',
      line('seeds', `${totals.runs} (${seed} to ${seed + seeds - 1})`),
      line('steps', totals.steps),
      line('submissions', totals.submissions),
      line('rows in the ledger', totals.rows),
      line('dead letters replayed', totals.replays),
      line('indexes rebuilt', totals.rebuilds),
      line('seconds', seconds.toFixed(1)),
      line('seeds a second', Math.round(totals.runs / seconds)),
      line('violations', violations.length),
      '',
    ].join('\n'),
  );
  return violations.length === 0;
}

/** Each guard taken out in turn: a simulation that does not miss it would prove nothing. */
async function findGuards({ seeds, seed, threads }: Options): Promise<boolean> {
  const left = [...mutants];
  let missed = 0;
  const search = async (mutant: Mutant): Promise<void> => {
    let runs = 0;
    const [found] = await runSeeds({
      seeds: seedsFrom(seed, seeds),
      threads: 1,
      mutant,
      stopAtViolation: true,
      onResult: () => {
        runs += 1;
      },
    });
    if (!found) missed += 1;
    const what = found
      ? `after ${runs} seeds: ${found.violation?.slice(0, 160)}`
      : `NOT FOUND in ${seeds} seeds`;
    process.stdout.write(`${mutant.guard}\n  ${what}\n`);
  };
  await Promise.all(
    Array.from({ length: threads }, async () => {
      for (let mutant = left.shift(); mutant; mutant = left.shift()) await search(mutant);
    }),
  );
  process.stdout.write(`${mutants.length} guards taken out, ${missed} not missed\n`);
  return missed === 0;
}

function line(name: string, value: string | number): string {
  return `  ${name.padEnd(36)} ${value}`;
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        threads: { type: 'string' },
        trace: { type: 'string' },
        guards: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    end(`${(error as Error).message}\n\n${help}`, 2);
  }
}

function whole(name: 'seeds' | 'seed' | 'threads' | 'trace', fallback: number): number {
  const text = values[name] ?? String(fallback);
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1)
    end(`--${name} is a whole number from 1, not ${text}\n`, 2);
  return Number(text);
}

function end(text: string, code: number): never {
  process.stdout.write(text);
  process.exit(code);
}
