import { partitionOf } from '#shared/domain/partition.ts';
import type { SerialBatch, SerialRecord } from '#shared/domain/serials.ts';
import type { Random } from './random.ts';
import { holders } from './redis.ts';

/** What a client sends: the batches of one submission, by partition, as every gateway would cut them (K4). */
export interface Submission {
  readonly id: string;
  readonly rows: number;
  readonly batches: readonly { readonly partition: number; readonly batch: SerialBatch }[];
}

const product = 'panel';
const serials = Array.from({ length: 7 }, (_, i) => `SN-${i}`);
const suppliers = ['SUPPLIER X', 'SUPPLIER Y', 'SUPPLIER Z'] as const;
const actions = [
  'register',
  'register',
  'register',
  'register',
  'invalidate',
  'invalidate',
  'update_status',
] as const;
const statuses = ['in_stock', 'sold'] as const;
const batchRowsMax = 3;

/** Few serials and names, so that rows meet: duplicates, conflicts, shared serials, invalidations, statuses and new registrations. */
export function makeSubmission(random: Random, number: number, partitions: number): Submission {
  const id = `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
  const supplier = random.pick(suppliers);
  const action = random.pick(actions);
  const records = Array.from({ length: random.between(1, 9) }, (_, i) => ({
    ...makeRecord(random, i + 1, supplier),
    status: action === 'update_status' ? random.pick(statuses) : '',
  }));
  const header = {
    submission: id,
    account: `account of ${supplier}`,
    supplier,
    channel: 'csv',
    product,
    action,
  };
  const cut = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    parts: inParts(
      records.filter((record) => partitionOf(product, record.serial_key, partitions) === partition),
    ),
  })).flatMap(({ partition, parts }) => parts.map((part) => ({ partition, records: part })));
  return {
    id,
    rows: records.length,
    batches: cut.map((part, batch) => ({
      partition: part.partition,
      batch: { ...header, batch, received_at: 0, records: part.records },
    })),
  };
}

function makeRecord(random: Random, row: number, sender: string): SerialRecord {
  const holder = random.pick(holders);
  const supplier = random.chance(0.9) ? sender : random.pick(suppliers);
  const serial = random.pick(serials);
  return {
    row,
    line: row + 1,
    supplier,
    holder,
    series: '',
    model: random.pick(['always', 'always', 'sometimes', 'sometimes', 'never']),
    serial,
    supplier_key: supplier,
    holder_key: holder,
    serial_key: serial,
    status: '',
    reason: '',
    note: '',
    finding: random.pick(['', '', '', '', '', '', '', '', '', 'supplier_not_authorised', 'serial_too_long']),
    column: '',
  };
}

function inParts(records: readonly SerialRecord[]): readonly (readonly SerialRecord[])[] {
  const parts: SerialRecord[][] = [];
  for (let from = 0; from < records.length; from += batchRowsMax)
    parts.push(records.slice(from, from + batchRowsMax));
  return parts;
}
