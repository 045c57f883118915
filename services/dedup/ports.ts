import { keepDeadLetter } from '#shared/adapters/kafka/dead-letters.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { Codec } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { type DecidedTail, standIn } from '#shared/domain/batches.ts';
import { plausible } from '#shared/domain/records.ts';
import type { Metrics } from '#shared/runtime/metrics.ts';
import type { StateStore } from '#shared/runtime/state-store.ts';
import type { BatchView } from './decider.ts';
import type { DedupPorts, Result } from './partition.ts';

/** What dedup looks at; the texts of a record are skipped, not built. */
const view = {
  product: true,
  action: true,
  received_at: true,
  records: {
    row: true,
    supplier_key: true,
    holder_key: true,
    serial_key: true,
    status: true,
    finding: true,
    repeats: true,
  },
  listings: { finding: true },
} as const;

/** Reads a message of `serials.listed`; nothing when its bytes are wrong data. */
export function batchReader(codec: Codec): (message: Buffer | null) => BatchView | undefined {
  const decoder = codec.decoder<BatchView>('ListedBatch', view);
  return (message) => plausible(decoder.decode(message), isSound);
}

const rowMax = 2 ** 31 - 1;

/** Rows count from 1; a record that repeats the one before it has no texts. */
function isSound(record: BatchView['records'][number]): boolean {
  const { row, repeats, supplier_key, holder_key, status, finding } = record;
  const saysNothing = supplier_key === '' && holder_key === '' && status === '' && finding === '';
  return row >= 1 && row <= rowMax && (!repeats || saysNothing);
}

/** The machine's ports on the real codec and publisher, for one partition. */
export function createPorts(options: {
  readonly partition: number;
  readonly store: StateStore;
  readonly codec: Codec;
  readonly publisher: Publisher;
  readonly metrics: Metrics;
  readonly deadLettersInRowMax: number;
  readonly deadBefore: ReadonlySet<number>;
}): DedupPorts {
  const { partition, store, codec, publisher, metrics, deadLettersInRowMax, deadBefore } = options;
  const decode = batchReader(codec);
  const appender = codec.appender<DecidedTail>('ListedBatch', 'DecidedBatch');
  const standIns = codec.encoder<ReturnType<typeof standIn>>('DecidedBatch');

  const bytesOf = (result: Result): Buffer =>
    result.kind === 'decided'
      ? appender.join(result.message.value!, result.tail)
      : standIns.encode(standIn(result.message.headers, result.message.headers.origin));

  return {
    store,
    deadLettersInRowMax,
    deadBefore,
    decode: (message) => decode(message.value),
    encodeDecisions: (message, decisions) => appender.tail(message.value!, { decisions }),
    async publish(results) {
      if (results.length === 0) return;
      const end = metrics.batchSeconds.startTimer({ stage: 'dedup' });
      await publisher.send(
        topicName('serials.decided'),
        results.map((result) => ({ partition, value: bytesOf(result), headers: headersOf(result) })),
      );
      end();
    },
    async deadLetter(message) {
      const { origin, submission, batch, rows } = message.headers;
      metrics.deadLetters.inc({ stage: 'dedup', cause: 'undecodable' });
      await keepDeadLetter(publisher, {
        stage: 'dedup',
        topic: topicName('serials.listed'),
        partition,
        message: message.raw,
        origin,
        submission,
        batch,
        rows,
        cause: 'undecodable',
      });
    },
    counted: (outcome, rows) => metrics.rows.inc({ stage: 'dedup', outcome }, rows),
  };
}

/** K8: rows are those that travel on; what a dead letter keeps is said beside it. */
function headersOf(result: Result): Record<string, string> {
  const { headers } = result.message;
  switch (result.kind) {
    case 'decided':
      return writeHeaders(headers);
    case 'copy':
      return writeHeaders({ ...headers, rows: 0 });
    case 'dead':
      // What stood in for a dead letter of an earlier stage still does.
      if (headers.deadRows > 0) return writeHeaders(headers);
      return writeHeaders({ ...headers, rows: 0, deadRows: headers.rows, deadStage: 'dedup' });
  }
}
