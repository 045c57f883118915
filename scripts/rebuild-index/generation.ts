import { keys as claimKeys, slotKeys } from '#certificate/decide/claims-state.ts';
import { bucketKey, indexKeys } from '#dedup/layout.ts';
import {
  beginGeneration,
  type IndexGeneration,
  type IndexScope,
  knownGenerations,
  newHashKey,
  recordReady,
} from '#shared/adapters/clickhouse/index-generations.ts';
import { indexPrefix, topicsGeneration } from '#shared/adapters/kafka/topics.ts';
import { type RedisClient, translated } from '#shared/adapters/redis/client.ts';
import { IndexBuilder } from '#shared/adapters/redis/index-builder.ts';
import { buildingKey, stateKey } from '#shared/adapters/redis/state-store.ts';
import { OperationalError } from '#shared/base/errors.ts';
import type { RecoveryContext } from '../recovery/context.ts';

export function indexScope(scope: string): IndexScope {
  return { scope, topicGeneration: topicsGeneration };
}

/** The generation that workers use, or would if Redis had it; undefined when there has never been one. */
export async function currentGeneration(
  { clickhouse }: RecoveryContext,
  scope: string,
): Promise<IndexGeneration | undefined> {
  return (await knownGenerations(clickhouse, indexScope(scope))).find(({ ready }) => ready);
}

/**
 * Builds a new generation of a scope with `fill`, switches to it, says so in ClickHouse, and frees what came before it.
 * Dying anywhere in between leaves either the former generation in use, or a scope whose workers wait for another rebuild.
 */
export async function rebuildGeneration<T>(
  context: RecoveryContext,
  former: IndexGeneration,
  options: {
    readonly scope: string;
    /** Lays the index out anew for so many buckets, under a new hash key. As it was when absent. */
    readonly newBuckets?: number;
    readonly fill: (builder: IndexBuilder, generation: IndexGeneration) => Promise<T>;
  },
): Promise<{ readonly generation: IndexGeneration; readonly filled: T }> {
  const { clickhouse, redis } = context;
  const scope = indexScope(options.scope);
  const layout =
    options.newBuckets === undefined ? former : { hashKey: newHashKey(), buckets: options.newBuckets };
  const generation = await beginGeneration(clickhouse, scope, {
    hashKey: layout.hashKey,
    buckets: layout.buckets,
  });
  const builder = new IndexBuilder(redis, indexPrefix, {
    name: options.scope,
    generation: generation.generation,
  });
  await builder.begin();
  const filled = await options.fill(builder, generation);
  if ((await builder.switch()) === 'superseded')
    throw new OperationalError(
      'superseded',
      `another rebuild of {${options.scope}} has ended meanwhile: its generation is in use`,
      { retryable: false },
    );
  await recordReady(clickhouse, scope, generation);
  await forgetFormer(context, scope, generation);
  return { generation, filled };
}

/** Frees the keys of every generation before this one: those that were in use, and those that were never finished. */
async function forgetFormer(
  { clickhouse, redis }: RecoveryContext,
  scope: IndexScope,
  current: IndexGeneration,
): Promise<void> {
  for (const known of await knownGenerations(clickhouse, scope)) {
    if (Number(known.generation) >= Number(current.generation)) continue;
    await unlinkGeneration(redis, scope.scope, known);
  }
}

const unlinkedAtOnce = 1_000;

/** Frees every key of one generation that is not in use. */
export async function unlinkGeneration(
  redis: RedisClient,
  scope: string,
  { generation, buckets }: Pick<IndexGeneration, 'generation' | 'buckets'>,
): Promise<void> {
  const names = stateNames(scope, buckets).map((name) =>
    stateKey(indexPrefix, { name: scope, generation }, name),
  );
  for (let from = 0; from < names.length; from += unlinkedAtOnce)
    await translated(
      redis.unlink(...names.slice(from, from + unlinkedAtOnce)),
      'freeing a generation of the index',
    );
}

/** Every key that the state of a scope can have, without the generation's name. */
export function stateNames(scope: string, buckets: number): readonly string[] {
  const common = ['position', 'journal', buildingKey];
  if (scope === 'claims') return [...common, ...Object.values(claimKeys), ...slotKeys()];
  return [...common, ...Object.values(indexKeys), ...Array.from({ length: buckets }, (_, i) => bucketKey(i))];
}
