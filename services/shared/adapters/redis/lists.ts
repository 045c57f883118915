import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ChainableCommander } from 'ioredis';
import { OperationalError } from '#shared/base/errors.ts';
import type { Clickhouse } from '../clickhouse/client.ts';
import {
  type ListKeys,
  type Publication,
  recordPublication,
  refreshKeys,
  type Snapshot,
  snapshotsOf,
  type UnionRow,
  unionOf,
} from '../clickhouse/lists.ts';
import { type RedisClient, translated } from './client.ts';

/** A row of an approved list, as the domain's `ListingRow`. */
export interface ListedRow {
  readonly holder: string;
  readonly brand: string;
  readonly series: string;
  readonly model: string;
  readonly approved: string;
  readonly expires: string;
  readonly current: boolean;
  readonly nominalKwh: string;
  readonly usableKwh: string;
  readonly acPowerKw: string;
}

type LookUp = (
  keyCount: number,
  ...keysAndArguments: string[]
) => Promise<'unavailable' | readonly (string | null)[]>;

/**
 * Approved lists, as published in Redis. A publication is the union of all snapshots of a product; its id goes into the
 * finding, and `list_publications` in ClickHouse says which snapshots it stands for.
 */
export class ApprovedLists {
  readonly #redis: RedisClient & { lookUpListings: LookUp };
  readonly #keys: ListKeys;
  /** Models found before, by publication, the last one used at the end: a publication never changes. */
  readonly #known = new Map<string, Map<string, readonly ListedRow[]>>();

  constructor(redis: RedisClient, keys: ListKeys) {
    redis.defineCommand('lookUpListings', {
      lua: readFileSync(new URL('./lists.lua', import.meta.url), 'utf8'),
    });
    this.#redis = redis as RedisClient & { lookUpListings: LookUp };
    this.#keys = keys;
  }

  /**
   * The publication that new batches shall use. `unavailable`: none was published, or Redis lost it; to be asked again,
   * and never to be taken for an empty list.
   * @throws OperationalError when Redis does not answer
   */
  async currentSnapshot(product: string): Promise<string | 'unavailable'> {
    const current = await translated(
      this.#redis.get(currentKey(product, this.#keys.version)),
      'looking for the approved list',
    );
    return current ?? 'unavailable';
  }

  /**
   * What a publication says of models, all in one step (V2). A key that the map lacks is not listed.
   *
   * Models found before are not asked for again, yet every call asks whether the publication is still there as a whole:
   * what is remembered here never hides that a list was lost.
   * @param snapshot from `currentSnapshot`; one for a whole batch
   * @param keys made by `listingKey`; repeated ones are looked up once
   * @throws OperationalError when Redis does not answer
   */
  async lookupListings(
    product: string,
    snapshot: string,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, readonly ListedRow[]> | 'unavailable'> {
    const known = this.#knownOf(snapshot);
    const distinct = new Set(keys);
    const asked = [...distinct].filter((key) => !known.has(key));
    const { described, members, details } = publicationKeys(product, snapshot);
    const answer = await translated(
      this.#redis.lookUpListings(3, described, members, details, snapshot, ...asked),
      'looking up the approved list',
    );
    if (answer === 'unavailable') return answer;
    for (const [index, key] of asked.entries()) {
      const text = answer[index];
      if (text) known.set(key, (JSON.parse(text) as PackedRow[]).map(unpackRow));
    }
    const found = new Map<string, readonly ListedRow[]>();
    for (const key of distinct) {
      const rows = known.get(key);
      if (rows !== undefined) found.set(key, rows);
    }
    return found;
  }

  #knownOf(snapshot: string): Map<string, readonly ListedRow[]> {
    const known = this.#known.get(snapshot) ?? new Map<string, readonly ListedRow[]>();
    this.#known.delete(snapshot);
    this.#known.set(snapshot, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > publicationsRemembered && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}

/** One for each product, and one before it. */
const publicationsRemembered = 6;

export type { ListKeys } from '../clickhouse/lists.ts';

export interface PublishOptions {
  readonly keys: ListKeys;
  readonly now: () => Date;
  /** Publications that stay as they are; older ones live on for `retireSeconds`, for batches that still use them. */
  readonly kept?: number;
  readonly retireSeconds?: number;
}

export interface Published extends Publication {
  /** false: Redis had it as a whole already. */
  readonly written: boolean;
}

/**
 * Publishes the union of all snapshots of a product in Redis, and points to it last. Also what restores a Redis that
 * lost its lists: everything comes from ClickHouse, and the same snapshots give the same publication.
 *
 * When a snapshot arrives meanwhile, it starts again: of several instances that publish at once, whichever ends last has
 * seen all snapshots, so the pointer cannot stay behind.
 * @throws OperationalError `lists_missing` when there is no snapshot; an empty list is never published
 */
export async function publishLists(
  clickhouse: Clickhouse,
  redis: RedisClient,
  product: string,
  options: PublishOptions,
): Promise<Published> {
  await refreshKeys(clickhouse, product, options.keys);
  let snapshots = await snapshotsOf(clickhouse, product);
  for (;;) {
    const published = await publishUnion(clickhouse, redis, product, snapshots, options);
    const now = await snapshotsOf(clickhouse, product);
    if (now.length === snapshots.length) return published;
    snapshots = now;
  }
}

/** The id under which these snapshots are published, whoever publishes them. */
export function publicationId(product: string, snapshots: readonly Snapshot[], keyVersion: number): string {
  const names = snapshots.map(({ snapshot }) => snapshot).sort();
  const hash = createHash('sha256').update([`keys ${keyVersion}`, `format ${format}`, ...names].join('\n'));
  const latest = snapshots.at(-1)?.taken_on.replaceAll('-', '') ?? 'none';
  return `${product}-${latest}-${snapshots.length}-${hash.digest('hex').slice(0, 12)}`;
}

async function publishUnion(
  clickhouse: Clickhouse,
  redis: RedisClient,
  product: string,
  snapshots: readonly Snapshot[],
  options: PublishOptions,
): Promise<Published> {
  const latest = snapshots.at(-1)?.snapshot;
  if (latest === undefined) throw missing(`no approved list of kind ${product} was imported yet`);
  const names = snapshots.map(({ snapshot }) => snapshot);
  const models = packModels(await unionOf(clickhouse, product, names, latest), options.keys);
  if (models.size === 0) throw missing(`the snapshots ${names.join(', ')} have no rows in ClickHouse`);
  const publication: Publication = {
    product,
    publication: publicationId(product, snapshots, options.keys.version),
    latest,
    snapshots: names,
    models: models.size,
  };
  await recordPublication(clickhouse, publication, options.now());
  const written = await translated(
    writePublication(redis, publication, models),
    `publishing the approved list of kind ${product}`,
  );
  await translated(
    pointTo(redis, publication, options),
    `switching to the approved list ${publication.publication}`,
  );
  return { ...publication, written };
}

function missing(message: string): OperationalError {
  return new OperationalError('lists_missing', message, { retryable: false });
}

/** Rises when what is kept of a model changes its form. */
const format = 1;

type PackedRow = readonly [
  holder: string,
  brand: string,
  series: string,
  model: string,
  approved: string,
  expires: string,
  current: 0 | 1,
  nominalKwh: string,
  usableKwh: string,
  acPowerKw: string,
];

function packModels(rows: readonly UnionRow[], keys: ListKeys): ReadonlyMap<string, string> {
  const models = new Map<string, PackedRow[]>();
  for (const row of rows) {
    const key = keys.of(row.holder, row.model);
    const packed = models.get(key);
    if (packed === undefined) models.set(key, [packRow(row)]);
    else packed.push(packRow(row));
  }
  return new Map([...models].map(([key, packed]) => [key, JSON.stringify(packed)]));
}

function packRow(row: UnionRow): PackedRow {
  const { holder, brand, series, model, approved, expires, current } = row;
  return [
    holder,
    brand,
    series,
    model,
    approved,
    expires,
    current,
    row.nominal_kwh,
    row.usable_kwh,
    row.ac_power_kw,
  ];
}

function unpackRow(row: PackedRow): ListedRow {
  const [holder, brand, series, model, approved, expires, current, nominalKwh, usableKwh, acPowerKw] = row;
  return {
    holder,
    brand,
    series,
    model,
    approved,
    expires,
    current: current === 1,
    nominalKwh,
    usableKwh,
    acPowerKw,
  };
}

function currentKey(product: string, keyVersion: number): string {
  return `lists:{${product}}:k${keyVersion}:current`;
}

function historyKey(product: string, keyVersion: number): string {
  return `lists:{${product}}:k${keyVersion}:history`;
}

function publicationKeys(
  product: string,
  publication: string,
): { readonly described: string; readonly members: string; readonly details: string } {
  const start = `lists:{${product}}:${publication}`;
  return { described: start, members: `${start}:keys`, details: `${start}:details` };
}

const chunkModels = 1_000;

/**
 * Writes members and details, and the description last: until then every look-up answers "unavailable". What is there
 * already is left: of the same publication everybody writes the same, so that two at once do not disturb each other, and
 * one that died half-way is completed.
 * @returns false when it was there as a whole
 */
async function writePublication(
  redis: RedisClient,
  publication: Publication,
  models: ReadonlyMap<string, string>,
): Promise<boolean> {
  const { described, members, details } = publicationKeys(publication.product, publication.publication);
  // It may be one that was about to retire.
  await run(redis.multi().persist(described).persist(members).persist(details));
  const before = await lookAt(redis, publication, models);
  if (before === 'whole') return false;
  if (before === 'strange') await redis.del(described, members, details);
  for (const chunk of chunksOf(models)) {
    await run(
      redis
        .multi()
        .sadd(members, ...chunk.map(([key]) => key))
        .hset(details, ...chunk.flat()),
    );
  }
  const { publication: id, latest, models: count } = publication;
  await redis.hset(described, { publication: id, models: count, latest });
  if ((await lookAt(redis, publication, models)) === 'whole') return true;
  throw new OperationalError(
    'lists_incomplete',
    `${id} is not whole after it was written: publish it again`,
    {
      retryable: true,
    },
  );
}

/** Compares everything, so that publishing repairs whatever happened. `strange`: has what does not belong to it. */
async function lookAt(
  redis: RedisClient,
  publication: Publication,
  models: ReadonlyMap<string, string>,
): Promise<'whole' | 'partial' | 'strange'> {
  const { described, members, details } = publicationKeys(publication.product, publication.publication);
  const [description, memberCount, detailCount] = await Promise.all([
    redis.hmget(described, 'publication', 'models'),
    redis.scard(members),
    redis.hlen(details),
  ]);
  let kept = 0;
  for (const chunk of chunksOf(models)) {
    const keys = chunk.map(([key]) => key);
    const [isMember, texts] = await Promise.all([
      redis.smismember(members, ...keys),
      redis.hmget(details, ...keys),
    ]);
    for (const [index, [, text]] of chunk.entries())
      if (isMember[index] === 1 && texts[index] === text) kept++;
  }
  if (memberCount > models.size || detailCount > models.size) return 'strange';
  if (kept < models.size) return memberCount === models.size ? 'strange' : 'partial';
  const { publication: id } = publication;
  return description[0] === id && description[1] === String(models.size) ? 'whole' : 'partial';
}

function* chunksOf(models: ReadonlyMap<string, string>): Generator<readonly [string, string][]> {
  const entries = [...models];
  for (let at = 0; at < entries.length; at += chunkModels) yield entries.slice(at, at + chunkModels);
}

const keptDefault = 5;
const retireSecondsDefault = 86_400;

/** Switches new batches over. What was published before stays for the batches that use it. */
async function pointTo(redis: RedisClient, publication: Publication, options: PublishOptions): Promise<void> {
  const { product, publication: id } = publication;
  const { version } = options.keys;
  const history = historyKey(product, version);
  await run(redis.multi().zadd(history, options.now().getTime(), id).set(currentKey(product, version), id));
  const old = await redis.zrange(history, 0, String(-(options.kept ?? keptDefault) - 1));
  for (const retired of old) {
    if (retired === id) continue;
    const { described, members, details } = publicationKeys(product, retired);
    const seconds = options.retireSeconds ?? retireSecondsDefault;
    await run(
      redis
        .multi()
        .expire(described, seconds)
        .expire(members, seconds)
        .expire(details, seconds)
        .zrem(history, retired),
    );
  }
}

/** All commands of a transaction, or its first error. */
async function run(transaction: ChainableCommander): Promise<void> {
  for (const [error] of (await transaction.exec()) ?? []) if (error) throw error;
}
