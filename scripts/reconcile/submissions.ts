import { checkConservation } from '#shared/adapters/clickhouse/conservation.ts';
import { withAdmin } from '#shared/adapters/kafka/client.ts';
import { logBounds, readLog } from '#shared/adapters/kafka/read-log.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import { count, type RecoveryContext } from '../recovery/context.ts';
import { scanOptions, watermarkOf } from '../recovery/ledger.ts';
import type { Report } from './report.ts';

export interface Since {
  /** Submissions and claims received before are not looked at: epoch milliseconds. */
  readonly since: number;
}

/** K5: received = sum of outcomes + rows in unsettled dead letters + rows discarded. */
export async function checkSubmissions(
  { clickhouse, partitions }: RecoveryContext,
  report: Report,
  { since }: Since,
): Promise<void> {
  const found = await checkConservation(clickhouse, {
    decidedTopic: topicName('serials.decided'),
    partitions,
    since,
    examplesMax: 100,
  });
  report.looked(
    'submissions',
    `${count(found.checked)} final submissions add up to what was received; ${count(found.pending)} are on their way`,
  );
  for (const { submission, received, decided, dead, discarded } of found.examples)
    report.differs(
      'submissions',
      `${submission}: received ${received}, outcomes ${decided}, in dead letters ${dead}, discarded ${discarded}`,
    );
  const more = found.differing - found.examples.length;
  if (more > 0) report.differs('submissions', `${count(more)} more`, more);
}

interface RowsDiffer {
  readonly submission: string;
  readonly entries: number;
  readonly entry_rows: number;
  readonly others: number;
  readonly other_rows: number;
  readonly differing: number;
}

/** The rows themselves, against the outcomes that were counted: of final submissions, since inserts are not atomic. */
export async function checkRows(
  { clickhouse, partitions }: RecoveryContext,
  report: Report,
  { since }: Since,
): Promise<void> {
  const upTo: number[] = [];
  for (let partition = 0; partition < partitions; partition++)
    upTo.push(await watermarkOf(clickhouse, 'serials.decided', partition));
  const rows = await clickhouse.query<RowsDiffer>(
    `WITH manifests AS (
        SELECT submission,
            arrayAll(share -> toInt64(share.last_offset) <= {upTo:Array(Int64)}[share.partition + 1], partitions) AS is_final
        FROM submissions WHERE received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
        ORDER BY received_at LIMIT 1 BY submission
     )
     SELECT m.submission AS submission, toUInt64(o.entries) AS entries, toUInt64(e.rows) AS entry_rows,
        toUInt64(o.others) AS others, toUInt64(u.rows) AS other_rows, count() OVER () AS differing
     FROM (SELECT submission FROM manifests WHERE is_final) AS m
     LEFT JOIN (
        SELECT submission, sum(arraySum(mapValues(outcomes))) - entries AS others,
            sum(outcomes['registered'] + outcomes['invalidated'] + outcomes['status_updated']) AS entries
        FROM batch_outcomes FINAL GROUP BY submission
     ) AS o ON o.submission = m.submission
     LEFT JOIN (
        SELECT submission, count() AS rows FROM serial_rows FINAL WHERE entry > 0 GROUP BY submission
     ) AS e ON e.submission = m.submission
     LEFT JOIN (
        SELECT submission, count() AS rows FROM unregistered_rows FINAL GROUP BY submission
     ) AS u ON u.submission = m.submission
     WHERE entries != entry_rows OR others != other_rows
     ORDER BY submission LIMIT 100`,
    { upTo, since },
    scanOptions,
  );
  report.looked('rows', 'entries and refused rows of every final submission, against its outcomes');
  for (const { submission, entries, entry_rows, others, other_rows } of rows)
    report.differs(
      'rows',
      `${submission}: outcomes tell of ${entries} entries and ${others} other rows, the tables have ${entry_rows} and ${other_rows}`,
    );
  const more = (rows[0]?.differing ?? 0) - rows.length;
  if (more > 0) report.differs('rows', `${count(more)} more`, more);
}

const idsAtOnce = 1_000;

/** Every manifest in the log is in the ledger, as far as the ledger says that it has read. */
export async function checkManifests(
  context: RecoveryContext,
  report: Report,
  { since }: Since,
): Promise<void> {
  const { clickhouse, kafka } = context;
  const topic = topicName('submissions');
  const mark = await watermarkOf(clickhouse, 'submissions', 0);
  const refused = new Set(
    (
      await clickhouse.query<{ origin: number }>(
        "SELECT DISTINCT origin FROM dead_letters WHERE stage = 'ledger-writer of submissions'",
      )
    ).map(({ origin }) => origin),
  );
  let manifests = 0;
  let waiting: { readonly id: string; readonly offset: number }[] = [];
  const compare = async () => {
    const asked = waiting;
    waiting = [];
    const known = await clickhouse.query<{ id: string }>(
      'SELECT DISTINCT submission AS id FROM submissions WHERE submission IN {ids:Array(UUID)}',
      { ids: asked.map(({ id }) => id) },
    );
    const ids = new Set(known.map(({ id }) => id));
    for (const { id, offset } of asked)
      if (!ids.has(id))
        report.differs('manifests', `submission ${id} at ${topic} offset ${offset} is not in the ledger`);
  };
  await readLog({
    kafka,
    topic,
    ranges: [{ partition: 0, from: await firstSince(context, topic, 0, since), to: mark + 1 }],
    async read(message) {
      const id = message.headers.submission;
      if (id === undefined || refused.has(message.offset)) return undefined;
      manifests += 1;
      waiting.push({ id, offset: message.offset });
      if (waiting.length >= idsAtOnce) await compare();
      return undefined;
    },
  });
  if (waiting.length > 0) await compare();
  report.looked('manifests', `${count(manifests)} manifests in the log are in the ledger`);
}

/** The first offset that is kept and not older. */
export function firstSince(
  { kafka }: RecoveryContext,
  topic: string,
  partition: number,
  since: number,
): Promise<number> {
  return withAdmin(kafka, `read the offsets of ${topic}`, async (admin) => {
    const low = (await logBounds(admin, topic)).get(partition)?.low ?? 0;
    if (since <= 0) return low;
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, since);
    const found = Number(offsets.find((entry) => entry.partition === partition)?.offset ?? low);
    return Math.max(found, low);
  });
}
