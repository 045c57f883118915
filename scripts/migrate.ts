// Brings the ClickHouse database of the ledger up to date. `--check` only says what is missing (exit 3).
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { migrate, pendingMigrations, readMigrations } from '#shared/adapters/clickhouse/migrations.ts';

import { OperationalError } from '#shared/base/errors.ts';
import { readConfig } from '#shared/runtime/config.ts';
import { clickhouseSettings } from '#shared/runtime/engine-settings.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const read = readConfig(clickhouseSettings, process.env);
  if ('faults' in read) {
    for (const fault of read.faults) process.stderr.write(`${fault}\n`);
    return 2;
  }
  const { clickhouseUrl: url, clickhouseUser: username, clickhousePassword: password } = read.config;
  const log = pino({ name: 'migrate', level: 'warn' });
  const open = (database: string): Clickhouse => createClickhouse({ url, username, password, database, log });
  const clickhouse = open(read.config.clickhouseDatabase);
  const apart = open('default');
  try {
    return await (values.check ? check(clickhouse) : apply(clickhouse, apart));
  } finally {
    await clickhouse.close();
    await apart.close();
  }
}

async function check(clickhouse: Clickhouse): Promise<number> {
  const pending = await pendingMigrations(clickhouse);
  for (const { name } of pending) say(`${name} is not applied`);
  if (pending.length === 0) say(`${clickhouse.database} is up to date`);
  return pending.length === 0 ? 0 : 3;
}

async function apply(clickhouse: Clickhouse, apart: Clickhouse): Promise<number> {
  const migrations = readMigrations();
  const applied = await migrate(clickhouse, apart, { migrations, now: () => new Date(), report: say });
  say(`${clickhouse.database} is up to date: ${migrations.length} migrations, ${applied.length} applied now`);
  return 0;
}

try {
  process.exitCode = await run();
} catch (error) {
  if (!(error instanceof OperationalError)) throw error;
  process.stderr.write(`not migrated: ${error.message}\n`);
  process.exitCode = 1;
}
