import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';

/** Origin up to which everything of a partition is in ClickHouse (L3); -1 while nothing is known to be. */
export async function watermarkOf(clickhouse: Clickhouse, topic: string, partition: number): Promise<number> {
  const [row] = await clickhouse.query<{ origin: number }>(
    `SELECT max(origin) AS origin FROM watermarks
     WHERE topic = {topic:String} AND partition = {partition:UInt16} GROUP BY partition`,
    { topic: topicName(topic), partition },
  );
  return row?.origin ?? -1;
}

export interface UnsettledLetter {
  readonly origin: number;
  readonly submission: string;
  readonly rows: number;
}

/** Dead letters of a stage and partition whose rows are neither in the ledger nor discarded. */
export async function unsettledLetters(
  clickhouse: Clickhouse,
  stage: string,
  partition: number,
): Promise<readonly UnsettledLetter[]> {
  return clickhouse.query<UnsettledLetter>(
    `SELECT origin, submission, any(rows) AS rows FROM dead_letters
     WHERE stage = {stage:String} AND partition = {partition:UInt16}
     GROUP BY origin, submission, batch HAVING max(settled) = 0 ORDER BY origin`,
    { stage, partition },
  );
}

/** Large reads may take long, and sort on disk rather than in memory. */
export const scanOptions = {
  timeoutMs: 4 * 3_600_000,
  settings: {
    max_bytes_before_external_sort: String(1 << 30),
    max_bytes_before_external_group_by: String(1 << 30),
  },
} as const;
