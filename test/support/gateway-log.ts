import { createHash, randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { kafkaSubmissionLog, type SubmissionManifest } from '#gateway/submissions/log.ts';
import type { EngineUrls } from '#scripts/engines/engines.ts';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { type OutMessage, Publisher } from '#shared/adapters/kafka/publisher.ts';
import { serialPartitions, topicName } from '#shared/adapters/kafka/topics.ts';
import { TransactionPool } from '#shared/adapters/kafka/transactions.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { Codec, type Encoder } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { tick } from '#shared/domain/batches.ts';
import { type ClaimEvent, claimPartition } from '#shared/domain/claims/index.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import type { SerialBatch, SerialRecord } from '#shared/domain/serials.ts';
import { type RawRow, recordOf } from './serial-record.ts';
import { silent } from './stores.ts';

export interface RawSubmission {
  readonly action?: string;
  readonly rows: readonly RawRow[];
  readonly id?: string;
  readonly receivedAt?: number;
  /** Rows of one batch. */
  readonly batchRows?: number;
  /** Batches, by number, whose bytes nobody can decode. */
  readonly damaged?: readonly number[];
}

/** Writes to the log what gateways write: submissions in one transaction, claims, without asking whether they may. */
export class GatewayLog {
  readonly kafka: Kafka;
  readonly publisher: Publisher;
  readonly partitions = serialPartitions('local');
  readonly #codec: Codec;
  readonly #transactions: TransactionPool;
  readonly #batchEncoder: Encoder<SerialBatch>;
  readonly #claims: Encoder<ClaimEvent>;

  private constructor(kafka: Kafka, codec: Codec) {
    this.kafka = kafka;
    this.publisher = new Publisher(kafka);
    this.#codec = codec;
    this.#transactions = new TransactionPool(kafka, { instance: `test-${randomUUID()}`, producersMax: 2 });
    this.#batchEncoder = codec.encoder('SerialBatch');
    this.#claims = codec.encoder('ClaimEvent');
  }

  static async open(urls: EngineUrls): Promise<GatewayLog> {
    const kafka = createKafka({ brokers: urls.kafkaBrokers, clientId: 'test', log: silent });
    const codec = await Codec.open(openRegistry(urls.schemaRegistryUrl), {
      [topicName('serials.submitted')]: 'SerialBatch',
      [topicName('submissions')]: 'SubmissionManifest',
      [topicName('claims.submitted')]: 'ClaimEvent',
    });
    return new GatewayLog(kafka, codec);
  }

  /** The id of the submission. */
  async submit({
    action = 'register',
    rows,
    id = randomUUID(),
    receivedAt = Date.now(),
    batchRows = 500,
    damaged = [],
  }: RawSubmission) {
    const batches = this.#batches(rows, batchRows);
    const log = kafkaSubmissionLog({
      transactions: this.#transactions,
      topics: { batches: topicName('serials.submitted'), manifests: topicName('submissions') },
      batchEncoder: {
        encode: (batch) =>
          damaged.includes(batch.batch) ? Buffer.from('damaged') : this.#batchEncoder.encode(batch),
      },
      manifestEncoder: this.#codec.encoder<SubmissionManifest>('SubmissionManifest'),
    });
    const body = Buffer.from(JSON.stringify(rows));
    await log.write({
      id,
      account: 'test',
      supplier: rows[0]?.supplier ?? '',
      channel: 'json',
      product: 'panel',
      action,
      receivedAt,
      fileName: '',
      declaration: '',
      declaredBy: '',
      idempotencyKey: '',
      bodySha256: createHash('sha256').update(body).digest('hex'),
      bodyGzip: Buffer.alloc(0),
      bodyBytes: body.length,
      rows: rows.length,
      batches,
    });
    return id;
  }

  /** A message without records, as a question leaves it. */
  tick(partition: number): OutMessage {
    const headers = { submission: '', batch: 0, rows: 0, deadRows: 0, receivedAt: 0 };
    return {
      partition,
      value: this.#batchEncoder.encode({ ...tick, records: [] }),
      headers: writeHeaders(headers),
    };
  }

  async claim(event: ClaimEvent): Promise<void> {
    await this.publisher.send(topicName('claims.submitted'), [
      {
        partition: claimPartition(event.unit, this.partitions),
        key: event.unit,
        value: this.#claims.encode(event),
        headers: { event: event.event, claim: event.claim },
      },
    ]);
  }

  async close(): Promise<void> {
    await this.publisher.close();
    await this.#transactions.close();
  }

  #batches(rows: readonly RawRow[], batchRows: number) {
    const shares = new Map<number, SerialRecord[]>();
    rows.forEach((row, i) => {
      const record = recordOf(row, i + 1);
      const partition = partitionOf('panel', record.serial_key, this.partitions);
      const share = shares.get(partition) ?? [];
      share.push(record);
      shares.set(partition, share);
    });
    const cut = [...shares]
      .sort(([a], [b]) => a - b)
      .flatMap(([partition, records]) =>
        Array.from({ length: Math.ceil(records.length / batchRows) }, (_, i) => ({
          partition,
          records: records.slice(i * batchRows, (i + 1) * batchRows),
        })),
      );
    return cut.map((batch, number) => ({ number, ...batch }));
  }
}
