import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import { assert } from '#shared/base/errors.ts';
import type { Codec } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { tick } from '#shared/domain/batches.ts';
import type { SerialBatch } from '#shared/domain/serials.ts';
import { ledgerReads } from './ledger-reads.ts';
import type { LedgerPorts } from './questions.ts';

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

    ...ledgerReads(clickhouse, partitions),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}
