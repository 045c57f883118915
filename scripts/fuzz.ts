// npm run fuzz: feeds generated and mutated CSV files to the gateway's reader and checks what must hold of every one
// (scripts/fuzz/check.ts). It runs in a process of its own with little memory: if that dies, the last case is named.
// node scripts/fuzz.ts [--cases 100000] [--seconds 1800] [--seed N] [--case N]
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Broken } from './fuzz/check.ts';
import { type FuzzFigures, fuzz } from './fuzz/run.ts';

const heapMb = 128;
const rssMbMax = 512;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '1800' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    case: { type: 'string' },
  },
});
const only = values.case === undefined ? undefined : whole('case', values.case);
const options = {
  seed: whole('seed', values.seed),
  cases: only === undefined ? whole('cases', values.cases) : 1,
  secondsMax: whole('seconds', values.seconds),
  first: only ?? 0,
};

if (process.send) await runHere();
else process.exitCode = await runApart();

function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  process.stderr.write(`--${name} must be a whole number\n`);
  process.exit(2);
}

/** The process that may die. It tells where it is, so that its parent can say where it died. */
async function runHere(): Promise<void> {
  try {
    const figures = await fuzz({ ...options, before: (number) => process.send!({ number }) });
    process.send!({ figures });
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const file = path.join(tmpdir(), `fuzz-${options.seed}.csv`);
    writeFileSync(file, error.bytes);
    process.send!({ broken: `${error.message}\nthe file: ${file}` });
  }
  process.disconnect();
}

interface Message {
  readonly number?: number;
  readonly figures?: FuzzFigures;
  readonly broken?: string;
}

function runApart(): Promise<number> {
  process.stdout.write(`seed ${options.seed}\n`);
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${heapMb}`,
      fileURLToPath(import.meta.url),
      ...process.argv.slice(2),
      '--seed',
      String(options.seed),
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  const last: { number: number; figures?: FuzzFigures; broken?: string } = { number: options.first };
  child.on('message', (message: Message) => Object.assign(last, message));
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      const again = `npm run fuzz -- --seed ${options.seed} --case ${last.number}`;
      if (last.broken !== undefined)
        process.stdout.write(`case ${last.number}: ${last.broken}\nagain: ${again}\n`);
      else if (last.figures === undefined || code !== 0)
        process.stdout.write(
          `the process ended with ${signal ?? code} in case ${last.number}\nagain: ${again}\n`,
        );
      else return resolve(report(last.figures));
      resolve(1);
    });
  });
}

function report({ cases, seconds, rows, bytes, verdicts, slowestMs, maxRssMb }: FuzzFigures): number {
  const { accepted = 0, ...refused } = verdicts;
  const refusals = Object.entries(refused).sort(([, a], [, b]) => b - a);
  process.stdout.write(
    `${cases} files in ${Math.round(seconds)} s: ${accepted} accepted with ${rows} rows, ${cases - accepted} refused; ${Math.round(bytes / 1e6)} MB
${refusals.map(([code, count]) => `  ${code} ${count}`).join('\n')}
slowest file ${Math.round(slowestMs)} ms, highest memory ${Math.round(maxRssMb)} MB with ${heapMb} MB of heap
every record of an accepted file had one place, one finding and its line
`,
  );
  if (maxRssMb <= rssMbMax) return 0;
  process.stdout.write(`the limit of memory is ${rssMbMax} MB\n`);
  return 1;
}
