import type { UnregisteredRow } from '#gateway/submissions/report.ts';
import type { LedgerManifest, SubmissionReads } from '#gateway/submissions/status.ts';
import type { Earlier, EarlierSubmissions } from '#gateway/submissions/submission.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { deadRowsOf } from '#shared/adapters/clickhouse/conservation.ts';

/** What the ledger has of submissions. */
export function submissionReads(
  clickhouse: Clickhouse,
): SubmissionReads &
  EarlierSubmissions & { report(id: string): AsyncGenerator<readonly UnregisteredRow[], void> } {
  return {
    /** The first copy: a repetition that was written again has a manifest of its own, with later offsets. */
    async manifest(id) {
      const [row] = await clickhouse.query<LedgerManifest>(
        `SELECT submission, account, product, action, file_name, rows, toUnixTimestamp64Milli(received_at) AS received_at,
            arrayMap(share -> (share.partition, share.last_offset)::Tuple(partition UInt16, last_offset UInt64), partitions)
                AS last_offsets
         FROM submissions WHERE submission = {id:UUID} ORDER BY submissions.received_at LIMIT 1`,
        { id },
      );
      return row;
    },

    async outcomes(id) {
      const batches = await clickhouse.query<{ outcomes: Record<string, number> }>(
        'SELECT outcomes FROM batch_outcomes FINAL WHERE submission = {id:UUID}',
        { id },
      );
      const sums: Record<string, number> = {};
      for (const { outcomes } of batches)
        for (const [outcome, rows] of Object.entries(outcomes)) sums[outcome] = (sums[outcome] ?? 0) + rows;
      return sums;
    },

    deadRows: (id) => deadRowsOf(clickhouse, id),

    report(id) {
      return clickhouse.queryStream<UnregisteredRow>(
        `SELECT row, line, outcome, finding, column, listing_note, decision_note, product, supplier, holder, series, model,
            serial, status, reason, serial_key, holder_key
         FROM unregistered_rows FINAL WHERE submission = {id:UUID} ORDER BY row`,
        { id },
      );
    },

    withKey(account, idempotencyKey) {
      return clickhouse.query<Earlier>(
        `SELECT submission AS id, product, action, body_sha256 AS bodySha256, rows FROM submissions
         WHERE account = {account:String} AND idempotency_key = {idempotencyKey:String}`,
        { account, idempotencyKey },
      );
    },
  };
}
