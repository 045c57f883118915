import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { recordDeadLetter } from '#shared/adapters/clickhouse/dead-letters.ts';
import { keepDeadLetter } from '#shared/adapters/kafka/dead-letters.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { Codec } from '#shared/codec/codec.ts';
import type { ClaimEvent, Evidence } from '#shared/domain/claims/claim.ts';
import type { Metrics } from '#shared/runtime/metrics.ts';
import type { GatherPorts } from './partition.ts';
import type { LedgerQuestions } from './questions.ts';

/** The stage's ports on the real codec and publisher, for one partition. */
export function createGatherPorts(options: {
  readonly partition: number;
  readonly questions: LedgerQuestions;
  readonly serialPartitions: number;
  readonly waitMsMax: number;
  readonly deadLettersInRowMax: number;
  readonly codec: Codec;
  readonly publisher: Publisher;
  readonly clickhouse: Clickhouse;
  readonly metrics: Metrics;
}): GatherPorts {
  const { partition, codec, publisher, clickhouse, metrics } = options;
  const decoder = codec.decoder<ClaimEvent>('ClaimEvent');
  const appender = codec.appender<Evidence>('ClaimEvent', 'EvidencedClaim');
  return {
    questions: options.questions,
    serialPartitions: options.serialPartitions,
    waitMsMax: options.waitMsMax,
    deadLettersInRowMax: options.deadLettersInRowMax,
    decode: (message) => decoder.decode(message.value),
    async publish(gathered) {
      const end = metrics.batchSeconds.startTimer({ stage: 'gather' });
      await publisher.send(
        topicName('claims.evidenced'),
        gathered.map(({ message, claim, evidence }) => ({
          partition: 0,
          key: claim.unit,
          value: appender.append(message.value!, evidence),
          headers: {
            source: `${partition}:${message.offset}`,
            event: claim.event,
            claim: claim.claim,
            kind: claim.kind,
            received_at: String(claim.received_at),
          },
        })),
      );
      end();
    },
    async deadLetter(message) {
      metrics.deadLetters.inc({ stage: 'gather', cause: 'undecodable' });
      const record = {
        stage: 'gather',
        partition,
        origin: message.offset,
        submission: message.headers.event ?? '',
        batch: 0,
        rows: 1,
        cause: 'undecodable',
      };
      await keepDeadLetter(publisher, { ...record, topic: topicName('claims.submitted'), message });
      await recordDeadLetter(clickhouse, record);
    },
    counted: (kind) => metrics.rows.inc({ stage: 'gather', outcome: kind }),
    now: Date.now,
  };
}
