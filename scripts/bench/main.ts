// Measures what the README claims, on engines of its own: `npm run bench`, with --quick in about two minutes, with
// --only for some parts. Prints a table and writes JSON to bench-results/. Not a test: exit 0 also when a target is missed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Supervisor } from '../engines/supervise.ts';
import { runAssess } from './assess.ts';
import { type BenchFleet, startBenchFleet } from './bench-fleet.ts';
import { type ClaimsRun, runClaims } from './claims.ts';
import { runLatency } from './latency.ts';
import { settingOf } from './machine.ts';
import { NotAvailable, runPostgres } from './postgres.ts';
import { linesOf, missedOf } from './print.ts';
import { runRebuild } from './rebuild.ts';
import { runRedis } from './redis.ts';
import { type Results, writeResults } from './results.ts';
import { runSearch } from './search.ts';
import { spreadOf } from './statistics.ts';
import { runThroughput } from './throughput.ts';
import { PanelFiles } from './workload.ts';

const partNames = [
  'pipeline',
  'kafka-engine',
  'latency',
  'redis',
  'rebuild',
  'search',
  'postgres',
  'assess',
] as const;
type PartName = (typeof partNames)[number];

const help = `npm run bench -- [options]
  --quick            a version of two minutes: short runs, small tables
  --only PARTS       some of ${partNames.join(',')}
  --rounds N         alternating rounds of pipeline and Kafka engine
  --consumers N      consumers of the Kafka engine
  --ledger N         entries of the ledger that claims are assessed against, 50m for 50 million
  --ledger-data DIR  keep that ledger there, and take what is there already
  --profile FOLDER   each service writes a CPU profile there when it stops
`;

/** Sizes of a full run, and of a quick one. */
const sizes = {
  full: {
    rounds: 5,
    files: 160,
    warmUpFiles: 60,
    kafkaEngineRows: 1_000_000,
    latencyFiles: 30,
    redisSerials: 10_000_000,
    redisOtherSerials: 2_000_000,
    redisOtherCapacities: [0.25, 0.5, 2, 4],
    rebuildSerials: 10_000_000,
    searchSerials: 10_000_000,
    searchRepetitions: 30,
    postgresRows: 10_000_000,
    postgresRounds: 3,
    postgresTransactions: 80,
    ledgerRows: 50_000_000,
    claims: 100_000,
    claimsOneByOne: 40,
  },
  quick: {
    rounds: 2,
    files: 120,
    warmUpFiles: 40,
    kafkaEngineRows: 500_000,
    latencyFiles: 10,
    redisSerials: 1_000_000,
    redisOtherSerials: 500_000,
    redisOtherCapacities: [0.5, 2],
    rebuildSerials: 1_000_000,
    searchSerials: 1_000_000,
    searchRepetitions: 10,
    postgresRows: 1_000_000,
    postgresRounds: 2,
    postgresTransactions: 40,
    ledgerRows: 2_000_000,
    claims: 10_000,
    claimsOneByOne: 10,
  },
} as const;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    consumers: { type: 'string', default: '1' },
    ledger: { type: 'string' },
    'ledger-data': { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const parts = new Set(values.only?.split(',') ?? partNames);
for (const part of parts)
  if (!(partNames as readonly string[]).includes(part)) {
    process.stderr.write(`there is no part ${part}\n${help}`);
    process.exit(2);
  }
const wanted = (...names: readonly PartName[]) => names.some((name) => parts.has(name));
const size = {
  ...sizes[values.quick ? 'quick' : 'full'],
  ...(values.rounds ? { rounds: Number(values.rounds) } : {}),
  ...(values.ledger ? { ledgerRows: rowsOf(values.ledger) } : {}),
};

/** 50m: 50 million. */
function rowsOf(text: string): number {
  const [, figure, unit = ''] = /^(\d+)([km]?)$/i.exec(text) ?? [];
  if (figure === undefined) throw new Error(`--ledger ${text} is no number of entries`);
  return Number(figure) * (unit === '' ? 1 : unit.toLowerCase() === 'k' ? 1_000 : 1_000_000);
}

const began = performance.now();
const progress = (text: string) =>
  process.stderr.write(`[${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s] ${text}\n`);

const dataDir = mkdtempSync(path.join(tmpdir(), 'serial-ledger-bench-'));
const supervisor = await Supervisor.open(dataDir);
supervisor.endOnSignals();
let fleet: BenchFleet | undefined;

const results: Results = { setting: settingOf(new Date()), quick: values.quick };

async function runFleetParts(): Promise<void> {
  fleet = await startBenchFleet({
    supervisor,
    env: values.profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${path.resolve(values.profile)}` } : {},
    progress,
  });
  const files = new PanelFiles(fleet.supplier, fleet.models, 'BN');
  if (wanted('pipeline', 'kafka-engine'))
    results.throughput = await runThroughput(fleet, files, {
      ...size,
      pipeline: wanted('pipeline'),
      kafkaEngine: wanted('kafka-engine'),
      kafkaEngineConsumers: Number(values.consumers),
      progress,
    });
  if (wanted('latency')) {
    progress(`${size.latencyFiles} files, one at a time on an idle fleet`);
    results.latency = await runLatency(fleet, files, size.latencyFiles);
  }
  progress('stopping the fleet');
  await fleet.close();
}

async function runClaimsPart(): Promise<ClaimsRun> {
  fleet = await startBenchFleet({ supervisor, env: {}, progress });
  progress(`${size.claimsOneByOne} claims, one at a time on an idle fleet`);
  const run = await runClaims(fleet, size.claimsOneByOne);
  progress('stopping the fleet');
  await fleet.close();
  return run;
}

async function runSearchPart(): Promise<void> {
  fleet = await startBenchFleet({ supervisor, env: {}, progress });
  results.search = await runSearch(fleet, size.searchSerials, size.searchRepetitions, progress);
  progress('stopping the fleet');
  await fleet.close();
}

async function runRedisPart(): Promise<void> {
  const { redisSerials, redisOtherSerials, redisOtherCapacities } = size;
  const runs = [];
  progress(`Redis: ${redisSerials.toLocaleString('en')} serials, an index laid out for as many`);
  runs.push(await runRedis(dataDir, redisSerials, redisSerials));
  for (const times of redisOtherCapacities) {
    progress(
      `Redis: ${redisOtherSerials.toLocaleString('en')} serials, an index laid out for ${times} times as many`,
    );
    runs.push(await runRedis(dataDir, redisOtherSerials, redisOtherSerials * times));
  }
  results.redis = runs;
}

async function runPostgresPart(): Promise<void> {
  try {
    const { rowsPerSecond, ...run } = await runPostgres(supervisor, {
      tableRows: size.postgresRows,
      rounds: size.postgresRounds,
      transactionsPerRound: size.postgresTransactions,
      progress,
    });
    results.postgres = { ...run, rowsPerSecond: spreadOf(rowsPerSecond) };
  } catch (error) {
    if (!(error instanceof NotAvailable)) throw error;
    results.postgres = { skipped: error.message };
  }
}

try {
  if (wanted('pipeline', 'kafka-engine', 'latency')) await runFleetParts();
  if (wanted('redis')) await runRedisPart();
  if (wanted('rebuild')) results.rebuild = await runRebuild(dataDir, size.rebuildSerials, progress);
  if (wanted('search')) await runSearchPart();
  if (wanted('postgres')) await runPostgresPart();
  if (wanted('assess')) {
    results.claims = await runClaimsPart();
    results.assess = await runAssess({
      dataDir: path.resolve(values['ledger-data'] ?? path.join(dataDir, 'assess')),
      rows: size.ledgerRows,
      claims: size.claims,
      profile: values.profile,
      progress,
    });
  }
} catch (error) {
  await fleet?.close().catch(() => undefined);
  supervisor.close();
  process.stderr.write(
    `the benchmark failed: ${(error as Error).stack}\nlogs: ${path.join(dataDir, 'logs')}\n`,
  );
  process.exit(1);
}
supervisor.close();
rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
process.stdout.write(`\n${linesOf(results).join('\n')}\n\n`);
for (const missed of missedOf(results)) process.stdout.write(`MISSED  ${missed}\n`);
process.stdout.write(`written to ${writeResults(results)}\n`);
