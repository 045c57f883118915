import type { ConflictPage, ConflictRow } from '#gateway/rulings/conflicts.ts';
import type { RulingPage } from '#gateway/rulings/desk.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Ruling } from '#shared/domain/rulings/ruling.ts';

export interface StoredRuling extends Ruling {
  /** Where it stands first in the log. */
  readonly offset: number;
}

const stored = `ruling, any(r.kind) AS kind, any(r.account) AS account, any(r.submitted_by) AS submitted_by,
    toUnixTimestamp64Milli(any(r.received_at)) AS received_at, any(r.reason) AS reason, product, any(r.holder) AS holder,
    holder_key, any(r.model) AS model, model_key, any(r.serial) AS serial, serial_key, any(r.from_day) AS from_day,
    any(r.held_by) AS held_by, any(r.disputed_by) AS disputed_by, toInt64(min(r.offset)) AS offset`;
const identity = 'product, serial_key, model_key, holder_key, ruling';

/** Rulings in the order of their log, the newest first. */
export function listRulings(clickhouse: Clickhouse, page: RulingPage): Promise<StoredRuling[]> {
  return clickhouse.query<StoredRuling>(
    `SELECT ${stored} FROM rulings AS r GROUP BY ${identity}
     HAVING offset < {before:Int64} ORDER BY offset DESC LIMIT {limit:UInt32}`,
    { before: page.before, limit: page.limit },
  );
}

/** Rulings on these serials, in the order of their log. */
export function rulingsOnSerials(
  clickhouse: Clickhouse,
  serialKeys: readonly string[],
): Promise<StoredRuling[]> {
  return clickhouse.query<StoredRuling>(
    `SELECT ${stored} FROM rulings AS r WHERE serial_key IN {serialKeys:Array(String)} AND serial_key != ''
     GROUP BY ${identity} ORDER BY offset`,
    { serialKeys },
  );
}

/** Rulings on models of these names, in the order of their log. */
export function rulingsOnModels(
  clickhouse: Clickhouse,
  product: string,
  modelKeys: readonly string[],
): Promise<StoredRuling[]> {
  return clickhouse.query<StoredRuling>(
    `SELECT ${stored} FROM rulings AS r
     WHERE product = {product:String} AND model_key IN {modelKeys:Array(String)} AND model_key != ''
     GROUP BY ${identity} ORDER BY offset`,
    { product, modelKeys },
  );
}

export async function hasRuling(clickhouse: Clickhouse, ruling: string): Promise<boolean> {
  const rows = await clickhouse.query('SELECT 1 FROM rulings WHERE ruling = {ruling:String} LIMIT 1', {
    ruling,
  });
  return rows.length > 0;
}

export async function rulingsBeginningWith(
  clickhouse: Clickhouse,
  beginning: string,
): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ ruling: string }>(
    'SELECT DISTINCT ruling FROM rulings WHERE startsWith(ruling, {beginning:String})',
    { beginning },
  );
  return rows.map(({ ruling }) => ruling);
}

const conflictColumns = `product, serial_key, holder_key, serial, holder, model, latest_outcome, held_by, held, disputing`;

export function listConflicts(clickhouse: Clickhouse, page: ConflictPage): Promise<ConflictRow[]> {
  return clickhouse.query<ConflictRow>(
    `SELECT ${conflictColumns} FROM conflicts
     WHERE (product, serial_key, holder_key) > ({product:String}, {serialKey:String}, {holderKey:String})
     ORDER BY product, serial_key, holder_key LIMIT {limit:UInt32}`,
    {
      product: page.after.product,
      serialKey: page.after.serial_key,
      holderKey: page.after.holder_key,
      limit: page.limit,
    },
  );
}

export async function conflictOf(
  clickhouse: Clickhouse,
  of: { readonly product: string; readonly serial_key: string; readonly holder_key: string },
): Promise<ConflictRow | undefined> {
  const [row] = await clickhouse.query<ConflictRow>(
    `SELECT ${conflictColumns} FROM conflicts
     WHERE product = {product:String} AND serial_key = {serialKey:String} AND holder_key = {holderKey:String}`,
    { product: of.product, serialKey: of.serial_key, holderKey: of.holder_key },
  );
  return row;
}
