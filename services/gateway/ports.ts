import { setTimeout as pause } from 'node:timers/promises';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { TransactionPool } from '#shared/adapters/kafka/transactions.ts';
import { assert } from '#shared/base/errors.ts';
import { joinKey } from '#shared/base/keys.ts';
import type { Codec } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { tick } from '#shared/domain/batches.ts';
import { type ClaimEvent, claimPartition } from '#shared/domain/claims/index.ts';
import type { SentBatch } from '#shared/domain/records.ts';
import type { Ruling } from '#shared/domain/rulings/ruling.ts';
import type { SerialBatch } from '#shared/domain/serials.ts';
import type { AccountsLog } from './accounts/accounts.ts';
import type { AccountEvent } from './accounts/events.ts';
import type { ClaimPorts } from './claims/desk.ts';
import { claimEventIds, fileEventIds } from './ledger/claims.ts';
import type { Stamps } from './lookup/ticks.ts';
import { kafkaSubmissionLog, type SubmissionManifest } from './submissions/log.ts';
import type { EncodingLog } from './submissions/submission.ts';

export { pause };

interface Kafkaesque {
  readonly publisher: Publisher;
  readonly codec: Codec;
}

export function accountsLog({ publisher, codec }: Kafkaesque): AccountsLog {
  const encoder = codec.encoder<AccountEvent>('AccountEvent');
  return {
    async append(event) {
      const message = { partition: 0, key: event.account, value: encoder.encode(event) };
      await publisher.send(topicName('accounts'), [message]);
    },
  };
}

export function submissionLog(transactions: TransactionPool, codec: Codec): EncodingLog {
  return kafkaSubmissionLog({
    transactions,
    topics: { batches: topicName('serials.submitted'), manifests: topicName('submissions') },
    batchEncoder: codec.encoder<SentBatch>('SerialBatch'),
    manifestEncoder: codec.encoder<SubmissionManifest>('SubmissionManifest'),
  });
}

/** Writes one tick to each partition, outside any transaction: its offset is the stamp (Q1). */
export function tickSender({
  publisher,
  codec,
}: Kafkaesque): (partitions: readonly number[]) => Promise<Stamps> {
  const value = codec.encoder<SerialBatch>('SerialBatch').encode({ ...tick, records: [] });
  const headers = writeHeaders({ submission: '', batch: 0, rows: 0, deadRows: 0, receivedAt: 0 });
  return async (partitions) => {
    const messages = partitions.map((partition) => ({ partition, value, headers }));
    const stamps = await publisher.send(topicName('serials.submitted'), messages);
    assert(stamps.size === partitions.length, 'every tick has its offset');
    return stamps;
  };
}

export function claimPorts(
  { publisher, codec }: Kafkaesque,
  clickhouse: Clickhouse,
  partitions: number,
): ClaimPorts {
  const encoder = codec.encoder<ClaimEvent>('ClaimEvent');
  return {
    async publish(events) {
      await publisher.send(
        topicName('claims.submitted'),
        events.map((event) => ({
          partition: claimPartition(event.unit, partitions),
          key: event.unit,
          value: encoder.encode(event),
          headers: { event: event.event, claim: event.claim },
        })),
      );
    },
    claimEvents: (claim) => claimEventIds(clickhouse, claim),
    fileEvents: (file) => fileEventIds(clickhouse, file),
    now: Date.now,
  };
}

export function rulingPublisher({ publisher, codec }: Kafkaesque): (ruling: Ruling) => Promise<void> {
  const encoder = codec.encoder<Ruling>('Ruling');
  return async (ruling) => {
    const key = joinKey(ruling.product, ruling.serial_key, ruling.holder_key, ruling.model_key);
    await publisher.send(topicName('rulings'), [{ partition: 0, key, value: encoder.encode(ruling) }]);
  };
}
