// Makes the ClickHouse users besides that of the services: `npm run clickhouse-users`. May be run again at any time. Local
// engines have them already.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { readConfig } from '#shared/runtime/config.ts';
import { clickhouseSettings } from '#shared/runtime/engine-settings.ts';
import { isArgumentError } from './arguments.ts';
import { madePasswords, usersFileName } from './clickhouse-users/passwords.ts';
import { usersSql } from './clickhouse-users/render.ts';
import { userLimitSettings } from './clickhouse-users/settings.ts';
import { usersOf } from './clickhouse-users/users.ts';
import { root } from './engines/local.ts';

const settings = { ...clickhouseSettings, ...userLimitSettings };

const help = `npm run -s clickhouse-users -- [--passwords FILE]

Makes, or puts right, the users that read the ledger for the regulator, with their limits, and the one that puts in the
verdicts of npm run assess. CLICKHOUSE_USER must be one that manages users. Passwords come from ASSESS_READER_PASSWORD,
ASSESS_WRITER_PASSWORD and REGULATOR_PASSWORD; those that are not given are made and kept in FILE, which only its owner may
read. Without --passwords that is .data/${usersFileName}.

Limits, for each user:
${Object.values(userLimitSettings)
  .map(({ env, about, fallback }) => `  ${env.padEnd(26)} ${about}; usually ${fallback}`)
  .join('\n')}

Exit status: 0 done, 1 ClickHouse does not do it (again later, or another user), 2 options or settings are wrong.
`;

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      passwords: { type: 'string', default: path.join(root, '.data', usersFileName) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const read = readConfig(settings, process.env);
  if ('faults' in read) {
    process.stderr.write(`${read.faults.join('\n')}\n`);
    return 2;
  }
  const { config } = read;
  if (!/^\w+$/.test(config.clickhouseDatabase)) {
    process.stderr.write(`CLICKHOUSE_DATABASE ${config.clickhouseDatabase} is no plain name\n`);
    return 2;
  }
  const users = usersOf(config.clickhouseDatabase, config);
  const passwords = madePasswords(users, process.env, values.passwords);
  const clickhouse = createClickhouse({
    url: config.clickhouseUrl,
    username: config.clickhouseUser,
    password: config.clickhousePassword,
    database: 'default',
    log: pino({ name: 'clickhouse-users', level: 'silent' }),
  });
  try {
    for (const statement of usersSql(users, passwords)) await clickhouse.command(statement);
  } finally {
    await clickhouse.close();
  }
  for (const { name, about } of users) process.stdout.write(`${name}: ${about}\n`);
  return 0;
}

try {
  process.exitCode = await run();
} catch (error) {
  if (!(error instanceof OperationalError) && !isArgumentError(error)) throw error;
  process.stderr.write(`not done: ${error.message}\n`);
  process.exitCode = isArgumentError(error) ? 2 : 1;
}
