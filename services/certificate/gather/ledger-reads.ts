import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { lookUpSettings } from '#shared/adapters/clickhouse/look-up.ts';
import { joinKey } from '#shared/base/keys.ts';
import type { ListingWindow } from '#shared/domain/claims/claim.ts';
import type { ModelKey } from '#shared/domain/claims/index.ts';
import type { RulingFacts } from '#shared/domain/rulings/ruling.ts';
import type {
  AskedSerial,
  LedgerEntry,
  LedgerPorts,
  ListedModel,
  Listings,
  Offsets,
  RulingsAnswer,
} from './questions.ts';

/** Serials of one query: beyond a few thousand, two queries cost less than one. */
const querySerialsMax = 2_000;

/** What evidence is made of. Each answer is a function of the log up to what it names, and can be had again later. */
export interface LedgerReads extends Pick<LedgerPorts, 'entries' | 'listings' | 'rulings'> {
  /** By the publications that evidence named, instead of the newest. */
  listingsOf(models: readonly ModelKey[], snapshot: string): Promise<Listings>;
  rulingsUpTo(
    serials: readonly AskedSerial[],
    models: readonly ModelKey[],
    offset: number,
  ): Promise<RulingsAnswer>;
}

/** `partitions` of the serials. `clickhouse` must be one replica, not a balancer over several. */
export function ledgerReads(clickhouse: Clickhouse, partitions: number): LedgerReads {
  return {
    async entries(serials, watermarks: Offsets) {
      const upTo = upToOf(watermarks, partitions);
      const found: LedgerEntry[] = [];
      for (const { product, keys } of queriesOf(serials)) {
        const gathered = await clickhouse.query<Gathered>(
          gatheredQuery,
          { product, keys, upTo },
          { settings: { ...lookUpSettings(keys.length), ...gatheredSettings } },
        );
        for (const row of gathered) {
          const entry = entryOf(product, row);
          if (entry) found.push(entry);
        }
      }
      return found;
    },

    listings: (models) => readListings(clickhouse, models, undefined),
    listingsOf: (models, snapshot) => readListings(clickhouse, models, snapshot),

    // The highest offset is read first: rulings that come in between are no part of the answer.
    rulings: async (serials, models) =>
      readRulings(clickhouse, serials, models, await newestRuling(clickhouse)),
    rulingsUpTo: (serials, models, offset) => readRulings(clickhouse, serials, models, offset),
  };
}

/** The parameter `upTo` of `gatheredOf`. */
export function upToOf(watermarks: Offsets, partitions: number): readonly number[] {
  return Array.from({ length: partitions }, (_, partition) => watermarks.get(partition) ?? -1);
}

function queriesOf(serials: readonly AskedSerial[]): { product: string; keys: readonly string[] }[] {
  const byProduct = new Map<string, Set<string>>();
  for (const { product, serial_key } of serials) {
    const known = byProduct.get(product) ?? new Set();
    byProduct.set(product, known.add(serial_key));
  }
  return [...byProduct].flatMap(([product, known]) => {
    const keys = [...known];
    const count = Math.ceil(keys.length / querySerialsMax);
    return Array.from({ length: count }, (_, i) => ({
      product,
      keys: keys.slice(i * querySerialsMax, (i + 1) * querySerialsMax),
    }));
  });
}

/** What the server gathers of a serial under one holder: the columns of `gatheredOf`. */
export interface Gathered {
  readonly serial_key: string;
  readonly holder_key: string;
  /** 0: no row of it made an entry. */
  readonly entry: number;
  readonly registration: readonly [...names: Named, held_by: string];
  readonly offer: readonly [...names: Named, offered_at: number];
  readonly standing: string;
  readonly latest: readonly [status: string, entered_at: number];
  readonly registered_at: number;
  readonly refused: readonly string[];
}

type Named = [holder: string, supplier: string, account: string, series: string, model: string];

/**
 * Rows above the watermark of their partition are left out: up to it everything is there, above it perhaps not, and
 * evidence must be a function of the log. Facts are those of the latest registration; whether the serial is
 * valid is said by the latest of registrations and invalidations, its status by the latest entry.
 * Where there is no entry, a row that was refused for want of authority stands for those that were.
 * One level, and nothing that `entryOf` can do: planning a query takes longer than finding twenty serials.
 * `asked`: the keys, as what stands behind IN. Parameters: `product`, and `upTo` by partition.
 */
export function gatheredOf(asked: string): string {
  return `SELECT serial_key, holder_key, max(r.entry) AS entry,
    argMaxIf((r.holder, r.supplier, r.account, r.series, r.model, r.supplier_key), r.entry, r.outcome = 'registered')
        AS registration,
    argMaxIf((r.holder, r.supplier, r.account, r.series, r.model, toUnixTimestamp64Milli(r.received_at)),
        (r.received_at, r.submission, r.row), r.outcome = 'supplier_not_authorised') AS offer,
    argMaxIf(r.outcome, r.entry, r.outcome IN ('registered', 'invalidated')) AS standing,
    argMaxIf((r.status, toUnixTimestamp64Milli(r.received_at)), r.entry, r.entry > 0) AS latest,
    minIf(toUnixTimestamp64Milli(r.received_at), r.outcome = 'registered') AS registered_at,
    arraySort(groupUniqArrayIf(r.supplier_key, r.outcome = 'conflict')) AS refused
FROM serial_rows AS r
WHERE product = {product:String} AND serial_key IN ${asked}
    AND toInt64(origin) <= {upTo:Array(Int64)}[partition + 1]
GROUP BY serial_key, holder_key`;
}

/** Tuples come as lists, whatever the server calls their parts. */
export const gatheredSettings = { output_format_json_named_tuples_as_objects: 0 } as const;

/** Undefined when the serial was neither entered under the holder nor offered without authority. */
export function entryOf(product: string, gathered: Gathered): LedgerEntry | undefined {
  const { serial_key, holder_key, entry, registration, offer, registered_at, refused } = gathered;
  const offeredAt = offer[5];
  if (entry === 0 && offeredAt === 0) return undefined;
  const [holder, supplier, account, series, model] = entry > 0 ? registration : offer;
  const heldBy = registration[5];
  return {
    product,
    serial_key,
    holder_key,
    holder,
    supplier,
    account,
    series,
    model,
    outcome: entry > 0 ? gathered.standing : 'supplier_not_authorised',
    status: entry > 0 ? gathered.latest[0] : '',
    entered_at: entry > 0 ? gathered.latest[1] : offeredAt,
    entry,
    registered_at,
    held_by: heldBy,
    disputed_by: refused.filter((other) => other !== heldBy),
  };
}

const gatheredQuery = `${gatheredOf('{keys:Array(String)}')} ORDER BY serial_key, holder_key`;

interface ListingRow {
  readonly product: string;
  readonly holder_key: string;
  readonly series: string;
  readonly model_key: string;
  readonly approved: string;
  readonly expires: string;
  readonly snapshot: string;
  readonly usable_kwh: string;
  readonly nominal_kwh: string;
}

/** WIN-5: the union of all snapshots that the newest publication of a product stands for. */
const publicationsQuery = `
SELECT product, argMax(publication, published_at) AS publication, argMax(snapshots, published_at) AS snapshots
FROM list_publications WHERE product IN {products:Array(String)} GROUP BY product ORDER BY product`;

/** Those that evidence named. */
const earlierPublicationsQuery = `
SELECT product, publication, argMax(p.snapshots, p.published_at) AS snapshots
FROM list_publications AS p
WHERE product IN {products:Array(String)} AND publication IN {publications:Array(String)}
GROUP BY product, publication ORDER BY product`;

interface Publication {
  readonly product: string;
  readonly publication: string;
  readonly snapshots: readonly string[];
}

const listingsQuery = `
SELECT product, holder_key, series, model_key, toString(l.approved) AS approved, toString(l.expires) AS expires,
    max(l.snapshot) AS snapshot, argMax(l.usable_kwh, l.snapshot) AS usable_kwh,
    argMax(l.nominal_kwh, l.snapshot) AS nominal_kwh
FROM listings AS l
WHERE product IN {products:Array(String)} AND l.snapshot IN {snapshots:Array(String)}
    AND holder_key IN {holders:Array(String)} AND model_key IN {models:Array(String)}
GROUP BY product, holder_key, series, model_key, l.approved, l.expires
ORDER BY approved, expires, snapshot`;

/** A copy of a ruling counts where it stands first. */
const rulingsOf = (test: string) => `
SELECT kind, product, holder_key, model_key, serial_key, any(reason) AS reason, any(from_day) AS from_day,
    any(held_by) AS held_by, any(disputed_by) AS disputed_by
FROM rulings
WHERE toInt64(offset) <= {upTo:Int64} AND ${test}
GROUP BY product, serial_key, holder_key, model_key, ruling, kind
ORDER BY min(offset)`;

const rulingsQuery = rulingsOf(`product IN {products:Array(String)}
    AND (model_key IN {models:Array(String)} OR serial_key IN {serials:Array(String)})`);

/** On whatever subject, in the order of the log. */
export function allRulings(clickhouse: Clickhouse, upTo: number): Promise<RulingFacts[]> {
  return clickhouse.query<RulingFacts>(rulingsOf('true'), { upTo });
}

async function readRulings(
  clickhouse: Clickhouse,
  serials: readonly AskedSerial[],
  models: readonly ModelKey[],
  upTo: number,
): Promise<RulingsAnswer> {
  if (upTo < 0) return { offset: -1, rulings: [] };
  const rulings = await clickhouse.query<RulingFacts>(rulingsQuery, {
    upTo,
    products: [...new Set([...serials, ...models].map(({ product }) => product))],
    // What has no model or no serial must not be found by an empty one.
    models: [...new Set(models.map(({ model_key }) => model_key))].filter((key) => key !== ''),
    serials: [...new Set(serials.map(({ serial_key }) => serial_key))].filter((key) => key !== ''),
  });
  return { offset: upTo, rulings };
}

async function newestRuling(clickhouse: Clickhouse): Promise<number> {
  const [newest] = await clickhouse.query<{ offset: number }>(
    'SELECT toInt64(max(offset)) AS offset FROM rulings HAVING count() > 0',
  );
  return newest?.offset ?? -1;
}

async function readListings(
  clickhouse: Clickhouse,
  models: readonly ModelKey[],
  snapshot: string | undefined,
): Promise<Listings> {
  const products = [...new Set(models.map(({ product }) => product))];
  if (products.length === 0) return { snapshot: '', products: new Set(), models: [] };
  const publications =
    snapshot === undefined
      ? await clickhouse.query<Publication>(publicationsQuery, { products })
      : await clickhouse.query<Publication>(earlierPublicationsQuery, {
          products,
          publications: snapshot.split(' '),
        });
  if (publications.length === 0) return { snapshot: '', products: new Set(), models: [] };
  const rows = await clickhouse.query<ListingRow>(listingsQuery, {
    products,
    snapshots: publications.flatMap(({ snapshots }) => snapshots),
    holders: [...new Set(models.map(({ holder_key }) => holder_key))],
    models: [...new Set(models.map(({ model_key }) => model_key))],
  });
  return {
    snapshot: publications.map(({ publication }) => publication).join(' '),
    products: new Set(publications.map(({ product }) => product)),
    models: listedModels(models, rows),
  };
}

/** Models are told apart by holder and name, as in the published lists; no list needs the series for it. */
function listedModels(models: readonly ModelKey[], rows: readonly ListingRow[]): readonly ListedModel[] {
  const byName = new Map<string, ListingRow[]>();
  for (const row of rows) {
    const name = joinKey(row.product, row.holder_key, row.model_key);
    const known = byName.get(name);
    if (known) known.push(row);
    else byName.set(name, [row]);
  }
  return models.map((model) => {
    const own = byName.get(joinKey(model.product, model.holder_key, model.model_key)) ?? [];
    const newest = own.reduce<ListingRow | undefined>(
      (latest, row) => (!latest || row.snapshot > latest.snapshot ? row : latest),
      undefined,
    );
    return {
      ...model,
      windows: own.map(({ approved, expires, snapshot }): ListingWindow => ({ approved, expires, snapshot })),
      usable_kwh: newest?.usable_kwh ?? '',
      nominal_kwh: newest?.nominal_kwh ?? '',
    };
  });
}
