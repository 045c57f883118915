import { type RecordSchema, releasedVersions } from '#shared/codec/schemas.ts';
import type { SerialBatch } from '#shared/domain/serials.ts';

/** What one message holds when there is one row in each, and what ClickHouse keeps of it. */
export interface SingleRow {
  readonly name: string;
  readonly topic: string;
  readonly table: string;
  readonly schema: RecordSchema;
  /** Columns of the table that reads the topic, as the record has them. */
  readonly queueColumns: string;
  /** Columns and order of the table that keeps the rows. */
  readonly kept: string;
  readonly select: string;
  /** The record of a batch of one. */
  recordOf(batch: SerialBatch): object;
}

const columnTypes: Readonly<Record<string, string>> = {
  string: 'String',
  int: 'Int32',
  long: 'Int64',
  boolean: 'Bool',
};

const batchSchema = releasedVersions('SerialBatch').at(-1)!.schema;
const records = batchSchema.fields.find(({ name }) => name === 'records')!;
const recordSchema = (records.type as { readonly items: RecordSchema }).items;
const headFields = batchSchema.fields.filter(({ name }) => name !== 'records');

/** All that our own record and the header of its batch say, into the columns of `serial_rows` that this can fill. */
function sameRecord(): SingleRow {
  const schema: RecordSchema = {
    ...batchSchema,
    name: 'SingleRecord',
    fields: [...headFields, { name: 'record', type: recordSchema }],
  };
  return {
    name: 'our record',
    topic: 'bench-single-records',
    table: 'bench_single_records',
    schema,
    queueColumns: `${columnsOf(headFields)}, record Tuple(${columnsOf(recordSchema.fields)})`,
    kept: `(product LowCardinality(String), serial_key String, holder_key LowCardinality(String), submission UUID, row UInt32,
        action LowCardinality(String), account LowCardinality(String), supplier LowCardinality(String),
        supplier_key LowCardinality(String), holder LowCardinality(String), series LowCardinality(String),
        model LowCardinality(String), serial String, status LowCardinality(String), reason LowCardinality(String),
        note LowCardinality(String), received_at DateTime64(3, 'UTC'))
      ENGINE = MergeTree ORDER BY (product, serial_key, holder_key, submission, row)`,
    select: `product, record.serial_key AS serial_key, record.holder_key AS holder_key, toUUID(submission) AS submission,
      record.row AS row, action, account, record.supplier AS supplier, record.supplier_key AS supplier_key,
      record.holder AS holder, record.series AS series, record.model AS model, record.serial AS serial,
      record.status AS status, record.reason AS reason, record.note AS note,
      fromUnixTimestamp64Milli(received_at, 'UTC') AS received_at`,
    recordOf: ({ records: [record], ...head }) => ({ ...head, record }),
  };
}

/** What the file says of a row and where it came from, eight fields: about the least that is worth a ledger. */
function slimRecord(): SingleRow {
  const schema: RecordSchema = {
    type: 'record',
    name: 'SlimRecord',
    namespace: 'bench',
    fields: [
      { name: 'submission', type: 'string' },
      { name: 'row', type: 'int' },
      { name: 'account', type: 'string' },
      { name: 'received_at', type: 'long' },
      { name: 'supplier', type: 'string' },
      { name: 'holder', type: 'string' },
      { name: 'model', type: 'string' },
      { name: 'serial', type: 'string' },
    ],
  };
  return {
    name: 'a slim record',
    topic: 'bench-slim-records',
    table: 'bench_slim_records',
    schema,
    queueColumns: columnsOf(schema.fields),
    kept: `(submission UUID, row UInt32, account LowCardinality(String), received_at DateTime64(3, 'UTC'),
        supplier LowCardinality(String), holder LowCardinality(String), model LowCardinality(String), serial String)
      ENGINE = MergeTree ORDER BY serial`,
    select: `toUUID(submission) AS submission, row, account, fromUnixTimestamp64Milli(received_at, 'UTC') AS received_at,
      supplier, holder, model, serial`,
    recordOf: ({ records: [record], submission, account, received_at }) => ({
      submission,
      account,
      received_at,
      ...record,
    }),
  };
}

/** The first is what our rate is measured against. */
export const singleRows: readonly SingleRow[] = [sameRecord(), slimRecord()];

function columnsOf(fields: RecordSchema['fields']): string {
  return fields.map(({ name, type }) => `${name} ${columnTypes[plain(type)]}`).join(', ');
}

function plain(type: unknown): string {
  return typeof type === 'string' ? type : (type as { readonly type: string }).type;
}
