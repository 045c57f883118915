// Breaks the fleet and its engines one fault after the other under load, and compares what is left with what was accepted.
// Ends with 1 when anything is lost, doubled or wrong, or a fault was not brought about.
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isArgumentError } from './arguments.ts';
import type { Fault } from './crash-matrix/fault.ts';
import { notTried } from './crash-matrix/faults/kill-at-points.ts';
import { faults, faultsNamed } from './crash-matrix/faults.ts';
import { complaintsOf, tableOf } from './crash-matrix/print.ts';
import { Rig } from './crash-matrix/rig.ts';
import { type FaultResult, passed, runFaults } from './crash-matrix/run.ts';
import { Supervisor } from './engines/supervise.ts';

const help = `npm run crash-matrix -- [options]

  --all            every fault; without it, and without --only, a sample
  --only A,B       faults whose names begin with A or B
  --rows N         rows that are sent at least with each fault (2000)
  --seed S         for what is sent; a random one when absent, which is printed
  --json FILE      the results as JSON
  --list           names every fault, and ends
  Exit 0: every fault was injected, nothing lost, doubled or wrong; 1: otherwise; 2: bad arguments.
`;

function end(text: string, code: number): never {
  (code === 0 ? process.stdout : process.stderr).write(text);
  process.exit(code);
}

interface Given {
  readonly chosen: readonly Fault[];
  readonly all: boolean;
  readonly rows: number;
  readonly seed: number;
  readonly json: string | undefined;
}

function read(): Given {
  const { values } = parseArgs({
    options: {
      all: { type: 'boolean', default: false },
      only: { type: 'string' },
      rows: { type: 'string', default: '2000' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) end(help, 0);
  if (values.list) end(faults.map(lineOf).join(''), 0);
  const rows = Number(values.rows);
  if (!Number.isInteger(rows) || rows < 100 || rows > 1_000_000)
    end('--rows is a whole number from 100\n', 2);
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0) end('--seed is a whole number\n', 2);
  const all = values.all && values.only === undefined;
  return { chosen: choose(values.only, all), all, rows, seed, json: values.json };
}

function lineOf({ name, about, sample }: Fault): string {
  return `${sample ? '*' : ' '} ${name}: ${about}\n`;
}

function choose(only: string | undefined, all: boolean): readonly Fault[] {
  if (only === undefined) return all ? faults : faults.filter(({ sample }) => sample);
  const chosen = faultsNamed(only.split(',').map((name) => name.trim()));
  if ('unknown' in chosen) end(`there is no fault whose name begins with "${chosen.unknown}": --list\n`, 2);
  return chosen;
}

function given(): Given {
  try {
    return read();
  } catch (error) {
    if (!isArgumentError(error)) throw error;
    return end(`${error.message}\n${help}`, 2);
  }
}

/** `stage.effect` of `stage.effect.before`. */
function effectOf(point: string): string {
  return point.slice(0, point.lastIndexOf('.'));
}

const { chosen, all, rows, seed, json } = given();
const began = performance.now();
const seconds = () => (performance.now() - began) / 1_000;
const progress = (text: string) => process.stderr.write(`[${seconds().toFixed(1).padStart(6)} s] ${text}\n`);
const dataDir = mkdtempSync(path.join(tmpdir(), 'serial-ledger-crash-matrix-'));
const supervisor = await Supervisor.open(dataDir);
supervisor.endOnSignals();

progress(`seed ${seed}: ${chosen.length} of ${faults.length} faults, ${rows} rows each`);
const results: FaultResult[] = [];
let rig: Rig | undefined;
let failure: Error | undefined;
try {
  rig = await Rig.start(supervisor, progress);
  await runFaults({
    rig,
    faults: chosen,
    seed,
    rows,
    progress,
    onResult(result) {
      results.push(result);
      const { rows: sent, claims, injected, lost, doubled, wrong, recoverySeconds } = result;
      progress(
        `    ${passed(result) ? 'ok' : 'FAILED'}: ${injected} times, ${sent} rows, ${claims} claims, ${lost} lost, ` +
          `${doubled} doubled, ${wrong} wrong, recovered in ${recoverySeconds.toFixed(1)} s`,
      );
      for (const text of complaintsOf([result]).slice(0, 5)) progress(`    ${text}`);
    },
  });
} catch (error) {
  failure = error as Error;
}
const untried = all ? (rig?.points.untried() ?? []).filter((point) => !notTried.has(effectOf(point))) : [];
await rig?.stop().catch((error) => progress(`not stopped cleanly: ${(error as Error).message}`));
supervisor.close();

const complaints = [
  ...complaintsOf(results),
  ...(failure ? [failure.stack ?? failure.message] : []),
  ...untried.map((point) => `services have a failure point ${point}, and no fault tries it`),
  ...(results.length < chosen.length ? [`${chosen.length - results.length} faults were not tried`] : []),
];
process.stdout.write(`${tableOf(results)}\n\nseed ${seed}, ${seconds().toFixed(0)} s\n`);
for (const text of complaints) process.stdout.write(`NOT AS IT MUST BE  ${text}\n`);
if (complaints.length === 0) rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
else process.stdout.write(`logs: ${path.join(dataDir, 'logs')}\n`);
if (json) writeFileSync(json, `${JSON.stringify({ seed, rows, results, complaints }, null, 2)}\n`);
process.exit(complaints.length === 0 ? 0 : 1);
