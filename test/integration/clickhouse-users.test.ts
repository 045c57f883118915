import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { madePasswords, usersFileName } from '#scripts/clickhouse-users/passwords.ts';
import { type Passwords, usersSql } from '#scripts/clickhouse-users/render.ts';
import { userLimitSettings } from '#scripts/clickhouse-users/settings.ts';
import {
  readerName,
  regulatorName,
  regulatorReads,
  usersOf,
  writerName,
} from '#scripts/clickhouse-users/users.ts';
import { type Engines, startEngines } from '#scripts/engines/engines.ts';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { readConfig } from '#shared/runtime/config.ts';
import { openTestSupervisor } from '#test/support/engines.ts';
import { silent } from '#test/support/stores.ts';

/** So few that a test comes to their end. An hour that ends meanwhile gives them once more, and not twice. */
const queriesPerHour = 60;
const env = {
  ...process.env,
  ASSESS_QUERIES_PER_HOUR: String(queriesPerHour),
  ASSESS_THREADS: '2',
  ASSESS_QUERY_SECONDS: '60',
};
const read = readConfig(userLimitSettings, env);
if ('faults' in read) throw new Error(read.faults.join());
const users = usersOf('ledger', read.config);

let engines: Engines;
let passwords: Passwords;
let passwordFile: string;
let close: () => void;
let admin: Clickhouse;
const opened: Clickhouse[] = [];

function open(username: string, password = passwords.get(username)!): Clickhouse {
  const clickhouse = createClickhouse({
    url: engines.urls.clickhouseUrl,
    username,
    password,
    database: 'ledger',
    log: silent,
  });
  opened.push(clickhouse);
  return clickhouse;
}

beforeAll(async () => {
  const started = await openTestSupervisor();
  close = started.close;
  passwordFile = path.join(started.dataDir, usersFileName);
  engines = await startEngines({ supervisor: started.supervisor, env, needs: ['clickhouse'] });
  passwords = madePasswords(users, env, passwordFile);
  const apart = createClickhouse({ url: engines.urls.clickhouseUrl, database: 'default', log: silent });
  opened.push(apart);
  admin = open('default', '');
  await migrate(admin, apart, { now: () => new Date() });
  // A server that manages its users itself is told by SQL.
  if (engines.way !== 'processes')
    for (const statement of usersSql(users, passwords)) await apart.command(statement);
});
afterAll(async () => {
  for (const clickhouse of opened) await clickhouse.close();
  await engines?.stop();
  close?.();
});

const denied = {
  // ACCESS_DENIED, READONLY, SETTING_CONSTRAINT_VIOLATION
  code: expect.stringMatching(/^clickhouse\.(497|164|452)$/),
};
const serialRow = {
  product: 'panel',
  serial_key: 'X',
  holder_key: 'H',
  submission: '00000000-0000-7000-8000-000000000001',
  row: 1,
};

describe('the reader', () => {
  test('reads, and changes nothing: no rows, no tables, no settings beyond its bounds', async () => {
    const reader = open(readerName);
    expect(await reader.query('SELECT count() AS n FROM serial_rows')).toEqual([{ n: 0 }]);
    await expect(reader.insertRows('serial_rows', [serialRow])).rejects.toMatchObject(denied);
    await expect(reader.insertRows('assessment_rows', [{ job: 'j', record: 1 }])).rejects.toMatchObject(
      denied,
    );
    await expect(reader.command('ALTER TABLE serial_rows DELETE WHERE 1')).rejects.toMatchObject(denied);
    await expect(reader.command('DROP TABLE serial_rows')).rejects.toMatchObject(denied);
    await expect(reader.command('CREATE TABLE mine (a UInt8) ENGINE = Memory')).rejects.toMatchObject(denied);
    for (const settings of [
      { max_threads: 8 },
      { max_execution_time: 0 },
      { max_memory_usage: '0' },
      { readonly: '0' },
      { priority: '0' },
    ])
      await expect(
        reader.query('SELECT 1', {}, { settings }),
        JSON.stringify(settings),
      ).rejects.toMatchObject(denied);
    expect(await admin.query('SELECT count() AS n FROM serial_rows')).toEqual([{ n: 0 }]);
  });

  test('sends the keys that it asks for with its query', async () => {
    await admin.insertRows('serial_rows', [{ ...serialRow, serial_key: "TAB\t'QUOTE\\" }]);
    const rows = Buffer.from("7\tTAB\\t\\'QUOTE\\\\\n8\tOTHER\n");
    const sql =
      'SELECT record, serial_key FROM serial_rows INNER JOIN asked USING (serial_key) WHERE product = {product:String}';
    const tables = [{ name: 'asked', structure: 'record UInt32, serial_key String', rows }];
    expect(await open(readerName).query(sql, { product: 'panel' }, { tables })).toEqual([
      { record: 7, serial_key: "TAB\t'QUOTE\\" },
    ]);
  });
});

test('the writer puts in verdicts, and can do nothing else', async () => {
  const writer = open(writerName);
  await writer.insertRows('assessment_rows', [{ job: 'j', record: 1 }]);
  expect(await admin.query("SELECT record FROM assessment_rows WHERE job = 'j'")).toEqual([{ record: 1 }]);
  await expect(writer.query('SELECT * FROM assessment_rows')).rejects.toMatchObject(denied);
  for (const table of ['serial_rows', 'decided_batches', 'claims', 'watermarks'])
    await expect(writer.insertRows(table, [{}]), table).rejects.toMatchObject(denied);
});

test('the regulator reads the views and what they are made of, and nothing that tells of persons', async () => {
  const regulator = open(regulatorName);
  for (const table of regulatorReads)
    expect(await regulator.query(`SELECT count() AS n FROM ${table}`), table).toHaveLength(1);
  await expect(regulator.query('SELECT * FROM claim_parties')).rejects.toMatchObject(denied);
  await expect(regulator.query('SELECT body_gzip FROM submissions')).rejects.toMatchObject(denied);
  await expect(regulator.insertRows('rulings', [{}])).rejects.toMatchObject(denied);
});

test('who has used up its hour is refused; others are not', async () => {
  const reader = open(readerName);
  const ask = async () => {
    for (let i = 0; i <= 2 * queriesPerHour; i++) await reader.query('SELECT count() AS n FROM serial_rows');
  };
  await expect(ask()).rejects.toMatchObject({ code: 'clickhouse.QUOTA_EXCEEDED' });
  await open(writerName).insertRows('assessment_rows', [{ job: 'j', record: 2 }]);
  await admin.query('SELECT 1');
});

test('passwords are made once, differ, and are for their owner alone', async () => {
  if (engines.way !== 'processes') return;
  expect(statSync(passwordFile).mode & 0o777).toBe(0o600);
  const kept = Object.values(JSON.parse(readFileSync(passwordFile, 'utf8')) as Record<string, string>);
  expect(new Set(kept).size).toBe(users.length);
  expect(kept.every((password) => password.length >= 32)).toBe(true);
  expect(madePasswords(users, env, passwordFile)).toEqual(passwords);
  await expect(open(readerName, '').query('SELECT 1')).rejects.toMatchObject({
    code: 'clickhouse.AUTHENTICATION_FAILED',
  });
});

test('the statements for a server that manages its users are statements to it', async () => {
  for (const statement of usersSql(users, passwords)) {
    const [row] = await admin.query<{ text: string }>(
      'SELECT formatQuerySingleLine({statement:String}) AS text',
      { statement },
    );
    expect(row!.text.length).toBeGreaterThan(10);
  }
  const text = usersSql(users, passwords).join('\n');
  for (const password of passwords.values()) expect(text).not.toContain(password);
});
