import { idempotencyWindowMs, seenScore } from '#dedup/decider.ts';
import { indexKeys, newestField } from '#dedup/layout.ts';
import { indexPrefix } from '#shared/adapters/kafka/topics.ts';
import { translated } from '#shared/adapters/redis/client.ts';
import { stateKey } from '#shared/adapters/redis/state-store.ts';
import type { Bytes } from '#shared/runtime/state-store.ts';
import { count, type RecoveryContext } from '../recovery/context.ts';
import { newestReceipt, type SeenBatch, seenBatches } from '../recovery/seen-fold.ts';
import { caughtUp } from './caught-up.ts';
import type { LiveIndex } from './positions.ts';
import type { Report } from './report.ts';

const scoresAtOnce = 1_000;

interface Pinned {
  readonly position: number;
  readonly members: number;
  readonly newest: number;
}

/**
 * The batches that dedup remembers (D3), against those that the ledger decided within the window: each with its mark, and
 * as many as there are at one position. A batch that is forgotten too early would be decided twice.
 */
export async function checkSeen(
  context: RecoveryContext,
  report: Report,
  live: LiveIndex,
  patienceMs: number,
): Promise<void> {
  const { clickhouse } = context;
  const partition = Number(live.scope);
  const check = `batches seen of partition ${partition}`;
  const pinned = await pin(context, live);
  const scope = { name: live.scope, generation: live.generation.generation };
  await caughtUp(context, scope, pinned.position, patienceMs);
  const newest = await newestReceipt(clickhouse, partition, pinned.position);
  if (newest !== pinned.newest)
    report.differs(check, `the index counts the window from ${pinned.newest}, the ledger from ${newest}`);
  let batches = 0;
  if (newest > 0)
    for await (const block of seenBatches(clickhouse, { partition, cut: pinned.position, newest }))
      for (let from = 0; from < block.length; from += scoresAtOnce) {
        const some = block.slice(from, from + scoresAtOnce);
        batches += some.length;
        await compare(context, report, check, live, some);
      }
  if (pinned.members !== batches)
    report.differs(
      check,
      `the index remembers ${count(pinned.members)} batches at origin ${pinned.position}, the ledger has ${count(batches)} within the window`,
    );
  report.looked(check, `${count(batches)} batches of the last ${idempotencyWindowMs / 86_400_000} days`);
}

/** Position, number of members and end of the window, in one moment. */
async function pin({ redis }: RecoveryContext, live: LiveIndex): Promise<Pinned> {
  const answers = await translated(
    redis
      .multi()
      .hget(key(live, 'position'), 'position')
      .zcard(key(live, indexKeys.seen))
      .hget(key(live, indexKeys.receipts), newestField)
      .exec(),
    'reading the index',
  );
  const [position, members, newest] = (answers ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  return { position: Number(position ?? -1), members: Number(members ?? 0), newest: Number(newest ?? 0) };
}

/** A mark never changes while its batch is within the window; one that is not there any more was passed by the window. */
async function compare(
  { redis }: RecoveryContext,
  report: Report,
  check: string,
  live: LiveIndex,
  batches: readonly SeenBatch[],
): Promise<void> {
  const names = batches.map(({ name }) => Buffer.from(name, 'latin1'));
  const scores = await translated(redis.zmscore(key(live, indexKeys.seen), ...names), 'reading the index');
  const newest = Number(
    (await translated(redis.hget(key(live, indexKeys.receipts), newestField), 'reading the index')) ?? 0,
  );
  const below = seenScore(newest - idempotencyWindowMs, 0);
  batches.forEach(({ name, score }, i) => {
    const found = scores[i];
    if (found == null ? score >= below : Number(found) !== score)
      report.differs(
        check,
        `${batchName(name)}: the index has the mark ${found ?? 'none'}, the ledger ${score}`,
      );
  });
}

function batchName(name: Bytes): string {
  const hex = Buffer.from(name, 'latin1').toString('hex');
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)];
  return `batch ${Number.parseInt(hex.slice(32), 16)} of ${uuid.join('-')}`;
}

function key({ scope, generation }: LiveIndex, name: string): string {
  return stateKey(indexPrefix, { name: scope, generation: generation.generation }, name);
}
