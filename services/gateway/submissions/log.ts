import { setImmediate } from 'node:timers/promises';
import type { OutMessage } from '#shared/adapters/kafka/publisher.ts';
import type { Transaction, TransactionPool } from '#shared/adapters/kafka/transactions.ts';
import { assert } from '#shared/base/errors.ts';
import type { Encoder } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { batchingVersion } from '#shared/domain/normalise.ts';
import { grouped, type SentBatch } from '#shared/domain/records.ts';
import type { EncodedSubmission, EncodingLog, Submission } from './submission.ts';

/** Mirrors schemas/SubmissionManifest.avsc. */
export interface SubmissionManifest {
  readonly submission: string;
  readonly account: string;
  readonly supplier: string;
  readonly channel: string;
  readonly product: string;
  readonly action: string;
  readonly received_at: number;
  readonly file_name: string;
  readonly idempotency_key: string;
  readonly body_sha256: string;
  readonly body_gzip: Buffer;
  readonly body_bytes: number;
  readonly declaration: string;
  readonly declared_by: string;
  readonly batching_version: number;
  readonly rows: number;
  readonly batches: number;
  readonly partitions: readonly PartitionShare[];
  readonly stream: string;
  readonly first_row: number;
  readonly media_type: string;
}

export interface PartitionShare {
  readonly partition: number;
  readonly rows: number;
  readonly batches: number;
  readonly last_offset: number;
}

export interface LogOptions {
  readonly transactions: Pick<TransactionPool, 'run'>;
  /** Full names of the topics of batches and manifests. */
  readonly topics: { readonly batches: string; readonly manifests: string };
  readonly batchEncoder: Pick<Encoder<SentBatch>, 'encode'>;
  readonly manifestEncoder: Pick<Encoder<SubmissionManifest>, 'encode'>;
}

/** Bytes of one partition in one send: they become one record batch, which the topic's max.message.bytes bounds. */
const sendBytesMax = 900_000;

/** Writes a submission in one transaction: its batches, then its manifest (K2, K5). */
export function kafkaSubmissionLog(options: LogOptions): EncodingLog {
  const { transactions, topics, batchEncoder, manifestEncoder } = options;
  const encode = async ({ batches, ...submission }: Submission): Promise<EncodedSubmission> => {
    const messages: OutMessage[] = [];
    for (const batch of batches) {
      messages.push(batchMessage(submission, batch, batchEncoder));
      await setImmediate();
    }
    const sends = splitSends(messages);
    const shares = sharesOf(batches);
    return {
      write: () =>
        transactions.run(async (transaction) => {
          const lastOffsets = await sendAll(transaction, topics.batches, sends);
          const value = manifestEncoder.encode(manifestOf(submission, shares, lastOffsets));
          const headers = { submission: submission.id };
          await transaction.send(topics.manifests, [{ partition: 0, key: submission.id, value, headers }]);
        }),
    };
  };
  return { encode, write: async (submission) => (await encode(submission)).write() };
}

type Head = Omit<Submission, 'batches'>;
type Share = Omit<PartitionShare, 'partition' | 'last_offset'>;

/** Rows and batches by partition. */
function sharesOf(batches: Submission['batches']): ReadonlyMap<number, Share> {
  const shares = new Map<number, Share>();
  for (const { partition, records } of batches) {
    const { rows, batches } = shares.get(partition) ?? { rows: 0, batches: 0 };
    shares.set(partition, { rows: rows + records.length, batches: batches + 1 });
  }
  return shares;
}

function batchMessage(
  submission: Head,
  batch: Submission['batches'][number],
  encoder: LogOptions['batchEncoder'],
): OutMessage {
  const { id, account, supplier, channel, product, action, receivedAt } = submission;
  const { number, partition, records } = batch;
  const header = { submission: id, batch: number, account, supplier, channel, product, action };
  const headers = { submission: id, batch: number, rows: records.length, deadRows: 0, receivedAt };
  return {
    partition,
    value: encoder.encode({ ...header, received_at: receivedAt, records: grouped(records) }),
    headers: writeHeaders(headers),
  };
}

/** Groups messages into as few sends as there can be, order within a partition kept. */
export function splitSends(messages: readonly OutMessage[]): readonly (readonly OutMessage[])[] {
  const sends: OutMessage[][] = [];
  const open = new Map<number, { send: number; bytes: number }>();
  for (const message of messages) {
    const place = open.get(message.partition) ?? { send: 0, bytes: 0 };
    if (place.bytes > 0 && place.bytes + message.value.length > sendBytesMax) {
      place.send += 1;
      place.bytes = 0;
    }
    place.bytes += message.value.length;
    open.set(message.partition, place);
    const send = sends[place.send];
    if (send) send.push(message);
    else sends.push([message]);
  }
  return sends;
}

/** Offset of the last message of each partition. */
async function sendAll(
  transaction: Transaction,
  topic: string,
  sends: readonly (readonly OutMessage[])[],
): Promise<ReadonlyMap<number, number>> {
  const last = new Map<number, number>();
  for (const send of sends) {
    const counts = new Map<number, number>();
    for (const { partition } of send) counts.set(partition, (counts.get(partition) ?? 0) + 1);
    const offsets = await transaction.send(topic, send);
    for (const [partition, count] of counts) {
      const first = offsets.get(partition);
      assert(first !== undefined, `Kafka acknowledged no offset for partition ${partition}`);
      last.set(partition, first + count - 1);
    }
  }
  return last;
}

function manifestOf(
  submission: Head,
  shares: ReadonlyMap<number, Share>,
  lastOffsets: ReadonlyMap<number, number>,
): SubmissionManifest {
  return {
    submission: submission.id,
    account: submission.account,
    supplier: submission.supplier,
    channel: submission.channel,
    product: submission.product,
    action: submission.action,
    received_at: submission.receivedAt,
    file_name: submission.fileName,
    idempotency_key: submission.idempotencyKey,
    body_sha256: submission.bodySha256,
    body_gzip: submission.bodyGzip,
    body_bytes: submission.bodyBytes,
    declaration: submission.declaration,
    declared_by: submission.declaredBy,
    batching_version: batchingVersion,
    rows: submission.rows,
    batches: [...shares.values()].reduce((sum, share) => sum + share.batches, 0),
    partitions: [...lastOffsets].map(([partition, last_offset]) => {
      const share = shares.get(partition);
      assert(share, `batches were written to partition ${partition}`);
      return { partition, ...share, last_offset };
    }),
    stream: submission.stream?.id ?? '',
    first_row: submission.stream?.firstRow ?? 0,
    media_type: submission.stream?.mediaType ?? '',
  };
}
