import type { SerialRow, SubmissionFacts } from '#gateway/explanation/explain.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';

/** Every row ever received for a serial, in the order in which the log decided them, with the batch that it came in. */
export function rowsOfSerial(
  clickhouse: Clickhouse,
  product: string,
  serialKey: string,
): Promise<SerialRow[]> {
  return clickhouse.query<SerialRow>(
    `SELECT r.holder_key AS holder_key, r.holder AS holder, r.series AS series, r.model AS model, r.serial AS serial,
        r.supplier AS supplier, r.supplier_key AS supplier_key, r.account AS account, r.submission AS submission,
        r.row AS row, b.batch AS batch, r.partition AS partition, r.origin AS origin, r.action AS action,
        r.outcome AS outcome, r.entry AS entry, r.status AS status, r.reason AS reason, r.listing AS listing,
        r.listing_note AS listing_note, r.decision_note AS decision_note, r.note AS note, r.snapshot AS snapshot,
        toUnixTimestamp64Milli(r.received_at) AS received_at
     FROM
     (
        SELECT * FROM serial_rows FINAL WHERE product = {product:String} AND serial_key = {serialKey:String}
     ) AS r
     LEFT JOIN
     (
        SELECT submission, partition, origin, any(batch) AS batch FROM batch_outcomes
        WHERE submission IN
            (SELECT submission FROM serial_rows WHERE product = {product:String} AND serial_key = {serialKey:String})
        GROUP BY submission, partition, origin
     ) AS b ON r.submission = b.submission AND r.partition = b.partition AND r.origin = b.origin
     ORDER BY r.origin, r.row`,
    { product, serialKey },
  );
}

/** The files: the first copy of each manifest. */
export function submissionsOf(clickhouse: Clickhouse, ids: readonly string[]): Promise<SubmissionFacts[]> {
  return clickhouse.query<SubmissionFacts>(
    `SELECT submission, argMin(s.file_name, s.received_at) AS file_name, argMin(s.channel, s.received_at) AS channel,
        argMin(s.rows, s.received_at) AS rows, argMin(s.body_sha256, s.received_at) AS body_sha256,
        toUnixTimestamp64Milli(min(s.received_at)) AS received_at
     FROM submissions AS s WHERE submission IN {ids:Array(UUID)} GROUP BY submission`,
    { ids },
  );
}

/** The claims that ever named a serial, in the order in which they were decided first. */
export async function claimsNaming(
  clickhouse: Clickhouse,
  product: string,
  serialKey: string,
): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ claim: string }>(
    `SELECT claim FROM claim_serials WHERE product = {product:String} AND serial_key = {serialKey:String}
     GROUP BY claim ORDER BY min(evidenced_offset)`,
    { product, serialKey },
  );
  return rows.map(({ claim }) => claim);
}
