import { serialStages } from '#shared/adapters/clickhouse/conservation.ts';
import { listLetters, tableKey } from '../dead-letters/letters.ts';
import { count, type RecoveryContext } from '../recovery/context.ts';
import { watermarkOf } from '../recovery/ledger.ts';
import type { Report } from './report.ts';

const check = 'dead letters';

interface TableRow {
  readonly stage: string;
  readonly partition: number;
  readonly origin: number;
  readonly submission: string;
  readonly batch: number;
  readonly state: number;
}

/** Letters in the topic against rows of the table: each waiting row has its bytes, each letter with rows is known. */
export async function checkLetters(context: RecoveryContext, report: Report): Promise<void> {
  const { clickhouse, partitions } = context;
  // Marks first: what they have passed was announced before.
  const marks: number[] = [];
  for (let partition = 0; partition < partitions; partition++)
    marks.push(await watermarkOf(clickhouse, 'serials.decided', partition));
  const table = await clickhouse.query<TableRow>(
    `SELECT stage, partition, origin, submission, batch, max(settled) AS state FROM dead_letters
     GROUP BY stage, partition, origin, submission, batch`,
  );
  const letters = await listLetters(context, {});
  const kept = new Set(letters.map(tableKey));
  for (const row of table)
    if (row.state === 0 && !kept.has(tableKey(row)))
      report.differs(
        check,
        `${row.stage}, partition ${row.partition}, origin ${row.origin}: rows of ${row.submission} wait, and their bytes are not in the log`,
      );
  const known = new Set(table.map(tableKey));
  for (const letter of letters) {
    const ofRows = (serialStages as readonly string[]).includes(letter.stage) && letter.rows > 0;
    if (!ofRows || known.has(tableKey(letter)) || letter.origin > marks[letter.partition]!) continue;
    if (await inLedger(context, letter.submission, letter.batch)) continue;
    report.differs(
      check,
      `${letter.number} (${letter.stage}): ${letter.rows} rows of ${letter.submission} are set aside, and the ledger does not know`,
    );
  }
  const open = letters.filter(({ state }) => state === 'waiting' || state === 'replayed');
  report.looked(check, `${count(letters.length)} letters, ${count(open.length)} of them not settled`);
}

async function inLedger(
  { clickhouse }: RecoveryContext,
  submission: string,
  batch: number,
): Promise<boolean> {
  const [row] = await clickhouse.query<{ batches: number }>(
    `SELECT count() AS batches FROM batch_outcomes
     WHERE submission = toUUIDOrZero({submission:String}) AND batch = {batch:UInt32}`,
    { submission, batch },
  );
  return (row?.batches ?? 0) > 0;
}
