import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { recordDeadLetter } from '#shared/adapters/clickhouse/dead-letters.ts';
import { keepDeadLetter } from '#shared/adapters/kafka/dead-letters.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { Codec } from '#shared/codec/codec.ts';
import type { Decided, EvidencedClaim } from '#shared/domain/claims/index.ts';
import type { Metrics } from '#shared/runtime/metrics.ts';
import type { StateStore } from '#shared/runtime/state-store.ts';
import type { DecidePorts } from './partition.ts';

/** The stage's ports on the real codec and publisher. */
export function createDecidePorts(options: {
  readonly store: StateStore;
  readonly codec: Codec;
  readonly publisher: Publisher;
  readonly clickhouse: Clickhouse;
  readonly metrics: Metrics;
  readonly deadLettersInRowMax: number;
  readonly deadBefore: ReadonlySet<number>;
}): DecidePorts {
  const { store, codec, publisher, clickhouse, metrics, deadLettersInRowMax, deadBefore } = options;
  const decoder = codec.decoder<EvidencedClaim>('EvidencedClaim');
  const appender = codec.appender<Decided>('EvidencedClaim', 'DecidedClaim');
  return {
    store,
    deadLettersInRowMax,
    deadBefore,
    decode: (message) => decoder.decode(message.value),
    encode: (message, decided) => appender.tail(message.value!, decided),
    async publish(results) {
      const end = metrics.batchSeconds.startTimer({ stage: 'decide' });
      await publisher.send(
        topicName('claims.decided'),
        results.map(({ message, tail }) => ({
          partition: 0,
          ...(message.key ? { key: message.key } : {}),
          value: appender.join(message.value!, tail),
          // R2: the coordinate of all claims is the offset in claims.evidenced.
          headers: { ...message.headers, origin: String(message.offset), rows: '1' },
        })),
      );
      end();
    },
    async deadLetter(message) {
      metrics.deadLetters.inc({ stage: 'decide', cause: 'undecodable' });
      const record = {
        stage: 'decide',
        partition: 0,
        origin: message.offset,
        submission: message.headers.event ?? '',
        batch: 0,
        rows: 1,
        cause: 'undecodable',
      };
      await keepDeadLetter(publisher, { ...record, topic: topicName('claims.evidenced'), message });
      await recordDeadLetter(clickhouse, record);
    },
    counted: (decision) => metrics.rows.inc({ stage: 'decide', outcome: decision }),
  };
}
