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
        outcome AS o, origin AS g, row AS r
     FROM (
        SELECT substring(SHA256(concat({hashKey:String}, product, '\\n', serial_key)), 1, 8) AS field,
            reinterpretAsUInt32(reverse(substring(field, 1, 4))) % {buckets:UInt32} AS bucket,
            product, serial_key, holder_key, supplier_key, entry, outcome, origin, row
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
    for (const { b, f, p, s, h, u, e, o, g, r } of rows) {
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
      this.#entries.push({ holder: h, supplier: u, entry: e, outcome: o, origin: g, row: r });
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

/** Names in the order in which entries of the partition first use them: their numbers in the index, from 1. */
export async function namesInOrder(
  clickhouse: Clickhouse,
  kind: 'holder' | 'supplier',
  partition: number,
  cut: number,
): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ name: string }>(
    `SELECT if({kind:String} = 'holder', holder_key, supplier_key) AS name FROM serial_rows FINAL
     WHERE partition = {partition:UInt16} AND entry > 0 AND toInt64(origin) <= {cut:Int64}
     GROUP BY name ORDER BY min((origin, row))`,
    { kind, partition, cut },
    scanOptions,
  );
  return rows.map(({ name }) => name);
}
