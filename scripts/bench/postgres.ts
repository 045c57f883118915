import { execFile, execFileSync, spawn } from 'node:child_process';
import { hash, randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { lastLines, type Supervised, type Supervisor } from '../engines/supervise.ts';
import { rowsPerFile } from './workload.ts';

/** What a relational database does with the same rows when it keeps each serial once, and nothing more. */
export interface PostgresRun {
  readonly version: string;
  readonly tableRows: number;
  readonly connections: number;
  readonly transactions: number;
  /** One for each round. */
  readonly rowsPerSecond: readonly number[];
}

export interface PostgresOptions {
  readonly tableRows: number;
  readonly rounds: number;
  readonly transactionsPerRound: number;
  readonly progress: (text: string) => void;
}

/** There is no figure; the message says why. */
export class NotAvailable extends Error {}

const connections = 4;
const readyTimeoutMs = 30_000;
const stopGraceMs = 30_000;

export async function runPostgres(supervisor: Supervisor, options: PostgresOptions): Promise<PostgresRun> {
  const { tableRows, rounds, transactionsPerRound, progress } = options;
  const server = await PostgresServer.start(supervisor);
  try {
    progress(`PostgreSQL: filling a table with ${tableRows.toLocaleString('en')} rows`);
    await server.psql(fillSql(tableRows));
    progress(`PostgreSQL: ${rounds} rounds of ${transactionsPerRound} transactions`);
    const rates: number[] = [];
    for (let round = 0; round <= rounds; round++)
      rates.push(await insertRound(server, round, transactionsPerRound));
    // The first one warms up.
    const rowsPerSecond = rates.slice(1);
    const transactions = transactionsPerRound * rounds;
    return { version: server.version, tableRows, connections, transactions, rowsPerSecond };
  } finally {
    await server.stop();
  }
}

const columns =
  'serial text, supplier text, holder text, model text, submission uuid, line int, received_at timestamptz';

/** The key is made after the filling, as one does; it is then as dense as it can be. */
function fillSql(rows: number): string {
  return `CREATE TABLE serials (${columns});
INSERT INTO serials SELECT md5(i::text), 'Benchmark Imports Pty Ltd', 'Holder ' || i % 200, 'Model ' || i % 5000,
    gen_random_uuid(), i % 5000, now() FROM generate_series(1, ${rows}) AS i;
ALTER TABLE serials ADD PRIMARY KEY (serial);
ANALYZE serials;
CHECKPOINT;`;
}

async function insertRound(server: PostgresServer, round: number, transactions: number): Promise<number> {
  const own = Math.ceil(transactions / connections);
  const scripts = Array.from({ length: connections }, (_, connection) =>
    [
      `CREATE TEMPORARY TABLE staging (${columns}) ON COMMIT DELETE ROWS;`,
      ...Array.from({ length: own }, (_, i) => transactionSql(`${round}-${connection}-${i}`)),
    ].join('\n'),
  );
  const begun = performance.now();
  await Promise.all(scripts.map((script) => server.psql(script)));
  return (own * connections * rowsPerFile) / ((performance.now() - begun) / 1_000);
}

function transactionSql(name: string): string {
  const submission = randomUUID();
  const lines = Array.from({ length: rowsPerFile }, (_, i) => {
    const serial = hash('md5', `${name}-${i}`, 'hex');
    return `${serial}\tBenchmark Imports Pty Ltd\tHolder ${i % 200}\tModel ${i % 5000}\t${submission}\t${i}\t2026-01-01`;
  });
  return `BEGIN;
COPY staging FROM STDIN;
${lines.join('\n')}
\\.
INSERT INTO serials SELECT * FROM staging ON CONFLICT DO NOTHING;
COMMIT;`;
}

interface Programs {
  readonly folder: string;
  readonly version: string;
  /** What runs a program as somebody whom the server accepts; it refuses root. */
  readonly as: readonly string[];
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** A server of its own on a free port, with data that goes when it stops. */
class PostgresServer {
  readonly version: string;
  readonly #process: Supervised;
  readonly #client: readonly [program: string, ...args: string[]];
  readonly #folder: string;

  private constructor(
    version: string,
    process: Supervised,
    client: readonly [string, ...string[]],
    folder: string,
  ) {
    this.version = version;
    this.#process = process;
    this.#client = client;
    this.#folder = folder;
  }

  static async start(supervisor: Supervisor): Promise<PostgresServer> {
    const { folder: bin, version, as, owner } = findPrograms();
    // Not inside the supervisor's folder: that is closed to other users.
    const folder = mkdtempSync(path.join(tmpdir(), 'serial-ledger-bench-postgres-'));
    if (owner) chownSync(folder, owner.uid, owner.gid);
    const data = path.join(folder, 'data');
    const [initdb, ...initArgs] = [
      ...as,
      path.join(bin, 'initdb'),
      '-D',
      data,
      '-U',
      'bench',
      '-A',
      'trust',
      '-E',
      'UTF8',
    ];
    await promisify(execFile)(initdb!, initArgs, { cwd: folder });
    const port = await freePort();
    const [command, ...args] = [
      ...as,
      path.join(bin, 'postgres'),
      '-D',
      data,
      '-k',
      folder,
      ...settings(port),
    ];
    const logFile = path.join(supervisor.dataDir, 'logs', 'postgres.log');
    const process_ = await supervisor.spawn({
      name: 'postgres',
      command: command!,
      args,
      env: { PATH: process.env.PATH },
      cwd: folder,
      logFile,
    });
    const client = [
      path.join(bin, 'psql'),
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-U',
      'bench',
      '-d',
      'postgres',
    ] as const;
    const server = new PostgresServer(version, process_, client, folder);
    const deadline = Date.now() + readyTimeoutMs;
    for (;;) {
      try {
        await server.psql('SELECT 1;');
        return server;
      } catch (error) {
        if (Date.now() > deadline) {
          await server.stop();
          throw new Error(`${(error as Error).message}\n${lastLines(logFile)}`);
        }
        await delay(100);
      }
    }
  }

  /** Runs a script and stops at its first error. */
  psql(script: string): Promise<void> {
    const [program, ...args] = this.#client;
    const child = spawn(program, [...args, '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', '-'], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk) => (errors += chunk));
    // When psql ends before it has read everything, its exit code says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(script);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`psql failed: ${errors}`))));
    });
  }

  async stop(): Promise<void> {
    // Its fast way of stopping; on SIGTERM it would wait for its clients.
    this.#process.kill('SIGINT');
    await this.#process.stop(stopGraceMs);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Durable as by default. Memory and log as one would set them for writing. */
function settings(port: number): string[] {
  const sharedMb = Math.min(Math.floor(totalmem() / 2 ** 20 / 4), 4096);
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    shared_buffers: `${sharedMb}MB`,
    max_wal_size: '8GB',
    maintenance_work_mem: '512MB',
    checkpoint_completion_target: 0.9,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function findPrograms(): Programs {
  const debian = '/usr/lib/postgresql';
  const folders = [
    ...(process.env.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, 'postgres')),
    ...(existsSync(debian) ? readdirSync(debian).sort().reverse() : []).map((version) =>
      path.join(debian, version, 'bin', 'postgres'),
    ),
  ]
    .filter(existsSync)
    .map((program) => path.dirname(realpathSync(program)));
  const folder = folders.find((candidate) =>
    ['initdb', 'postgres', 'psql'].every((program) => existsSync(path.join(candidate, program))),
  );
  if (!folder) throw new NotAvailable('no PostgreSQL server is installed (initdb, postgres and psql)');
  const version = execFileSync(path.join(folder, 'postgres'), ['--version'], { encoding: 'utf8' }).trim();
  if (process.getuid?.() !== 0) return { folder, version, as: [] };
  return { folder, version, ...unprivileged() };
}

function unprivileged(): Pick<Programs, 'as' | 'owner'> {
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
      const owner = { uid: id('-u'), gid: id('-g') };
      const as = ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
      execFileSync(as[0]!, [...as.slice(1), 'true']);
      return { as, owner };
    } catch {
      // The next one, or none.
    }
  }
  throw new NotAvailable(
    'PostgreSQL refuses to run as root, and there is no other user to run it as (setpriv)',
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
