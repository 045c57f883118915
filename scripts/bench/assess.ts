import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pino } from 'pino';
import { ledgerReads } from '#certificate/gather/ledger-reads.ts';
import { latestEntries } from '#gateway/ledger/serials.ts';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { serialPartitions } from '#shared/adapters/kafka/topics.ts';
import { usersFileName } from '../clickhouse-users/passwords.ts';
import { startEngines } from '../engines/engines.ts';
import { root } from '../engines/local.ts';
import { Supervisor } from '../engines/supervise.ts';
import { madeSql, serialsPerClaim, writeClaimFile } from './assess-file.ts';
import { fillLedger, type LedgerParts, partsOf, serialSql } from './assess-ledger.ts';
import { type Latency, latencyOf } from './statistics.ts';

export interface AssessRun {
  readonly ledger: LedgerParts;
  readonly selectOneMs: Latency;
  /** 20 serials by the query that gathers evidence for a claim, and by that of the API's look-up. */
  readonly evidenceMs: Latency;
  readonly lookUpMs: Latency;
  readonly evidencePerSecond: number;
  readonly lookUpsPerSecond: number;
  readonly job: JobRun;
}

export interface JobRun {
  readonly claims: number;
  readonly serials: number;
  /** From the start of the command to its end: verdicts in the table, and the CSV. */
  readonly seconds: number;
  readonly serialsPerSecond: number;
  /** The same serials joined with the ledger by hand, nothing made of it. */
  readonly joinSeconds: number;
}

const lookUps = 300;
const inFlight = 8;
const partitions = serialPartitions('local');

/** Look-ups and a whole job over a ledger of so many entries, on a ClickHouse of its own. */
export async function runAssess(options: {
  readonly dataDir: string;
  readonly rows: number;
  readonly claims: number;
  readonly profile: string | undefined;
  readonly progress: (text: string) => void;
}): Promise<AssessRun> {
  const { dataDir, rows, claims, progress } = options;
  mkdirSync(dataDir, { recursive: true });
  const supervisor = await Supervisor.open(dataDir);
  const engines = await startEngines({ supervisor, env: {}, needs: ['clickhouse'] });
  const url = engines.urls.clickhouseUrl;
  const open = (database: string) =>
    createClickhouse({ url, database, log: pino({ level: 'silent' }), timeoutMs: 600_000 });
  const clickhouse = open('ledger');
  const apart = open('default');
  const file = path.join(dataDir, 'claims.csv');
  try {
    await fillLedger(clickhouse, apart, rows, progress);
    const ledger = await partsOf(clickhouse);
    progress('look-ups');
    const times = await runLookUps(clickhouse, rows);
    progress(`writing a file of ${claims.toLocaleString('en')} claims`);
    await writeClaimFile(clickhouse, file, rows, claims);
    progress('the job');
    const seconds = await runJob(url, dataDir, file, options.profile);
    progress('the same serials by a plain JOIN');
    const joinSeconds = await runJoin(clickhouse, rows, claims);
    const serials = claims * serialsPerClaim;
    return {
      ledger,
      ...times,
      job: { claims, serials, seconds, serialsPerSecond: serials / seconds, joinSeconds },
    };
  } finally {
    await clickhouse.close();
    await apart.close();
    await engines.stop();
    supervisor.close();
    rmSync(file, { force: true });
  }
}

async function runLookUps(clickhouse: Clickhouse, rows: number) {
  const numbers = Array.from({ length: lookUps * 20 }, (_, i) => (i * 982_451_653 + 77) % rows);
  const asked = await clickhouse.query<{ serial: string }>(
    `SELECT ${serialSql} AS serial FROM (SELECT arrayJoin({numbers:Array(UInt64)}) AS number)`,
    { numbers },
  );
  const sets = Array.from({ length: lookUps }, (_, i) =>
    asked.slice(i * 20, (i + 1) * 20).map(({ serial }) => serial),
  );
  const upTo = new Map(Array.from({ length: partitions }, (_, partition) => [partition, 1e9] as const));
  const reads = ledgerReads(clickhouse, partitions);
  const evidence = (serials: readonly string[]) =>
    reads.entries(
      serials.map((serial_key) => ({ product: 'panel', serial_key, partition: 0 })),
      upTo,
    );
  const lookUp = (serials: readonly string[]) => latestEntries(clickhouse, 'panel', serials);
  const found = await evidence(sets[0]!);
  if (found.length !== 20) throw new Error(`of 20 serials ${found.length} were found`);
  const half = Math.floor(sets.length / 2);
  const selectOneMs = await timesOf(sets, () => clickhouse.query('SELECT 1'));
  const evidenceMs = await timesOf(sets.slice(0, half), evidence);
  const lookUpMs = await timesOf(sets.slice(half), lookUp);
  const evidencePerSecond = await rateOf(sets, evidence);
  const lookUpsPerSecond = await rateOf(sets, lookUp);
  return { selectOneMs, evidenceMs, lookUpMs, evidencePerSecond, lookUpsPerSecond };
}

type Sets = readonly (readonly string[])[];

async function timesOf(sets: Sets, ask: (serials: readonly string[]) => Promise<unknown>): Promise<Latency> {
  const times: number[] = [];
  for (const serials of sets) {
    const begun = performance.now();
    await ask(serials);
    times.push(performance.now() - begun);
  }
  // The first ones find nothing in any cache.
  return latencyOf(times.slice(Math.floor(times.length / 5)));
}

async function rateOf(sets: Sets, ask: (serials: readonly string[]) => Promise<unknown>): Promise<number> {
  let next = 0;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < sets.length) await ask(sets[next++]!);
    }),
  );
  return (sets.length / (performance.now() - begun)) * 1_000;
}

/** What `npm run assess` gives to Node. */
function assessCommand(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return String(scripts.assess).split(' ').slice(1);
}

async function runJob(
  url: string,
  dataDir: string,
  file: string,
  profile: string | undefined,
): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, [...assessCommand(), file, '--again'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USERS_FILE: path.join(dataDir, usersFileName),
      ...(profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${path.resolve(profile)}` } : {}),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the job ended with ${code}: ${said.slice(-2_000)}`);
  return (performance.now() - begun) / 1_000;
}

const joinSettings = { max_execution_time: 600 } as const;

/** What somebody writes who wants to know what the ledger has of these serials. */
async function runJoin(clickhouse: Clickhouse, rows: number, claims: number): Promise<number> {
  await clickhouse.command('DROP TABLE IF EXISTS bench_keys');
  await clickhouse.command('CREATE TABLE bench_keys (record UInt32, serial_key String) ENGINE = Memory');
  await clickhouse.command(
    `INSERT INTO bench_keys SELECT claim, arrayJoin(serials) FROM (${madeSql(rows, claims)})`,
    {},
    { timeoutMs: 600_000 },
  );
  const begun = performance.now();
  const [row] = await clickhouse.query<{ n: number }>(
    `SELECT count() AS n, sum(cityHash64(k.record, r.holder_key, r.supplier_key, r.account, r.model, r.outcome, r.entry, r.received_at)) AS all
     FROM serial_rows AS r INNER JOIN bench_keys AS k ON r.serial_key = k.serial_key WHERE r.product = 'panel'`,
    {},
    { settings: joinSettings, timeoutMs: 600_000 },
  );
  const seconds = (performance.now() - begun) / 1_000;
  if (row?.n !== claims * serialsPerClaim) throw new Error(`the JOIN found ${row?.n} serials`);
  return seconds;
}
