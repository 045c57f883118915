import type { Clickhouse } from './client.ts';

/** A snapshot of an approved list as it is kept. Days are yyyy-mm-dd. */
export interface Snapshot {
  readonly product: string;
  readonly snapshot: string;
  readonly taken_on: string;
  readonly sha256: string;
  readonly file_name: string;
  readonly rows: number;
  readonly listings: number;
  readonly models: number;
}

/** A distinct row of a snapshot; `row` is the line where it stands first. */
export interface StoredRow {
  readonly row: number;
  readonly holder: string;
  readonly brand: string;
  readonly series: string;
  readonly model: string;
  readonly approved: string;
  readonly expires: string;
  readonly nominal_kwh: string;
  readonly usable_kwh: string;
  readonly ac_power_kw: string;
  readonly fire_tested: string;
}

/** What models are found by, and its version (`listingKeys` of the domain). */
export interface ListKeys {
  /** Rises when `fold` changes. */
  readonly version: number;
  readonly fold: (text: string) => string;
  /** The key of a model in look-ups. */
  readonly of: (holder: string, model: string) => string;
}

/** All snapshots of a product, the oldest first. One of a day that has several comes in the order of their hashes. */
export async function snapshotsOf(clickhouse: Clickhouse, product: string): Promise<readonly Snapshot[]> {
  return clickhouse.query<Snapshot>(
    `SELECT product, snapshot, toString(taken_on) AS taken_on, sha256, file_name, rows, listings, models
    FROM list_snapshots FINAL WHERE product = {product:String}
    ORDER BY list_snapshots.taken_on, snapshot`,
    { product },
  );
}

/**
 * Keeps a snapshot: its rows first, the snapshot after them, so that rows without it do not count. To be repeated as
 * often as one likes: rows are collapsed by their line.
 */
export async function storeSnapshot(
  clickhouse: Clickhouse,
  snapshot: Snapshot,
  rows: readonly StoredRow[],
  keys: ListKeys,
  now: Date,
): Promise<void> {
  const { product, snapshot: id } = snapshot;
  await clickhouse.insertRows(
    'listings',
    rows.map((row) => ({ product, snapshot: id, ...row, ...keysOf(row, keys) })),
  );
  await clickhouse.insertRows('list_snapshots', [{ ...snapshot, imported_at: timestamp(now) }]);
}

function keysOf({ holder, model }: { holder: string; model: string }, { version, fold }: ListKeys): object {
  return { holder_key: fold(holder), model_key: fold(model), key_version: version };
}

/**
 * Writes the rows again that an earlier release folded otherwise; a row of a higher version replaces the same row of a
 * lower one. A release that was taken back leaves the newer keys, and finds its own lists in Redis only.
 * @returns number of rows written
 */
export async function refreshKeys(clickhouse: Clickhouse, product: string, keys: ListKeys): Promise<number> {
  const rows = await clickhouse.query<StoredRow & { product: string; snapshot: string }>(
    `SELECT * EXCEPT (holder_key, model_key, key_version) FROM listings FINAL
    WHERE product = {product:String} AND key_version < {version:UInt16}`,
    { product, version: keys.version },
  );
  await clickhouse.insertRows(
    'listings',
    rows.map((row) => ({ ...row, ...keysOf(row, keys) })),
  );
  return rows.length;
}

/** Holder and model of every row of one snapshot. */
export async function modelsOf(
  clickhouse: Clickhouse,
  product: string,
  snapshot: string,
): Promise<readonly { readonly holder: string; readonly model: string }[]> {
  return clickhouse.query(
    'SELECT DISTINCT holder, model FROM listings WHERE product = {product:String} AND snapshot = {snapshot:String}',
    { product, snapshot },
  );
}

/** A row of the union of snapshots; `current`: the latest of them has it. */
export type UnionRow = Omit<StoredRow, 'row' | 'fire_tested'> & { readonly current: 0 | 1 };

/** The distinct rows of several snapshots together (WIN-5), in an order that depends on nothing but the rows. */
export async function unionOf(
  clickhouse: Clickhouse,
  product: string,
  snapshots: readonly string[],
  latest: string,
): Promise<readonly UnionRow[]> {
  const columns = 'holder, model, approved, expires, brand, series, nominal_kwh, usable_kwh, ac_power_kw';
  return clickhouse.query<UnionRow>(
    `SELECT ${columns}, max(snapshot = {latest:String}) AS current
    FROM listings WHERE product = {product:String} AND snapshot IN {snapshots:Array(String)}
    GROUP BY ${columns} ORDER BY ${columns}`,
    { product, snapshots, latest },
  );
}

export interface Publication {
  readonly product: string;
  readonly publication: string;
  readonly latest: string;
  readonly snapshots: readonly string[];
  readonly models: number;
}

/** Which snapshots the id stands for that findings carry. Written before the first finding can carry it. */
export async function recordPublication(
  clickhouse: Clickhouse,
  publication: Publication,
  now: Date,
): Promise<void> {
  await clickhouse.insertRows('list_publications', [{ ...publication, published_at: timestamp(now) }]);
}

function timestamp(at: Date): string {
  return at.toISOString().replace('T', ' ').replace('Z', '');
}
