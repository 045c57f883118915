import type { Clickhouse } from './client.ts';

/** A submission of which not every row is accounted for. */
export interface Imbalance {
  readonly submission: string;
  readonly received: number;
  /** Rows with an outcome. */
  readonly decided: number;
  /** Rows in unsettled dead letters. */
  readonly dead: number;
  /** Rows that somebody discarded, on record. */
  readonly discarded: number;
}

export interface Conservation {
  /** Submissions that are final, and were checked. */
  readonly checked: number;
  /** Submissions that are still on their way. */
  readonly pending: number;
  readonly differing: number;
  /** Rows missing or too many, over all that differ. Anything but 0 is an alarm. */
  readonly rows: number;
  /** Some of those that differ. */
  readonly examples: readonly Imbalance[];
}

/** Stages whose dead letters hold rows of submissions. */
export const serialStages = ['cec-validation', 'dedup', 'ledger-writer'] as const;

/**
 * K5: of every submission that is final, received = sum of outcomes + rows in unsettled dead letters + rows discarded.
 * Final is what the watermark of each of its partitions has passed. Watermarks are read first, so that what they cover is
 * among the outcomes.
 */
export async function checkConservation(
  clickhouse: Clickhouse,
  options: {
    /** Full name of the topic `serials.decided`: watermarks are kept under it. */
    readonly decidedTopic: string;
    readonly partitions: number;
    /** Submissions received at or after this time, epoch milliseconds. */
    readonly since: number;
    readonly examplesMax: number;
  },
): Promise<Conservation> {
  const { decidedTopic, partitions, since, examplesMax } = options;
  const upTo = await watermarks(clickhouse, decidedTopic, partitions);
  const [row] = await clickhouse.query<
    Omit<Conservation, 'examples'> & { readonly examples: readonly Imbalance[] }
  >(conservationQuery, { upTo, since, stages: serialStages, examplesMax }, { timeoutMs: 600_000 });
  return row ?? { checked: 0, pending: 0, differing: 0, rows: 0, examples: [] };
}

async function watermarks(clickhouse: Clickhouse, topic: string, partitions: number): Promise<number[]> {
  const rows = await clickhouse.query<{ partition: number; origin: number }>(
    'SELECT partition, max(origin) AS origin FROM watermarks WHERE topic = {topic:String} GROUP BY partition',
    { topic },
  );
  const known = new Map(rows.map(({ partition, origin }) => [partition, origin]));
  return Array.from({ length: partitions }, (_, partition) => known.get(partition) ?? -1);
}

/**
 * A batch counts once, whichever stages it failed in, and not at all when the ledger has its rows: a message whose rows
 * arrived may be refused when it is delivered again.
 */
const deadRows = `
SELECT id, sumIf(batch_rows, state = 0) AS dead, sumIf(batch_rows, state = 2) AS discarded FROM (
    SELECT id, batch, max(letter_rows) AS batch_rows, min(letter_state) AS state FROM (
        SELECT toUUIDOrZero(submission) AS id, batch, any(rows) AS letter_rows, max(settled) AS letter_state
        FROM dead_letters WHERE stage IN {stages:Array(String)} AND submission != ''
        GROUP BY stage, partition, origin, submission, batch HAVING letter_state != 1
    )
    WHERE (id, batch) NOT IN (
        SELECT submission, batch FROM batch_outcomes
        WHERE submission IN (SELECT toUUIDOrZero(submission) FROM dead_letters)
    )
    GROUP BY id, batch
)
GROUP BY id`;

const conservationQuery = `
WITH manifests AS (
    SELECT submission, rows,
        arrayAll(share -> toInt64(share.last_offset) <= {upTo:Array(Int64)}[share.partition + 1], partitions) AS is_final
    FROM submissions WHERE received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    ORDER BY received_at LIMIT 1 BY submission
)
SELECT countIf(is_final) AS checked, countIf(NOT is_final) AS pending,
    countIf(is_final AND difference != 0) AS differing, sumIf(abs(difference), is_final) AS rows,
    arraySlice(groupArrayIf(100)(
        (submission, received, decided, dead, discarded)::Tuple(
            submission UUID, received UInt64, decided UInt64, dead UInt64, discarded UInt64),
        is_final AND difference != 0), 1, {examplesMax:UInt32}) AS examples
FROM (
    SELECT m.submission AS submission, m.is_final AS is_final, toUInt64(m.rows) AS received,
        toUInt64(o.decided) AS decided, toUInt64(d.dead) AS dead, toUInt64(d.discarded) AS discarded,
        toInt64(received) - toInt64(decided) - toInt64(dead) - toInt64(discarded) AS difference
    FROM manifests AS m
    LEFT JOIN (
        SELECT submission, sum(arraySum(mapValues(outcomes))) AS decided FROM batch_outcomes FINAL
        WHERE submission IN (SELECT submission FROM manifests) GROUP BY submission
    ) AS o ON o.submission = m.submission
    LEFT JOIN (${deadRows}) AS d ON d.id = m.submission
)`;

/** Of one submission: rows in unsettled dead letters, and rows discarded. */
export async function deadRowsOf(
  clickhouse: Clickhouse,
  submission: string,
): Promise<{ readonly dead: number; readonly discarded: number }> {
  const [row] = await clickhouse.query<{ dead: number; discarded: number }>(
    `SELECT dead, discarded FROM (${deadRows}) WHERE id = {submission:UUID}`,
    { stages: serialStages, submission },
  );
  return row ?? { dead: 0, discarded: 0 };
}

/** The same of several submissions; those without any are left out. */
export function deadRowsOfEach(
  clickhouse: Clickhouse,
  submissions: readonly string[],
): Promise<readonly { readonly submission: string; readonly dead: number; readonly discarded: number }[]> {
  return clickhouse.query(
    `SELECT id AS submission, dead, discarded FROM (${deadRows}) WHERE id IN {submissions:Array(UUID)}`,
    { stages: serialStages, submissions },
  );
}

/** Rows of all submissions in unsettled dead letters. */
export async function unsettledRows(clickhouse: Clickhouse): Promise<number> {
  const [row] = await clickhouse.query<{ rows: number }>(`SELECT sum(dead) AS rows FROM (${deadRows})`, {
    stages: serialStages,
  });
  return row?.rows ?? 0;
}
