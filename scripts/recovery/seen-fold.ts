import { idempotencyWindowMs, seenName, seenScore } from '#dedup/decider.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Bytes } from '#shared/runtime/state-store.ts';
import { scanOptions } from './ledger.ts';

export interface SeenBatch {
  readonly name: Bytes;
  readonly score: number;
}

interface BatchRow {
  readonly submission: string;
  readonly batch: number;
  readonly rows: number;
  readonly seen_at: number;
}

/** Latest receipt among the batches that were decided up to `cut`, epoch milliseconds; 0 when there is none. */
export async function newestReceipt(clickhouse: Clickhouse, partition: number, cut: number): Promise<number> {
  const [row] = await clickhouse.query<{ newest: number }>(
    `SELECT max(received) AS newest FROM (${decidedBatches})`,
    { partition, cut },
    scanOptions,
  );
  return row?.newest ?? 0;
}

/**
 * The batches that dedup remembers after everything up to `cut` (R1): those decided within the window, each with the
 * latest receipt among those up to it.
 */
export async function* seenBatches(
  clickhouse: Clickhouse,
  options: { readonly partition: number; readonly cut: number; readonly newest: number },
): AsyncGenerator<readonly SeenBatch[], void> {
  const { partition, cut, newest } = options;
  const blocks = clickhouse.queryStream<BatchRow>(
    `SELECT submission, batch, rows,
        max(received) OVER (ORDER BY origin, batch ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS seen_at
     FROM (${decidedBatches})
     WHERE origin >= (SELECT min(origin) FROM (${decidedBatches}) WHERE received >= {below:Int64})`,
    { partition, cut, below: newest - idempotencyWindowMs },
    scanOptions,
  );
  for await (const block of blocks)
    yield block.map(({ submission, batch, rows, seen_at }) => ({
      name: seenName(submission, batch),
      score: seenScore(seen_at, rows),
    }));
}

/** Batches that were written before their receipt was kept take that of their submission. */
const decidedBatches = `
SELECT b.submission AS submission, b.batch AS batch, b.origin AS origin, b.rows AS rows,
    if(toUnixTimestamp64Milli(b.received_at) = 0, s.received, toUnixTimestamp64Milli(b.received_at)) AS received
FROM (
    SELECT submission, batch, origin, rows, received_at FROM batch_outcomes FINAL
    WHERE partition = {partition:UInt16} AND toInt64(origin) <= {cut:Int64}
) AS b
LEFT JOIN (
    SELECT submission, min(toUnixTimestamp64Milli(received_at)) AS received FROM submissions GROUP BY submission
) AS s ON s.submission = b.submission`;
