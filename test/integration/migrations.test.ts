import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import {
  appliedMigrations,
  migrate,
  migrationOf,
  pendingMigrations,
  readMigrations,
  requireMigrations,
} from '#shared/adapters/clickhouse/migrations.ts';
import { type Stores, startStores, testDatabase } from '#test/support/stores.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

let stores: Stores;
let apart: Clickhouse;
const open: Clickhouse[] = [];

beforeAll(async () => {
  stores = await startStores('clickhouse');
  apart = stores.clickhouse('default');
}, 60_000);

afterAll(async () => {
  for (const clickhouse of open) {
    await apart.command(`DROP DATABASE IF EXISTS \`${clickhouse.database}\``);
    await clickhouse.close();
  }
  await apart?.close();
  await stores?.stop();
});

function database(): Clickhouse {
  const clickhouse = stores.clickhouse(testDatabase());
  open.push(clickhouse);
  return clickhouse;
}

const now = (): Date => new Date('2026-11-23T00:00:00Z');
const first = migrationOf(
  1,
  '0001_a.sql',
  'CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = MergeTree ORDER BY x',
);
const second = migrationOf(
  2,
  '0002_b.sql',
  `ALTER TABLE a ADD COLUMN IF NOT EXISTS y String;
   CREATE TABLE IF NOT EXISTS b (x UInt8) ENGINE = MergeTree ORDER BY x;
   CREATE MATERIALIZED VIEW IF NOT EXISTS a_to_b TO b AS SELECT x FROM a;`,
);

/** One more process, as `npm run migrate` starts it. */
function migrateElsewhere(name: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['scripts/migrate.ts', ...args], {
    cwd: root,
    env: { ...process.env, CLICKHOUSE_URL: stores.engines.urls.clickhouseUrl, CLICKHOUSE_DATABASE: name },
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    output += data;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

test('a database is made, filled, recorded; what is applied is not applied again', async () => {
  const clickhouse = database();
  expect(await appliedMigrations(clickhouse)).toEqual([]);
  expect(await pendingMigrations(clickhouse, [first, second])).toEqual([first, second]);
  expect(await migrate(clickhouse, apart, { migrations: [first], now })).toEqual([first]);
  expect(await migrate(clickhouse, apart, { migrations: [first, second], now })).toEqual([second]);
  expect(await migrate(clickhouse, apart, { migrations: [first, second], now })).toEqual([]);
  expect(await appliedMigrations(clickhouse)).toEqual([
    { number: 1, name: '0001_a.sql', sha256: first.sha256 },
    { number: 2, name: '0002_b.sql', sha256: second.sha256 },
  ]);
  await clickhouse.insertRows('a', [{ x: 7, y: 'z' }]);
  expect(await clickhouse.query('SELECT x FROM b')).toEqual([{ x: 7 }]);
});

test('a release that was taken back leaves the newer migrations alone', async () => {
  const clickhouse = database();
  await migrate(clickhouse, apart, { migrations: [first, second], now });
  expect(await pendingMigrations(clickhouse, [first])).toEqual([]);
});

test('a file that changed after it was applied is refused with a sentence, and nothing is run', async () => {
  const clickhouse = database();
  await migrate(clickhouse, apart, { migrations: [first], now });
  const edited = migrationOf(
    1,
    '0001_a.sql',
    `${first.statements[0]}; CREATE TABLE IF NOT EXISTS c (x UInt8) ENGINE = Null`,
  );
  await expect(migrate(clickhouse, apart, { migrations: [edited, second], now })).rejects.toThrow(
    /0001_a\.sql is not the file that was applied .* next number/,
  );
  const tables = await clickhouse.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name',
  );
  expect(tables.map(({ name }) => name)).toEqual(['a', 'migrations']);
});

test('one that died half-way is completed by the next', async () => {
  const clickhouse = database();
  const dying = migrationOf(
    2,
    '0002_b.sql',
    `${second.statements[0]}; CREATE TABLE IF NOT EXISTS b (x Nonsense) ENGINE = Null`,
  );
  await expect(migrate(clickhouse, apart, { migrations: [first, dying], now })).rejects.toThrow();
  expect((await appliedMigrations(clickhouse)).map(({ number }) => number)).toEqual([1]);
  await migrate(clickhouse, apart, { migrations: [first, second], now });
  expect((await appliedMigrations(clickhouse)).map(({ number }) => number)).toEqual([1, 2]);
});

test('what a migration should have made and did not is noticed, and not recorded', async () => {
  const clickhouse = database();
  const lost = { ...first, creates: ['a', 'not_made'] };
  await expect(migrate(clickhouse, apart, { migrations: [lost], now })).rejects.toThrow(
    /not_made is not there/,
  );
  expect(await appliedMigrations(clickhouse)).toEqual([]);
});

test('four processes at once: all end well, each migration is recorded once and as it is', async () => {
  const clickhouse = database();
  const results = await Promise.all([1, 2, 3, 4].map(() => migrateElsewhere(clickhouse.database)));
  expect(results.map(({ code, output }) => [code, code === 0 ? '' : output])).toEqual(Array(4).fill([0, '']));
  const migrations = readMigrations();
  expect(await appliedMigrations(clickhouse)).toEqual(
    migrations.map(({ number, name, sha256 }) => ({ number, name, sha256 })),
  );
  await requireMigrations(clickhouse);
  const made = await clickhouse.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = currentDatabase()',
  );
  for (const name of migrations.flatMap(({ creates }) => creates)) expect(made).toContainEqual({ name });
}, 60_000);

test('twenty workers of one process at once, over a migration of many statements', async () => {
  const clickhouse = database();
  const sql = Array.from(
    { length: 8 },
    (_, i) => `CREATE TABLE IF NOT EXISTS t${i} (x UInt8) ENGINE = MergeTree ORDER BY x`,
  );
  const many = migrationOf(1, '0001_many.sql', sql.join(';\n'));
  await Promise.all(
    Array.from({ length: 20 }, () => migrate(clickhouse, apart, { migrations: [many], now })),
  );
  expect(await clickhouse.query('SELECT DISTINCT number, sha256 FROM migrations')).toEqual([
    { number: 1, sha256: many.sha256 },
  ]);
}, 60_000);

test('a service refuses a database that is behind, and --check says what is missing', async () => {
  const clickhouse = database();
  await expect(requireMigrations(clickhouse)).rejects.toMatchObject({
    code: 'migrations_behind',
    retryable: false,
  });
  const check = await migrateElsewhere(clickhouse.database, '--check');
  expect(check.code).toBe(3);
  expect(check.output).toContain('0001_ledger.sql is not applied');
  await migrateElsewhere(clickhouse.database);
  expect((await migrateElsewhere(clickhouse.database, '--check')).code).toBe(0);
}, 60_000);
