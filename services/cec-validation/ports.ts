import { keepDeadLetter } from '#shared/adapters/kafka/dead-letters.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { ApprovedLists } from '#shared/adapters/redis/lists.ts';
import type { Codec } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { type ListedTail, standIn } from '#shared/domain/batches.ts';
import { plausible } from '#shared/domain/records.ts';
import type { Metrics } from '#shared/runtime/metrics.ts';
import { askLists } from './lists.ts';
import type { ListingPorts, RecordView, SubmittedView } from './partition.ts';

const stage = 'cec-validation';

/** What cec-validation looks at; other fields are skipped, not built. */
const view = {
  product: true,
  action: true,
  received_at: true,
  records: { holder: true, series: true, model: true, finding: true, repeats: true },
} as const;

/** A record that repeats the one before it has no texts. */
function isSound({ repeats, holder, series, model, finding }: RecordView): boolean {
  return !repeats || (holder === '' && series === '' && model === '' && finding === '');
}

/** The stage's ports on the real lists, codec and publisher, for one partition. */
export function createPorts(options: {
  readonly partition: number;
  readonly lists: Pick<ApprovedLists, 'currentSnapshot' | 'lookupListings'>;
  readonly codec: Codec;
  readonly publisher: Publisher;
  readonly metrics: Metrics;
}): ListingPorts {
  const { partition, lists, codec, publisher, metrics } = options;
  const decoder = codec.decoder<SubmittedView>('SerialBatch', view);
  const appender = codec.appender<ListedTail>('SerialBatch', 'ListedBatch');
  const standIns = codec.encoder<ReturnType<typeof standIn>>('ListedBatch');
  return {
    decode: (message) => plausible(decoder.decode(message.value), isSound),
    ask: (product, records) => askLists(lists, product, records),
    append: (message, tail) => appender.append(message.value!, tail),
    standIn: (headers, origin) => standIns.encode(standIn(headers, origin)),
    async publish(results) {
      const end = metrics.batchSeconds.startTimer({ stage });
      await publisher.send(
        topicName('serials.listed'),
        results.map(({ headers, value }) => ({ partition, value, headers: writeHeaders(headers) })),
      );
      end();
    },
    async deadLetter(message, { submission, batch, rows }) {
      metrics.deadLetters.inc({ stage, cause: 'undecodable' });
      await keepDeadLetter(publisher, {
        stage,
        topic: topicName('serials.submitted'),
        partition,
        message,
        origin: message.offset,
        submission,
        batch,
        rows,
        cause: 'undecodable',
      });
    },
    counted: (finding, rows) => metrics.rows.inc({ stage, outcome: finding }, rows),
  };
}
