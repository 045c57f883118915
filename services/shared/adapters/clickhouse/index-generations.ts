import { randomBytes, randomInt } from 'node:crypto';
import { assert, OperationalError } from '#shared/base/errors.ts';
import type { Scope, StateStore } from '#shared/runtime/state-store.ts';
import type { Clickhouse } from './client.ts';

/** One generation of an index, as ClickHouse knows it. */
export interface IndexGeneration {
  readonly generation: string;
  readonly hashKey: string;
  readonly buckets: number;
}

export interface KnownGeneration extends IndexGeneration {
  /** Its first decision may have been made. */
  readonly ready: boolean;
}

export interface IndexScope {
  /** Hash tag of the scope's keys: the partition's number, or `claims`. */
  readonly scope: string;
  readonly topicGeneration: number;
}

/**
 * The generation of a scope that may be used, begun when there has never been one (D7). Numbers come from ClickHouse and
 * are never used twice. `preparing` is written before Redis knows the number and `ready` after: a process that dies in
 * between has decided nothing, and the next one begins a new number. Two that begin at once are harmless: the higher
 * number wins, starts at the beginning of the log, and decides the same. A generation that Redis lost is returned as it
 * is: every script refuses it, and the workers wait until it is rebuilt under a new number.
 */
export async function openGeneration(
  clickhouse: Clickhouse,
  store: StateStore,
  options: IndexScope & { readonly buckets: number },
): Promise<IndexGeneration> {
  const known = (await knownGenerations(clickhouse, options)).find(({ ready }) => ready);
  if (known) return known;
  const begun = await beginGeneration(clickhouse, options, {
    hashKey: newHashKey(),
    buckets: options.buckets,
  });
  const scope: Scope = { name: options.scope, generation: begun.generation };
  if ((await store.activate(scope)) === 'superseded')
    throw new OperationalError('no_index', `another generation of {${options.scope}} was begun meanwhile`, {
      retryable: true,
    });
  await recordReady(clickhouse, options, begun);
  return begun;
}

/** Every generation ever begun, the newest first. */
export async function knownGenerations(
  clickhouse: Clickhouse,
  { scope, topicGeneration }: IndexScope,
): Promise<readonly KnownGeneration[]> {
  const rows = await clickhouse.query<{
    generation: number;
    ready: number;
    hash_key: string;
    buckets: number;
  }>(
    `SELECT generation, max(state = 'ready') AS ready, any(hash_key) AS hash_key, any(buckets) AS buckets
     FROM index_generations
     WHERE scope = {scope:String} AND topic_generation = {topicGeneration:UInt32}
     GROUP BY generation ORDER BY generation DESC`,
    { scope, topicGeneration },
  );
  return rows.map(({ generation, ready, hash_key: hashKey, buckets }) => ({
    generation: String(generation),
    ready: ready === 1,
    hashKey,
    buckets,
  }));
}

/** Secret of a serial hash. */
export function newHashKey(): string {
  return randomBytes(16).toString('hex');
}

/** Two that begin at once see the same highest number: by chance they do not take the same next one. */
const leapMax = 1_000_000;

/** Takes a new number, higher than all before, and writes it down before anything is kept under it. */
export async function beginGeneration(
  clickhouse: Clickhouse,
  scope: IndexScope,
  layout: { readonly hashKey: string; readonly buckets: number },
): Promise<IndexGeneration> {
  const [newest] = await knownGenerations(clickhouse, scope);
  const generation = Number(newest?.generation ?? 0) + randomInt(1, leapMax);
  assert(
    Number.isSafeInteger(generation),
    `the numbers of index generations of {${scope.scope}} are used up`,
  );
  const begun = { generation: String(generation), ...layout };
  await record(clickhouse, scope, begun, 'preparing');
  return begun;
}

/** From now on the generation is the one that workers use. Written after Redis has it. */
export async function recordReady(
  clickhouse: Clickhouse,
  scope: IndexScope,
  begun: IndexGeneration,
): Promise<void> {
  await record(clickhouse, scope, begun, 'ready');
}

async function record(
  clickhouse: Clickhouse,
  { scope, topicGeneration }: IndexScope,
  { generation, hashKey, buckets }: IndexGeneration,
  state: 'preparing' | 'ready',
): Promise<void> {
  await clickhouse.insertRows('index_generations', [
    { scope, topic_generation: topicGeneration, generation, state, hash_key: hashKey, buckets },
  ]);
}
