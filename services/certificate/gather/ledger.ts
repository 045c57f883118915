import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import { assert } from '#shared/base/errors.ts';
import { joinKey } from '#shared/base/keys.ts';
import type { Codec } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { tick } from '#shared/domain/batches.ts';
import type { ListingWindow } from '#shared/domain/claims/claim.ts';
import type { ModelKey } from '#shared/domain/claims/index.ts';
import type { SerialBatch } from '#shared/domain/serials.ts';
import type { AskedSerial, LedgerEntry, LedgerPorts, ListedModel, Listings } from './questions.ts';

/** Serials of one query: beyond a few thousand, two queries cost less than one. */
const querySerialsMax = 2_000;

/**
 * The ledger on the real engines. `clickhouse` must be one replica, not a balancer over several: watermark and rows are
 * read from the same one (Q1).
 */
export function createLedger(options: {
  readonly clickhouse: Clickhouse;
  readonly publisher: Publisher;
  readonly codec: Codec;
  /** Partitions of the serials. */
  readonly partitions: number;
}): LedgerPorts {
  const { clickhouse, publisher, codec, partitions } = options;
  const batches = codec.encoder<SerialBatch>('SerialBatch');
  const tickBytes = batches.encode({ ...tick, records: [] });
  const tickHeaders = writeHeaders({ submission: '', batch: 0, rows: 0, deadRows: 0, receivedAt: 0 });

  return {
    async tick(asked) {
      const messages = asked.map((partition) => ({ partition, value: tickBytes, headers: tickHeaders }));
      const offsets = await publisher.send(topicName('serials.submitted'), messages);
      for (const partition of asked)
        assert(offsets.has(partition), `the tick of partition ${partition} has no offset`);
      return offsets;
    },

    async watermarks() {
      const rows = await clickhouse.query<{ partition: number; origin: number }>(
        'SELECT partition, max(origin) AS origin FROM watermarks WHERE topic = {topic:String} GROUP BY partition',
        { topic: topicName('serials.decided') },
      );
      return new Map(rows.map(({ partition, origin }) => [partition, origin]));
    },

    async entries(serials, watermarks) {
      const upTo = Array.from({ length: partitions }, (_, partition) => watermarks.get(partition) ?? -1);
      const found: LedgerEntry[] = [];
      for (const { product, keys } of queriesOf(serials))
        found.push(...(await clickhouse.query<LedgerEntry>(entriesQuery, { product, keys, upTo })));
      return found;
    },

    listings: (models) => readListings(clickhouse, models),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
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

/**
 * Rows above the watermark of their partition are left out: up to it everything is there, above it perhaps not, and
 * evidence must be a function of the log. Facts are those of the latest registration, the state that of the latest entry.
 * A refused registration is a conflict as long as another supplier holds the serial.
 */
const entriesQuery = `
SELECT {product:String} AS product, serial_key, holder_key,
    registration.1 AS holder, registration.2 AS supplier, registration.3 AS account, registration.4 AS series,
    registration.5 AS model, latest.1 AS outcome, latest.2 AS status, latest.3 AS entered_at,
    entry, registered_at, conflict
FROM
(
    SELECT serial_key, holder_key, max(r.entry) AS entry,
        argMaxIf((holder, supplier, account, series, model), r.entry, r.outcome = 'registered') AS registration,
        argMaxIf((outcome, status, toUnixTimestamp64Milli(received_at)), r.entry, r.entry > 0) AS latest,
        minIf(toUnixTimestamp64Milli(received_at), r.outcome = 'registered') AS registered_at,
        argMaxIf(supplier_key, r.entry, r.outcome = 'registered') AS holding,
        toBool(arrayExists(other -> other != holding, groupUniqArrayIf(supplier_key, r.outcome = 'conflict')))
            AS conflict
    FROM serial_rows AS r
    WHERE product = {product:String} AND serial_key IN {keys:Array(String)}
        AND toInt64(origin) <= {upTo:Array(Int64)}[partition + 1]
    GROUP BY serial_key, holder_key
    HAVING entry > 0
)
ORDER BY serial_key, holder_key`;

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

const listingsQuery = `
SELECT product, holder_key, series, model_key, toString(l.approved) AS approved, toString(l.expires) AS expires,
    max(l.snapshot) AS snapshot, argMax(l.usable_kwh, l.snapshot) AS usable_kwh,
    argMax(l.nominal_kwh, l.snapshot) AS nominal_kwh
FROM listings AS l
WHERE product IN {products:Array(String)} AND l.snapshot IN {snapshots:Array(String)}
    AND holder_key IN {holders:Array(String)} AND model_key IN {models:Array(String)}
GROUP BY product, holder_key, series, model_key, l.approved, l.expires
ORDER BY approved, expires, snapshot`;

async function readListings(clickhouse: Clickhouse, models: readonly ModelKey[]): Promise<Listings> {
  const products = [...new Set(models.map(({ product }) => product))];
  if (products.length === 0) return { snapshot: '', products: new Set(), models: [] };
  const publications = await clickhouse.query<{ product: string; publication: string; snapshots: string[] }>(
    publicationsQuery,
    { products },
  );
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
      authority: 'not_checked',
      ineligible: '',
    };
  });
}
