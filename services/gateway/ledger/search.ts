import type { FoundEntry, Place, SearchQuery, SearchScope } from '#gateway/search/query.ts';
import type { SearchPorts } from '#gateway/search/search.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Param } from '#shared/adapters/clickhouse/params.ts';
import { normalise } from '#shared/domain/normalise.ts';

export interface SearchReads extends SearchPorts {
  /** Serials that match, each counted once for each holder and supplier. Reads every entry in scope. */
  count(query: SearchQuery, scope: SearchScope): Promise<number>;
  /** Suppliers for which the account has ever sent entries. */
  suppliersOf(account: string): Promise<readonly string[]>;
}

type Params = Record<string, Param>;

const columns = `supplier_key, serial_key, holder_key, entry, outcome, status, reason, note, account, supplier, holder, series,
    model, serial, submission, row, toUnixTimestamp64Milli(received_at) AS received_at, listing_note, decision_note`;

const latestColumns = ['outcome', 'status', 'model', 'submission', 'received_at']
  .map((column) => `, argMax(e.${column}, e.entry) AS last_${column}`)
  .join('');

/** Search over the entries of suppliers. Every value is a bound parameter. */
export function searchReads(clickhouse: Clickhouse): SearchReads {
  return {
    async candidates(query, scope, after, limit) {
      const params: Params = { limit };
      const where = [
        ...scopeTests(query, scope, params),
        ...afterTests(after, params),
        ...queryTests(query, params),
      ];
      // Read in the order of the table, which ends as soon as there is enough; DISTINCT would read on. Parts are merged row
      // by row and in small blocks: buffered, each part is read far ahead of what a page needs.
      const rows = await clickhouse.query<{ place: Place }>(
        `SELECT (supplier_key, serial_key, holder_key)::Tuple(String, String, String) AS place
         FROM supplier_entries AS e WHERE ${where.join(' AND ')}
         ORDER BY supplier_key, serial_key, holder_key
         LIMIT 1 BY supplier_key, serial_key, holder_key LIMIT {limit:UInt32}
         SETTINGS max_threads = 1, max_block_size = 8192, read_in_order_use_buffering = 0`,
        params,
      );
      return rows.map(({ place }) => place);
    },

    latest(query, places) {
      return clickhouse.query<FoundEntry>(
        `SELECT ${columns} FROM supplier_entries AS e
         WHERE product = {product:String}
           AND (supplier_key, serial_key, holder_key) IN arrayZip({suppliers:Array(String)}, {serials:Array(String)}, {holders:Array(String)})
         ORDER BY supplier_key, serial_key, holder_key, entry DESC
         LIMIT 1 BY supplier_key, serial_key, holder_key`,
        {
          product: query.product,
          suppliers: places.map(([supplier]) => supplier),
          serials: places.map(([, serial]) => serial),
          holders: places.map(([, , holder]) => holder),
        },
      );
    },

    async count(query, scope) {
      const params: Params = {};
      const inScope = scopeTests(query, scope, params).join(' AND ');
      const tests = queryTests(query, params);
      const latest = queryTests(query, params, 'last_');
      // Only serials of which some entry matches can match with their latest.
      const some =
        tests.length === 0
          ? ''
          : `AND (supplier_key, serial_key, holder_key) IN
             (SELECT supplier_key, serial_key, holder_key FROM supplier_entries AS e
              WHERE ${[inScope, ...tests].join(' AND ')})`;
      const [row] = await clickhouse.query<{ found: number }>(
        `SELECT count() AS found FROM
         (
             SELECT 1 ${latest.length === 0 ? '' : latestColumns}
             FROM supplier_entries AS e WHERE ${inScope} ${some}
             GROUP BY supplier_key, serial_key, holder_key
         )
         ${latest.length === 0 ? '' : `WHERE ${latest.join(' AND ')}`}
         SETTINGS optimize_aggregation_in_order = 1`,
        params,
      );
      return row?.found ?? 0;
    },

    async suppliersOf(account) {
      const rows = await clickhouse.query<{ supplier_key: string }>(
        'SELECT DISTINCT supplier_key FROM account_suppliers WHERE account = {account:String}',
        { account },
      );
      return rows.map(({ supplier_key }) => supplier_key);
    },
  };
}

/** Which entries are looked at, along the order of the table. */
function scopeTests(query: SearchQuery, scope: SearchScope, params: Params): string[] {
  params.product = query.product;
  const tests = ['product = {product:String}'];
  if (scope.kind === 'own') {
    params.suppliers = scope.suppliers;
    params.served = scope.served;
    params.viewer = scope.account;
    tests.push(
      'supplier_key IN {suppliers:Array(String)}',
      '(supplier_key IN {served:Array(String)} OR e.account = {viewer:String})',
    );
  }
  if (query.supplier !== undefined) {
    params.supplier = normalise(query.supplier);
    tests.push('supplier_key = {supplier:String}');
  }
  if (query.serial !== undefined) {
    params.serial = normalise(query.serial);
    tests.push('serial_key = {serial:String}');
  }
  if (query.serialPrefix !== undefined) {
    params.prefix = normalise(query.serialPrefix);
    tests.push('startsWith(serial_key, {prefix:String})');
  }
  if (query.holder !== undefined) {
    params.holder = normalise(query.holder);
    tests.push('holder_key = {holder:String}');
  }
  return tests;
}

/** The tuple alone would be right; the tests of single columns are what the primary index understands. */
function afterTests(after: Place | undefined, params: Params): string[] {
  if (!after) return [];
  const [supplierKey, serialKey, holderKey] = after;
  Object.assign(params, { afterSupplier: supplierKey, afterSerial: serialKey, afterHolder: holderKey });
  return [
    `(supplier_key > {afterSupplier:String}
      OR (supplier_key = {afterSupplier:String} AND serial_key >= {afterSerial:String}))`,
    `(supplier_key, serial_key, holder_key) > ({afterSupplier:String}, {afterSerial:String}, {afterHolder:String})`,
  ];
}

/** What is tested of one entry. */
function queryTests(query: SearchQuery, params: Params, prefix = 'e.'): string[] {
  const tests: string[] = [];
  const add = (name: string, value: Param | undefined, test: string) => {
    if (value === undefined) return;
    params[name] = value;
    tests.push(test);
  };
  add('model', query.model && normalise(query.model), `${folded(`${prefix}model`)} = {model:String}`);
  add('status', query.status && normalise(query.status), `${folded(`${prefix}status`)} = {status:String}`);
  add('submission', query.submission, `${prefix}submission = {submission:UUID}`);
  add('from', query.receivedFrom, `${prefix}received_at >= fromUnixTimestamp64Milli({from:Int64})`);
  add('before', query.receivedBefore, `${prefix}received_at < fromUnixTimestamp64Milli({before:Int64})`);
  if (query.state !== undefined)
    tests.push(`${prefix}outcome ${query.state === 'invalid' ? '=' : '!='} 'invalidated'`);
  return tests;
}

/** As `normalise` folds texts (SER-2). The columns hold few distinct texts, and each is folded once a block. */
function folded(column: string): string {
  const composed = `normalizeUTF8NFKC(upperUTF8(normalizeUTF8NFKC(${column})))`;
  return `trimBoth(replaceRegexpAll(${composed}, '\\\\s+', ' '))`;
}
