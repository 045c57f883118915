import { sentinel } from './container.ts';

/** Fails the insert, before a row is written, when a message does not end where its coordinates say (L4). */
export const sentinelCheck = `throwIf(sentinel != ${sentinel}, 'a message in the container does not end with its sentinel') = 0`;

const header = `submission String, batch Int32, account String, supplier String, channel String, product String, action String,
    received_at Int64`;
const record = `row Int32, line Int32, supplier String, holder String, series String, model String, serial String,
    supplier_key String, holder_key String, serial_key String, status String, reason String, note String, finding String, column String`;
const listing = 'finding String, note String';
const tail = `origin Int64, snapshot String, listings Array(Tuple(${listing})),
    decisions Array(Tuple(outcome String, entry Int32, note String)), partition Int32, offset Int64, sentinel Int64`;

/** What all records say that do not repeat the one before them. */
const said = (texts: string) => `arrayFill((text, first) -> first, ${texts}, firsts)`;
const ownSerials = `arrayMap((given, key) -> if(given = '', key, given), records.serial, records.serial_key)`;
const recordsSpelledOut = `arrayZip(records.row, records.line, ${said('records.supplier')}, ${said('records.holder')},
    ${said('records.series')}, ${said('records.model')}, ${ownSerials}, ${said('records.supplier_key')},
    ${said('records.holder_key')}, records.serial_key, ${said('records.status')}, ${said('records.reason')},
    ${said('records.note')}, ${said('records.finding')}, ${said('records.column')})`;
const listingsSpelledOut = `arrayZip(${said('listings.finding')}, ${said('listings.note')})`;

/** One row per message, each record with all that it says; the views of migration 0001 spread it over the tables. */
export function decidedBatchesInsert(version: number): string {
  // Version 1 knew no records that repeat the one before them.
  const repeats = version > 1;
  return `
INSERT INTO decided_batches
${repeats ? 'WITH arrayMap(repeated -> not repeated, records.repeats) AS firsts' : ''}
SELECT toUUID(submission), batch, account, supplier, channel, product, action, fromUnixTimestamp64Milli(received_at, 'UTC'),
    ${repeats ? `${recordsSpelledOut}::Array(Tuple(${record}))` : 'records'}, origin, snapshot,
    ${repeats ? `${listingsSpelledOut}::Array(Tuple(${listing}))` : 'listings'}, decisions, partition, offset
FROM input('${header}, records Array(Tuple(${record}${repeats ? ', repeats Bool' : ''})), ${tail}')
WHERE ${sentinelCheck}
FORMAT Avro`;
}

/** Manifests of whichever version of their schema; what version 1 lacks is empty. */
export const submissionsInsert = `
INSERT INTO submissions
(
    submission, account, supplier, channel, product, action, received_at, file_name, idempotency_key, body_sha256, body_gzip,
    body_bytes, declaration, declared_by, batching_version, rows, batches, partitions, stream, first_row, media_type
)
SELECT toUUID(submission), account, supplier, channel, product, action, fromUnixTimestamp64Milli(received_at, 'UTC'), file_name,
    idempotency_key, body_sha256, body_gzip, body_bytes, declaration, declared_by, batching_version, rows, batches, partitions,
    stream, first_row, media_type
FROM input('submission String, account String, supplier String, channel String, product String, action String,
    received_at Int64, file_name String, idempotency_key String, body_sha256 String, body_gzip String, body_bytes Int64,
    declaration String, declared_by String, batching_version Int32, rows Int32, batches Int32,
    partitions Array(Tuple(partition Int32, rows Int32, batches Int32, last_offset Int64)),
    stream String, first_row Int64, media_type String, partition Int32, offset Int64, sentinel Int64')
WHERE ${sentinelCheck}
SETTINGS input_format_avro_allow_missing_fields = 1
FORMAT Avro`;

/** Before a message is set aside, everything before it was acknowledged: a batch decided by a lower origin is in the ledger. */
export const batchesThere = `
SELECT d.stage AS stage, d.origin AS origin, d.submission AS submission, d.batch AS batch
FROM (
    SELECT stage, origin, submission, batch FROM dead_letters
    WHERE partition = {partition:UInt16} AND stage IN ('cec-validation', 'dedup') AND submission != ''
    GROUP BY stage, origin, submission, batch HAVING max(settled) = 0
) AS d
INNER JOIN (
    SELECT submission, batch, min(origin) AS origin FROM batch_outcomes
    WHERE partition = {partition:UInt16} AND submission IN (
        SELECT toUUIDOrZero(submission) FROM dead_letters WHERE partition = {partition:UInt16})
    GROUP BY submission, batch
) AS b ON b.submission = toUUIDOrZero(d.submission) AND b.batch = d.batch
WHERE b.origin < d.origin`;
