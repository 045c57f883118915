import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { serialPartitions, topicName } from '#shared/adapters/kafka/topics.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { untilMerged } from './bench-fleet.ts';

export const holders = 97;
const suppliers = 40;
const partitions = serialPartitions('local');
/** Rows that are made by one statement: progress can be told after each. */
const blockRows = 5_000_000;
const blockTimeoutMs = 10 * 60_000;
const mergeTimeoutMs = 10 * 60_000;

/** The panel of a number, as SQL: its key is in no order of any other column. */
export const serialSql =
  "concat('SN', leftPad(toString(number), 9, '0'), substring(hex(cityHash64(number)), 1, 4))";

const columns = `product, serial_key, holder_key, submission, row, outcome, entry, action, account, supplier, supplier_key, holder,
    series, model, serial, status, reason, listing, listing_note, decision_note, snapshot, received_at, partition, origin, note`;

function rowsSql(product: string, serial: string, from: number, count: number): string {
  return `INSERT INTO serial_rows (${columns})
SELECT '${product}', ${serial} AS k, concat('HOLDER ', toString(number % ${holders}), ' PTY LTD'),
    reinterpretAsUUID(toFixedString(concat(leftPad(toString(intDiv(number, 5000)), 16, '0')), 16)), number % 5000,
    'registered', 1, 'register', concat('account-', toString(number % ${suppliers})),
    concat('Supplier ', toString(number % ${suppliers})), concat('SUPPLIER ', toString(number % ${suppliers})),
    concat('Holder ', toString(number % ${holders}), ' Pty Ltd'), '', concat('MODEL-', toString(number % ${holders})), k, '',
    '', 'listed', '', '', 'bench', toDateTime64('2026-01-05 00:00:00', 3, 'UTC') + intDiv(number, 100),
    number % ${partitions}, intDiv(number, 3000), ''
FROM numbers(${from}, ${count})`;
}

const insertSettings = {
  max_insert_threads: '2',
  min_insert_block_size_rows: '1048576',
  min_insert_block_size_bytes: '1000000000',
  max_block_size: '262144',
} as const;

/**
 * A ledger of so many entries, made by the server. The views that search feeds from are left out: they are not asked, and
 * would double the time. What is there already is kept.
 */
export async function fillLedger(
  clickhouse: Clickhouse,
  apart: Clickhouse,
  rows: number,
  progress: (text: string) => void,
): Promise<void> {
  await migrate(clickhouse, apart, { now: () => new Date() });
  await clickhouse.command('DROP VIEW IF EXISTS supplier_entries_view');
  await clickhouse.command('DROP VIEW IF EXISTS account_suppliers_view');
  const [there] = await clickhouse.query<{ n: number }>(
    "SELECT count() AS n FROM serial_rows WHERE product = 'panel'",
  );
  for (let from = there!.n; from < rows; from += blockRows) {
    progress(`making the ledger: ${from.toLocaleString('en')} of ${rows.toLocaleString('en')} entries`);
    const sql = rowsSql('panel', serialSql, from, Math.min(blockRows, rows - from));
    await clickhouse.command(sql, {}, { settings: insertSettings, timeoutMs: blockTimeoutMs });
  }
  await fillInverters(clickhouse);
  await fillLists(clickhouse);
  progress('waiting for merges');
  await untilMerged(clickhouse, mergeTimeoutMs);
}

export const inverters = 200_000;
export const inverterSql = "concat('GI', leftPad(toString(number), 9, '0'))";

async function fillInverters(clickhouse: Clickhouse): Promise<void> {
  const [there] = await clickhouse.query<{ n: number }>(
    "SELECT count() AS n FROM serial_rows WHERE product = 'inverter'",
  );
  if (there!.n > 0) return;
  await clickhouse.command(
    rowsSql('inverter', inverterSql, 0, inverters),
    {},
    { settings: insertSettings, timeoutMs: blockTimeoutMs },
  );
}

/** Every model is listed, and everything is in the ledger. */
async function fillLists(clickhouse: Clickhouse): Promise<void> {
  const models = Array.from({ length: holders }, (_, i) => i);
  for (const product of ['panel', 'inverter']) {
    await clickhouse.insertRows(
      'listings',
      models.map((i) => ({
        product,
        snapshot: 'bench',
        row: i + 1,
        holder: `Holder ${i} Pty Ltd`,
        model: `MODEL-${i}`,
        approved: '2024-01-01',
        expires: '2030-12-31',
        holder_key: `HOLDER ${i} PTY LTD`,
        model_key: `MODEL-${i}`,
        key_version: 1,
      })),
    );
    await clickhouse.insertRows('list_publications', [
      {
        product,
        publication: `bench-${product}`,
        latest: 'bench',
        snapshots: ['bench'],
        models: holders,
        published_at: '2026-01-01 00:00:00.000',
      },
    ]);
  }
  await clickhouse.insertRows(
    'watermarks',
    Array.from({ length: partitions }, (_, partition) => ({
      topic: topicName('serials.decided'),
      partition,
      origin: 1e9,
    })),
  );
}

export interface LedgerParts {
  readonly rows: number;
  readonly parts: number;
  readonly compact: number;
  readonly bytes: number;
}

export async function partsOf(clickhouse: Clickhouse): Promise<LedgerParts> {
  const [parts] = await clickhouse.query<LedgerParts>(
    `SELECT toUInt64(sum(rows)) AS rows, toUInt32(count()) AS parts, toUInt32(countIf(part_type = 'Compact')) AS compact,
        toUInt64(sum(bytes_on_disk)) AS bytes
     FROM system.parts WHERE active AND database = currentDatabase() AND table = 'serial_rows'`,
  );
  if (!parts) throw new OperationalError('bench', 'the ledger has no parts', { retryable: false });
  return parts;
}
