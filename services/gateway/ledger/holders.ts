import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Product } from '#shared/domain/serials.ts';

export interface SilentHolder {
  readonly holder: string;
  /** Models of the holder on the list. */
  readonly models: number;
}

export interface SilentHolders {
  /** The snapshot of the list that was looked at; empty when there is none. */
  readonly snapshot: string;
  readonly holders: readonly SilentHolder[];
}

/** A10: who is on the newest approved list of a product, and has no serial in the ledger. */
export async function silentHolders(clickhouse: Clickhouse, product: Product): Promise<SilentHolders> {
  const [newest] = await clickhouse.query<{ snapshot: string }>(
    `SELECT snapshot FROM list_snapshots FINAL WHERE product = {product:String}
     ORDER BY list_snapshots.taken_on DESC, snapshot DESC LIMIT 1`,
    { product },
  );
  if (!newest) return { snapshot: '', holders: [] };
  const holders = await clickhouse.query<SilentHolder>(
    `SELECT any(holder) AS holder, uniqExact(model_key) AS models FROM listings FINAL
     WHERE product = {product:String} AND snapshot = {snapshot:String} AND holder_key NOT IN (
         SELECT DISTINCT holder_key FROM serial_rows WHERE product = {product:String} AND entry > 0)
     GROUP BY holder_key ORDER BY holder_key`,
    { product, snapshot: newest.snapshot },
  );
  return { snapshot: newest.snapshot, holders };
}
