import { expect } from 'vitest';
import { until } from '#scripts/demo/client.ts';
import type { ListedModel } from '#scripts/demo/planted.ts';
import { type EngineUrls, urlEnv } from '#scripts/engines/engines.ts';
import type { Fleet } from '#scripts/fleet.ts';
import { currentGeneration } from '#scripts/rebuild-index/generation.ts';
import { openContext, type RecoveryContext } from '#scripts/recovery/context.ts';
import { watermarkOf } from '#scripts/recovery/ledger.ts';
import { runScript } from '#scripts/run-script.ts';
import { checkConservation } from '#shared/adapters/clickhouse/conservation.ts';
import { indexPrefix, topicName } from '#shared/adapters/kafka/topics.ts';
import { stateKey } from '#shared/adapters/redis/state-store.ts';
import type { GatewayLog, RawSubmission } from './gateway-log.ts';
import type { RawRow } from './serial-record.ts';

/** The engines as tools see them. */
export function recoveryContext(urls: EngineUrls): { context: RecoveryContext; close(): Promise<void> } {
  const opened = openContext('test', { ...urlEnv(urls), TOPICS_PROFILE: 'local' });
  if ('faults' in opened) throw new Error(opened.faults.join('\n'));
  return opened;
}

/** What was submitted so far, and what must become of it. */
export class Submitted {
  readonly outcomes: Record<string, number> = {};
  readonly #log: GatewayLog;
  readonly #context: RecoveryContext;
  readonly #models: readonly ListedModel[];
  #submissions = 0;

  constructor(log: GatewayLog, context: RecoveryContext, models: readonly ListedModel[]) {
    this.#log = log;
    this.#context = context;
    this.#models = models;
  }

  /** Serials of a prefix, numbered; a number has the same model whenever it is asked for. */
  rows(prefix: string, from: number, to: number, supplier: string, more: Partial<RawRow> = {}): RawRow[] {
    return Array.from({ length: to - from }, (_, i) => {
      const { holder, model } = this.#models[(from + i) % 20]!;
      return { supplier, holder, model, serial: `${prefix}${from + i}`, ...more };
    });
  }

  /** @param outcome rows by what must become of them, whatever happens meanwhile */
  async submit(
    rows: readonly RawRow[],
    outcome: Readonly<Record<string, number>>,
    action = 'register',
    more: Pick<RawSubmission, 'damaged'> = {},
  ): Promise<string> {
    const id = await this.#log.submit({ rows, action, batchRows: 100, ...more });
    this.#submissions += 1;
    this.expect(outcome);
    return id;
  }

  /** More outcomes, of rows that were submitted before. */
  expect(outcome: Readonly<Record<string, number>>): void {
    for (const [kind, count] of Object.entries(outcome))
      this.outcomes[kind] = (this.outcomes[kind] ?? 0) + count;
  }

  /** Everything is in the ledger, and every row has the outcome that it must have. */
  async decided(): Promise<void> {
    await allFinal(this.#context, this.#submissions);
    expect(await outcomes(this.#context)).toEqual(this.outcomes);
  }
}

/** Reconcile, as an operator runs it. */
export async function expectNothingDiffers(urls: EngineUrls): Promise<void> {
  const { code, out, err } = await runScript(urls, 'reconcile', '--patience', '60');
  expect({ code, out, err }).toMatchObject({ code: 0 });
  expect(out).toContain('nothing differs');
}

/** What a service answers who asks whether it is ready. */
export async function readyz(
  fleet: Fleet,
  name: string,
): Promise<{ status: number; body: Record<string, string> }> {
  const { addresses } = fleet.services.find(({ service }) => service === name)!;
  const response = await fetch(`${addresses.ops}/readyz`);
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

/** Everything of these submissions is in the ledger, and every row has its outcome. */
export async function allFinal(context: RecoveryContext, submissions: number, timeoutMs = 120_000) {
  const decidedTopic = topicName('serials.decided');
  const { partitions } = context;
  return until(
    `${submissions} submissions`,
    () => checkConservation(context.clickhouse, { decidedTopic, partitions, since: 0, examplesMax: 5 }),
    ({ checked, pending }) => checked >= submissions && pending === 0,
    timeoutMs,
  );
}

/** Rows by outcome, of all submissions. */
export async function outcomes(context: RecoveryContext): Promise<Record<string, number>> {
  const rows = await context.clickhouse.query<{ outcome: string; rows: number }>(
    `SELECT outcome, sum(rows) AS rows FROM (
        SELECT arrayJoin(CAST(outcomes, 'Array(Tuple(String, UInt32))')) AS pair, pair.1 AS outcome, pair.2 AS rows
        FROM batch_outcomes FINAL) GROUP BY outcome ORDER BY outcome`,
  );
  return Object.fromEntries(rows.map(({ outcome, rows: count }) => [outcome, count]));
}

/** The index stands where the ledger does: nothing is on its way. */
export async function still(context: RecoveryContext, scopes: readonly string[]): Promise<void> {
  for (const scope of scopes)
    await until(
      `{${scope}} to stand still`,
      async () => {
        const [topic, partition] =
          scope === 'claims' ? ['claims.decided', 0] : ['serials.decided', Number(scope)];
        const generation = await currentGeneration(context, scope);
        if (!generation) return true;
        const key = (name: string) =>
          stateKey(indexPrefix, { name: scope, generation: generation.generation }, name);
        const position = Number((await context.redis.hget(key('position'), 'position')) ?? -2);
        const journal = await context.redis.hlen(key('journal'));
        const mark = await watermarkOf(context.clickhouse, topic as string, partition as number);
        return position === mark && journal === 0;
      },
      Boolean,
      60_000,
    );
}

/**
 * Everything that Redis holds for a scope, byte for byte, under names without the generation. Left out: where to read on
 * (a rebuild begins at the start of the log, R1).
 */
export async function dumpIndex(context: RecoveryContext, scope: string): Promise<Record<string, unknown>> {
  const generation = await currentGeneration(context, scope);
  if (!generation) return {};
  const dump: Record<string, unknown> = { layout: [generation.hashKey, generation.buckets] };
  const start = stateKey(indexPrefix, { name: scope, generation: generation.generation }, '');
  for (const key of (await context.redis.keys(`${start}*`)).sort()) {
    const name = key.slice(start.length);
    switch (await context.redis.type(key)) {
      case 'hash':
        dump[name] = pairs((await context.redis.callBuffer('HGETALL', key)) as Buffer[], ['seek']);
        break;
      case 'zset':
        dump[name] = pairs(
          ((await context.redis.callBuffer('ZRANGE', key, 0, -1, 'WITHSCORES')) as Buffer[][]).flat(),
          [],
        );
        break;
      case 'none':
        break;
      default:
        dump[name] = await context.redis.get(key);
    }
  }
  return dump;
}

function pairs(list: readonly Buffer[], without: readonly string[]): readonly string[] {
  const texts: string[] = [];
  for (let at = 0; at < list.length; at += 2)
    if (!without.includes(String(list[at])))
      texts.push(`${list[at]!.toString('hex')}=${list[at + 1]!.toString('hex')}`);
  return texts.sort();
}
