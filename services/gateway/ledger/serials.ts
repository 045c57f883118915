import type { Entry } from '#gateway/lookup/lookup.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { lookUpSettings } from '#shared/adapters/clickhouse/look-up.ts';
import type { Product } from '#shared/domain/serials.ts';

type Row = Omit<Entry, 'remarks'> & {
  readonly note: string;
  readonly listing_note: string;
  readonly decision_note: string;
};

/** The latest entry of each serial under each holder: the state of a serial is the row with its highest entry. */
export async function latestEntries(
  clickhouse: Clickhouse,
  product: Product,
  serialKeys: readonly string[],
): Promise<readonly Entry[]> {
  if (serialKeys.length === 0) return [];
  const rows = await clickhouse.query<Row>(
    `SELECT serial_key, holder_key, holder, series, model, serial, supplier, supplier_key, account, outcome, status, entry,
        submission, row, toUnixTimestamp64Milli(received_at) AS received_at, note, listing_note, decision_note
     FROM serial_rows
     WHERE product = {product:String} AND serial_key IN {serials:Array(String)} AND entry > 0
     ORDER BY serial_key, holder_key, entry DESC
     LIMIT 1 BY serial_key, holder_key`,
    { product, serials: serialKeys },
    { settings: lookUpSettings(serialKeys.length) },
  );
  return rows.map(({ note, listing_note, decision_note, ...entry }) => ({
    ...entry,
    // The note of a registration holds codes, that of a change a text of its sender.
    remarks: [...(entry.outcome === 'registered' ? note.split(' ') : []), listing_note, decision_note].filter(
      (code) => code !== '',
    ),
  }));
}
