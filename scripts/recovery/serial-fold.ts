import type { LedgerEntry } from '#dedup/fold.ts';
import type { IndexLayout } from '#dedup/layout.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Bytes } from '#shared/runtime/state-store.ts';
import { scanOptions } from './ledger.ts';

/** A serial with all its entries, of every holder, up to some origin. */
export interface LedgerSerial {
  readonly product: string;
  readonly serialKey: string;
  readonly entries: readonly LedgerEntry[];
}

/** What one field of the index stands for. More than one serial: their hashes are the same (section 4). */
export interface LedgerField {
  readonly bucket: number;
  readonly field: Bytes;
  readonly serials: readonly LedgerSerial[];
}

export interface FoldRange {
  readonly partition: number;
  /** Entries with a higher origin are left out. */
  readonly cut: number;
  readonly layout: IndexLayout;
  /** These fields only, in hexadecimal. */
  readonly only?: readonly string[];
}

/** Short names: they stand before every value of millions of rows. */
interface EntryRow {
  readonly b: number;
  readonly f: string;
  readonly p: string;
  readonly s: string;
  readonly h: string;
  readonly u: string;
  readonly e: number;
  readonly o: string;
  readonly t: string;
  readonly g: number;
  readonly r: number;
}

/**
 * The entries of a partition in the order of the index: by bucket, then by field. ClickHouse computes the hash (the rule
 * of `serialPlace`) and sorts, on disk when it is much, so that index and ledger are walked side by side in constant memory.
 */
export async function* ledgerFields(
  clickhouse: Clickhouse,
  { partition, cut, layout, only }: FoldRange,
): AsyncGenerator<readonly LedgerField[], void> {
  const rows = clickhouse.queryStream<EntryRow>(
    `SELECT bucket AS b, hex(field) AS f, product AS p, serial_key AS s, holder_key AS h, supplier_key AS u, entry AS e,
        outcome AS o, if(o = 'status_updated', status, '') AS t, origin AS g, row AS r
     FROM (
        SELECT substring(SHA256(concat({hashKey:String}, product, '\\n', serial_key)), 1, 8) AS field,
            reinterpretAsUInt32(reverse(substring(field, 1, 4))) % {buckets:UInt32} AS bucket,
            product, serial_key, holder_key, supplier_key, entry, outcome, status, origin, row
        FROM serial_rows FINAL
        WHERE partition = {partition:UInt16} AND entry > 0 AND toInt64(origin) <= {cut:Int64}
     )
     ${only ? 'WHERE field IN (SELECT unhex(arrayJoin({only:Array(String)})))' : ''}
     ORDER BY bucket, field, product, serial_key, entry, holder_key`,
    { hashKey: layout.hashKey, buckets: layout.buckets, partition, cut, ...(only ? { only } : {}) },
    scanOptions,
  );
  const grouping = new Grouping();
  for await (const block of rows) yield grouping.add(block);
  yield grouping.end();
}

/** Rows of one field stand together; a block may end among them. */
class Grouping {
  #field: { readonly hex: string; readonly bucket: number; readonly serials: LedgerSerial[] } | undefined;
  #entries: LedgerEntry[] = [];

  add(rows: readonly EntryRow[]): readonly LedgerField[] {
    const complete: LedgerField[] = [];
    for (const { b, f, p, s, h, u, e, o, t, g, r } of rows) {
      if (this.#field?.hex !== f) {
        complete.push(...this.end());
        this.#field = { hex: f, bucket: b, serials: [] };
      }
      const { serials } = this.#field;
      const last = serials.at(-1);
      if (last?.product !== p || last.serialKey !== s) {
        this.#entries = [];
        serials.push({ product: p, serialKey: s, entries: this.#entries });
      }
      this.#entries.push({
        holder: h,
        supplier: u,
        entry: e,
        outcome: o,
        status: t,
        origin: g,
        row: r,
      });
    }
    return complete;
  }

  end(): readonly LedgerField[] {
    const field = this.#field;
    this.#field = undefined;
    if (!field) return [];
    return [
      {
        bucket: field.bucket,
        field: Buffer.from(field.hex, 'hex').toString('latin1'),
        serials: field.serials,
      },
    ];
  }
}

/** The dictionaries of an index, and the column of the ledger that each takes its names from. */
const nameColumns = { holders: 'holder_key', suppliers: 'supplier_key', statuses: 'status' } as const;
export type DictionaryKind = keyof typeof nameColumns;

/** Names in the order in which entries of the partition first use them: their numbers in the index, from 1. */
export async function namesInOrder(
  clickhouse: Clickhouse,
  kind: DictionaryKind,
  partition: number,
  cut: number,
): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ name: string }>(
    `SELECT ${nameColumns[kind]} AS name FROM serial_rows FINAL
     WHERE partition = {partition:UInt16} AND entry > 0 AND toInt64(origin) <= {cut:Int64}
        ${kind === 'statuses' ? "AND outcome = 'status_updated'" : ''}
     GROUP BY name ORDER BY min((origin, row))`,
    { partition, cut },
    scanOptions,
  );
  return rows.map(({ name }) => name);
}
