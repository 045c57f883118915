import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { snapshotsOf, type UnionRow, unionOf } from '#shared/adapters/clickhouse/lists.ts';
import { ListIndex } from '#shared/domain/listing/list-index.ts';
import type { ListingRow } from '#shared/domain/listing/listing.ts';
import type { Product } from '#shared/domain/serials.ts';

interface Held {
  readonly snapshots: string;
  readonly index: Promise<ListIndex>;
}

/**
 * Gives the approved list of a product as the ledger has it, all snapshots together; undefined when none was imported. It is
 * read again only when there is another snapshot. For checks and suggestions: what counts for a row is said by the list
 * check that it passes.
 */
export function approvedLists(clickhouse: Clickhouse): (product: Product) => Promise<ListIndex | undefined> {
  const held = new Map<Product, Held>();
  return async (product) => {
    const names = (await snapshotsOf(clickhouse, product)).map(({ snapshot }) => snapshot);
    const latest = names.at(-1);
    if (latest === undefined) return undefined;
    const snapshots = names.join(' ');
    const known = held.get(product);
    if (known?.snapshots === snapshots) return known.index;
    const index = unionOf(clickhouse, product, names, latest).then(
      (rows) => new ListIndex(rows.map(listingRow)),
    );
    const entry = { snapshots, index };
    held.set(product, entry);
    // What could not be read is read again by whoever asks next.
    index.catch(() => held.get(product) === entry && held.delete(product));
    return index;
  };
}

function listingRow(row: UnionRow): ListingRow {
  const { holder, brand, series, model, approved, expires } = row;
  return {
    holder,
    brand,
    series,
    model,
    approved,
    expires,
    current: row.current === 1,
    nominalKwh: row.nominal_kwh,
    usableKwh: row.usable_kwh,
    acPowerKw: row.ac_power_kw,
  };
}
