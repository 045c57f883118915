// What many and unkind clients do to a gateway, on a fleet of its own: `npm run load`, with --only for some parts. Prints the
// figures and writes them to bench-results/. Not a test: figures are for a reader.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { settingOf } from './bench/machine.ts';
import { root } from './engines/local.ts';
import { Supervisor } from './engines/supervise.ts';
import { type Disturbed, disturbances, type Latencies, runDisturbed } from './load/disturbances.ts';
import { startLoadFleet } from './load/fleet.ts';
import { memoryOf } from './load/memory.ts';
import { type BackPressure, runBackPressure, runStream, type StreamRun } from './load/streams.ts';

const help = `npm run load -- [options]
  --rows LIST        rows of the streams, one after another (1000000,3000000)
  --seconds N        of each disturbance (15)
  --only PARTS       some of streams,back-pressure,disturbances
`;
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000,3000000' },
    seconds: { type: 'string', default: '15' },
    only: { type: 'string', default: 'streams,back-pressure,disturbances' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const parts = new Set(values.only.split(','));

const began = performance.now();
const progress = (text: string) =>
  process.stderr.write(`[${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s] ${text}\n`);
const dataDir = mkdtempSync(path.join(tmpdir(), 'serial-ledger-load-'));
const supervisor = await Supervisor.open(dataDir);
supervisor.endOnSignals();

const results = {
  setting: settingOf(new Date()),
  idle: 0,
  streams: [] as StreamRun[],
  backPressure: undefined as BackPressure | undefined,
  disturbed: [] as Disturbed[],
};
const load = await startLoadFleet({ supervisor, progress });
try {
  results.idle = memoryOf(load.gatewayPid).now;
  if (parts.has('streams'))
    for (const rows of values.rows.split(',').map(Number)) {
      progress(`a stream of ${rows.toLocaleString('en')} rows`);
      results.streams.push(await runStream(load, rows));
    }
  if (parts.has('back-pressure')) {
    progress('a stream while Kafka stands still');
    results.backPressure = await runBackPressure(load);
  }
  if (parts.has('disturbances'))
    for (const by of Object.keys(disturbances)) {
      progress(by);
      results.disturbed.push(await runDisturbed(load, by, Number(values.seconds)));
    }
} catch (error) {
  process.stderr.write(`${(error as Error).stack}\nlogs: ${path.join(dataDir, 'logs')}\n`);
  supervisor.close();
  process.exit(1);
}
await load.close();
supervisor.close();
rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });

const folder = path.join(root, 'bench-results');
mkdirSync(folder, { recursive: true });
const file = path.join(folder, `load-${results.setting.date.replaceAll(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
process.stdout.write(`\n${linesOf().join('\n')}\n\nwritten to ${path.relative(root, file)}\n`);

function linesOf(): readonly string[] {
  const { machine, node, date, commit } = results.setting;
  const mb = (value: number) => `${value.toFixed(0)} MB`;
  const behind = results.backPressure;
  return [
    `${date}, commit ${commit}, Node ${node}`,
    `${machine.cores} cores of ${machine.model}, ${machine.memoryGb} GB, ${machine.system}; clients on the same machine`,
    `gateway before any of it: ${mb(results.idle)}`,
    ...results.streams.map(
      ({ rows, seconds, rowsPerSecond, megabytes, before, half, peak }) =>
        `stream of ${rows.toLocaleString('en')} rows (${mb(megabytes)}): ${seconds.toFixed(1)} s, ${Math.round(rowsPerSecond).toLocaleString('en')} rows/s; gateway ${mb(before)} before, ${mb(half)} at half, ${mb(peak)} at most`,
    ),
    ...(behind
      ? [
          `Kafka still for ${behind.seconds} s in a stream: ${behind.submissionsWhileBehind} submissions committed, ${(behind.bytesWhileBehind / 1024).toFixed(0)} KiB more taken, ${(behind.bytesOnceStill / 1024).toFixed(0)} KiB of it in the second half; gateway ${mb(behind.peak)} at most; afterwards ${behind.complete ? 'complete' : 'NOT complete'}`,
        ]
      : []),
    ...results.disturbed.map(
      ({ by, uploads, lookups, answers, peak }) =>
        `${by}: uploads of 500 rows ${latency(uploads)}; look-ups ${latency(lookups)}; gateway ${mb(peak)} at most${Object.keys(answers).length > 0 ? `; the others were answered ${JSON.stringify(answers)}` : ''}`,
    ),
  ];
}

function latency({ count, failed, p50, p95, max }: Latencies): string {
  return `p50 ${p50.toFixed(0)} p95 ${p95.toFixed(0)} max ${max.toFixed(0)} ms (${count}${failed > 0 ? `, ${failed} FAILED` : ''})`;
}
