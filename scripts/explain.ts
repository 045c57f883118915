// Everything known of one serial, as a page of text: `npm run -s explain -- panel SERIAL`. Reads ClickHouse, changes nothing.
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { explainSerial, type Reader } from '#gateway/explanation/explain.ts';
import { claimRows } from '#gateway/ledger/claims.ts';
import { claimsNaming, rowsOfSerial, submissionsOf } from '#gateway/ledger/explanation.ts';
import { rulingsOnSerials } from '#gateway/ledger/rulings.ts';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { readConfig } from '#shared/runtime/config.ts';
import { clickhouseSettings } from '#shared/runtime/engine-settings.ts';
import { isArgumentError } from './arguments.ts';
import { explanationPage } from './explain/page.ts';

const help = `npm run -s explain -- PRODUCT SERIAL [--json]

Says of a serial, as the ledger has it: rows with file, batch, list and decision; entries; claims and certificates.
PRODUCT: panel, inverter or battery.
`;

/** Whoever may read the database sees all of it. */
const operator: Reader = { account: '', all: true, sees: () => true, outcomeSeen: (outcome) => outcome };

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [product, serial] = positionals;
  if (values.help || product === undefined || serial === undefined) {
    process.stdout.write(help);
    return values.help ? 0 : 2;
  }
  if (!['panel', 'inverter', 'battery'].includes(product)) return complain(`${product} is no product`);
  const read = readConfig(clickhouseSettings, process.env);
  if ('faults' in read) return complain(read.faults.join('\n'));
  const { config } = read;
  const clickhouse = createClickhouse({
    url: config.clickhouseUrl,
    username: config.clickhouseUser,
    password: config.clickhousePassword,
    database: config.clickhouseDatabase,
    log: pino({ name: 'explain', level: 'warn' }),
  });
  try {
    await requireMigrations(clickhouse);
    const explained = await explainSerial(portsOn(clickhouse), { product, serial, reader: operator });
    process.stdout.write(
      values.json ? `${JSON.stringify(explained, null, 2)}\n` : explanationPage(explained),
    );
    return 0;
  } finally {
    await clickhouse.close();
  }
}

function portsOn(clickhouse: Clickhouse) {
  return {
    rows: (product: string, key: string) => rowsOfSerial(clickhouse, product, key),
    submissions: (ids: readonly string[]) => submissionsOf(clickhouse, ids),
    claimsNaming: (product: string, key: string) => claimsNaming(clickhouse, product, key),
    claimRows: (claim: string) => claimRows(clickhouse, claim),
    rulings: (key: string) => rulingsOnSerials(clickhouse, [key]),
    // Names are in the log of accounts, which is not read here: the page shows their ids.
    accountName: () => '',
  };
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 2;
}

try {
  process.exitCode = await run();
} catch (error) {
  if (!(error instanceof OperationalError) && !isArgumentError(error)) throw error;
  process.stderr.write(`not explained: ${error.message}\n`);
  process.exitCode = 2;
}
