import type { KeptFile } from '#gateway/submissions/kept-file.ts';
import type { LedgerRow } from '#gateway/submissions/report.ts';
import type { LedgerManifest, SubmissionReads } from '#gateway/submissions/status.ts';
import type { Earlier, EarlierSubmissions } from '#gateway/submissions/submission.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { deadRowsOf } from '#shared/adapters/clickhouse/conservation.ts';

/** What the ledger has of submissions. */
export function submissionReads(clickhouse: Clickhouse): SubmissionReads &
  EarlierSubmissions & {
    report(id: string, options: { readonly remarks: boolean }): AsyncGenerator<readonly LedgerRow[], void>;
    file(id: string): Promise<KeptFile | undefined>;
  } {
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

    /** Rows that made no entry; with `remarks`, also those that did and that the gateway has remarked on. */
    report(id, { remarks }) {
      const columns = `row, line, outcome, listing_note, decision_note, product, supplier, holder, series, model, serial,
            status, reason, serial_key, holder_key, note`;
      const unregistered = `SELECT ${columns}, finding, column, snapshot FROM unregistered_rows FINAL WHERE submission = {id:UUID}`;
      const noted = `SELECT ${columns}, '' AS finding, '' AS column, '' AS snapshot FROM noted_rows FINAL WHERE submission = {id:UUID}`;
      return clickhouse.queryStream<LedgerRow>(
        remarks
          ? `SELECT * FROM (${unregistered} UNION ALL ${noted}) ORDER BY row`
          : `${unregistered} ORDER BY row`,
        { id },
      );
    },

    /** The bytes of the first copy; all copies hold the same (K4). */
    async file(id) {
      const [row] = await clickhouse.query<Omit<KeptFile, 'gzip'> & { gzip: string }>(
        `SELECT base64Encode(body_gzip) AS gzip, body_sha256 AS sha256, body_bytes AS bytes, file_name, channel, media_type
         FROM submissions WHERE submission = {id:UUID} ORDER BY submissions.received_at LIMIT 1`,
        { id },
      );
      return row && { ...row, gzip: Buffer.from(row.gzip, 'base64') };
    },

    /** Of a stream one part stands for all. */
    withKey(account, idempotencyKey) {
      return clickhouse.query<Earlier>(
        `SELECT submission AS id, product, action, body_sha256 AS bodySha256, rows, stream FROM submissions
         WHERE account = {account:String} AND idempotency_key = {idempotencyKey:String}
         LIMIT 1 BY stream, if(stream = '', submission, toUUID('00000000-0000-0000-0000-000000000000'))`,
        { account, idempotencyKey },
      );
    },
  };
}
