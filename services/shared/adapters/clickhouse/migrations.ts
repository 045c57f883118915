import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OperationalError } from '#shared/base/errors.ts';
import type { Clickhouse } from './client.ts';
import { additive, splitStatements } from './statements.ts';

export const migrationsFolder = fileURLToPath(
  new URL('../../../../deploy/clickhouse/migrations/', import.meta.url),
);

export interface Migration {
  readonly number: number;
  /** File name. */
  readonly name: string;
  readonly sha256: string;
  readonly statements: readonly string[];
  /** Tables and views that are there afterwards. */
  readonly creates: readonly string[];
}

export interface Applied {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
}

/**
 * The migrations of a folder, in order: `0001_name.sql`, numbered from 1 without gaps.
 * @throws OperationalError `migrations_unfit`: a gap, a doubled number, a statement that is not an addition
 */
export function readMigrations(folder: string = migrationsFolder): readonly Migration[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort();
  return files.map((file, index) => {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1]);
    if (number !== index + 1) {
      throw unfit(
        `${file} stands where number ${index + 1} is expected: 0001_name.sql and so on, each number once`,
      );
    }
    return migrationOf(number, file, readFileSync(`${folder}/${file}`, 'utf8'));
  });
}

/** Line ends do not count: a checkout on another system must not look like a changed file. */
export function migrationOf(number: number, name: string, sql: string): Migration {
  const text = sql.replaceAll('\r\n', '\n');
  const statements = splitStatements(text);
  const creates: string[] = [];
  for (const statement of statements) {
    const kind = additive(statement);
    if (kind === 'refused') {
      throw unfit(
        `${name} does more than add: "${statement.slice(0, 80)}". Allowed are CREATE ... IF NOT EXISTS and ALTER TABLE ... ADD ... IF NOT EXISTS, MODIFY COMMENT, SETTING or QUERY, one change a statement`,
      );
    }
    if (kind.creates !== undefined) creates.push(kind.creates);
  }
  return { number, name, sha256: createHash('sha256').update(text).digest('hex'), statements, creates };
}

/** What was applied; empty when the database or its table of migrations is not there yet. */
export async function appliedMigrations(clickhouse: Clickhouse): Promise<readonly Applied[]> {
  try {
    return await clickhouse.query<Applied>(
      'SELECT DISTINCT number, name, sha256 FROM migrations ORDER BY number, sha256',
    );
  } catch (error) {
    if (error instanceof OperationalError && absent.has(error.code)) return [];
    throw error;
  }
}

const absent: ReadonlySet<string> = new Set(['clickhouse.UNKNOWN_TABLE', 'clickhouse.UNKNOWN_DATABASE']);

/**
 * Those of `migrations` that were not applied yet. What was applied and is not in the files is left alone: a release that
 * was taken back finds more than it knows, and additions do not harm it.
 * @throws OperationalError `migration_changed`: a file is not what it was when it was applied
 */
export async function pendingMigrations(
  clickhouse: Clickhouse,
  migrations: readonly Migration[] = readMigrations(),
): Promise<readonly Migration[]> {
  const applied = await appliedMigrations(clickhouse);
  return migrations.filter((migration) => {
    const rows = applied.filter(({ number }) => number === migration.number);
    if (rows.some(({ sha256 }) => sha256 !== migration.sha256)) throw changed(migration, rows);
    return rows.length === 0;
  });
}

/**
 * For a service's start: refuses a database that is behind.
 * @throws OperationalError `migrations_behind`, `migration_changed`; not retryable
 */
export async function requireMigrations(clickhouse: Clickhouse): Promise<void> {
  const pending = await pendingMigrations(clickhouse);
  if (pending.length === 0) return;
  throw new OperationalError(
    'migrations_behind',
    `ClickHouse database ${clickhouse.database} lacks ${pending.map(({ name }) => name).join(', ')}: run "npm run migrate" first`,
    { retryable: false },
  );
}

/**
 * Applies what is pending. Several instances may do so at once, and any of them may die anywhere: every statement may be
 * repeated, a migration is recorded after all its statements, and two records of one migration are one.
 * @param apart a connection to the same server whose database exists already
 * @returns what this call applied
 */
export async function migrate(
  clickhouse: Clickhouse,
  apart: Clickhouse,
  options: {
    readonly migrations?: readonly Migration[];
    readonly now: () => Date;
    readonly report?: (line: string) => void;
  },
): Promise<readonly Migration[]> {
  const migrations = options.migrations ?? readMigrations();
  await repeated(() => apart.command(`CREATE DATABASE IF NOT EXISTS \`${clickhouse.database}\``));
  await repeated(() => clickhouse.command(recordTable));
  const pending = await pendingMigrations(clickhouse, migrations);
  for (const migration of pending) {
    for (const statement of migration.statements) {
      await repeated(() => clickhouse.command(statement, {}, { timeoutMs: statementTimeoutMs }));
    }
    await requireCreated(clickhouse, migration);
    await clickhouse.insertRows('migrations', [recordOf(migration, options.now())]);
    options.report?.(`${migration.name} applied (${migration.statements.length} statements)`);
  }
  // Another instance of another release may have applied other files under the same numbers meanwhile.
  const left = await pendingMigrations(clickhouse, migrations);
  if (left.length > 0) throw unfit(`${left.map(({ name }) => name).join(', ')} applied, but not recorded`);
  return pending;
}

const statementTimeoutMs = 300_000;

const recordTable = `CREATE TABLE IF NOT EXISTS migrations
(
    number UInt32,
    name String,
    sha256 String,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (number, sha256)`;

function recordOf(migration: Migration, at: Date): object {
  const { number, name, sha256 } = migration;
  return { number, name, sha256, applied_at: at.toISOString().replace('T', ' ').replace('Z', '') };
}

const attemptsMax = 5;

/** Two servers' threads that create one thing at the same moment may get in each other's way: the second try finds it made. */
async function repeated(run: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      const met = error instanceof OperationalError && (error.retryable || meeting.has(error.code));
      if (!met || attempt === attemptsMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50 * attempt));
    }
  }
}

const meeting: ReadonlySet<string> = new Set([
  'clickhouse.TABLE_ALREADY_EXISTS',
  'clickhouse.TABLE_METADATA_ALREADY_EXISTS',
  'clickhouse.DATABASE_ALREADY_EXISTS',
]);

async function requireCreated(clickhouse: Clickhouse, migration: Migration): Promise<void> {
  const names = migration.creates.map((name) => name.split('.').at(-1) as string);
  const found = await clickhouse.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}',
    { database: clickhouse.database, names },
  );
  const missing = names.filter((name) => !found.some((table) => table.name === name));
  if (missing.length > 0) throw unfit(`${migration.name} ran, yet ${missing.join(', ')} is not there`);
}

function changed(migration: Migration, rows: readonly Applied[]): OperationalError {
  const before = rows.find(({ sha256 }) => sha256 !== migration.sha256) as Applied;
  return new OperationalError(
    'migration_changed',
    `${migration.name} is not the file that was applied (${before.name}, ${before.sha256.slice(0, 12)}; now ${migration.sha256.slice(0, 12)}): restore it, and put the change into a new file with the next number`,
    { retryable: false },
  );
}

function unfit(message: string): OperationalError {
  return new OperationalError('migrations_unfit', message, { retryable: false });
}
