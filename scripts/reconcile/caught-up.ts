import { claimsScope } from '#certificate/decide/claims-state.ts';
import { withAdmin } from '#shared/adapters/kafka/client.ts';
import { logBounds, storedOffset } from '#shared/adapters/kafka/read-log.ts';
import { indexPrefix, topicName, topicsGeneration } from '#shared/adapters/kafka/topics.ts';
import { RedisStateStore } from '#shared/adapters/redis/state-store.ts';
import type { Scope } from '#shared/runtime/state-store.ts';
import type { RecoveryContext } from '../recovery/context.ts';
import { watermarkOf } from '../recovery/ledger.ts';
import { waitFor } from './wait.ts';

/** Where the decisions of a scope go, and who writes them into the ledger. */
function decisionsOf(scope: string) {
  return scope === claimsScope
    ? { topic: 'claims.decided', partition: 0, group: 'ledger-writer.DecidedClaim' }
    : { topic: 'serials.decided', partition: Number(scope), group: 'ledger-writer.DecidedBatch' };
}

/**
 * Resolves when the ledger has everything that was decided up to `position`, but for dead letters. The watermark says so
 * where it can; it is held back by dead letters, and by repetitions that decide nothing. Then it is known from the
 * journal, which keeps a decision until it is in the log, and from how far the writer has read that log.
 */
export async function caughtUp(
  context: RecoveryContext,
  scope: Scope,
  position: number,
  patienceMs: number,
): Promise<void> {
  const { topic, partition, group } = decisionsOf(scope.name);
  if ((await watermarkOf(context.clickhouse, topic, partition)) >= position) return;
  const store = new RedisStateStore(context.redis, indexPrefix);
  const published = async () => {
    const started = await store.start(scope);
    return started !== 'no_index' && started.journal.every(({ origin }) => origin > position);
  };
  await waitFor(`publishing what {${scope.name}} decided up to ${position}`, published, Boolean, patienceMs);
  await withAdmin(context.kafka, 'read the committed offsets', async (admin) => {
    const name = topicName(topic);
    const end = (await logBounds(admin, name)).get(partition)?.high ?? 0;
    const groupId = `${group}.g${topicsGeneration}`;
    await waitFor(
      `writing ${name}/${partition} up to offset ${end}`,
      () => storedOffset(admin, groupId, name, partition),
      (offset) => offset >= end || end === 0,
      patienceMs,
    );
  });
}
