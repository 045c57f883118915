import { randomBytes } from 'node:crypto';
import type { Scope, StateStore } from '#shared/runtime/state-store.ts';
import type { Clickhouse } from './client.ts';

/** One generation of an index, as ClickHouse knows it. */
export interface IndexGeneration {
  readonly generation: string;
  readonly hashKey: string;
  readonly buckets: number;
}

/**
 * The generation of a scope that may be used, begun when there has never been one (D7). Numbers come from ClickHouse and
 * are never used twice. `preparing` is written before Redis knows the number and `ready` after: a process that dies in
 * between has decided nothing, and the next one begins a new number. Two that begin at once are harmless: the higher
 * number wins, starts at the beginning of the log, and decides the same.
 */
export async function openGeneration(
  clickhouse: Clickhouse,
  store: StateStore,
  options: { scope: string; topicGeneration: number; buckets: number },
): Promise<IndexGeneration> {
  const known = await newestGenerations(clickhouse, options);
  if (known.ready) return known.ready;
  const begun = {
    generation: String(known.highest + 1),
    hashKey: randomBytes(16).toString('hex'),
    buckets: options.buckets,
  };
  await record(clickhouse, options, begun, 'preparing');
  const scope: Scope = { name: options.scope, generation: begun.generation };
  await store.activate(scope);
  await record(clickhouse, options, begun, 'ready');
  return (await newestGenerations(clickhouse, options)).ready ?? begun;
}

async function newestGenerations(
  clickhouse: Clickhouse,
  options: { scope: string; topicGeneration: number },
): Promise<{ highest: number; ready?: IndexGeneration }> {
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
    { scope: options.scope, topicGeneration: options.topicGeneration },
  );
  const ready = rows.find((row) => row.ready === 1);
  return {
    highest: rows[0]?.generation ?? 0,
    ...(ready
      ? { ready: { generation: String(ready.generation), hashKey: ready.hash_key, buckets: ready.buckets } }
      : {}),
  };
}

async function record(
  clickhouse: Clickhouse,
  options: { scope: string; topicGeneration: number },
  begun: IndexGeneration,
  state: 'preparing' | 'ready',
): Promise<void> {
  await clickhouse.insertRows('index_generations', [
    {
      scope: options.scope,
      topic_generation: options.topicGeneration,
      generation: begun.generation,
      state,
      hash_key: begun.hashKey,
      buckets: begun.buckets,
    },
  ]);
}
