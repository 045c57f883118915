import type { Kafka, Producer } from 'kafkajs';
import { createPartitioner, translateKafkaError } from './client.ts';

export interface OutMessage {
  readonly partition: number;
  readonly key?: Buffer | string;
  readonly value: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Base offsets by partition, as the broker acknowledged them. */
export type BaseOffsets = ReadonlyMap<number, number>;

/** Bytes of values in one send: one send is one record batch per partition, bounded by the topic's max.message.bytes. */
const sendBytesMax = 900_000;

/**
 * Plain sends, acknowledged by all in-sync replicas. Not idempotent on purpose: a copy is harmless by origin (D2), and
 * an older batch that arrives late can not be taken for a newer one (K3). The caller keeps one send in flight per
 * partition (K1). After an error the producer is replaced.
 */
export class Publisher {
  readonly #kafka: Kafka;
  #producer: Promise<Producer>;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
    this.#producer = this.#connect();
    this.#producer.catch(() => undefined);
  }

  /** Resolves once every message is acknowledged, in order within each partition. */
  async send(topic: string, messages: readonly OutMessage[]): Promise<BaseOffsets> {
    const first = new Map<number, number>();
    for (const chunk of chunksBySize(messages)) {
      const offsets = await this.#sendChunk(topic, chunk);
      for (const [partition, offset] of offsets) if (!first.has(partition)) first.set(partition, offset);
    }
    return first;
  }

  async close(): Promise<void> {
    await this.#producer.then((producer) => producer.disconnect()).catch(() => undefined);
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer({
      createPartitioner,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 50, retries: 3 },
    });
    await producer.connect();
    return producer;
  }

  async #sendChunk(topic: string, messages: readonly OutMessage[]): Promise<BaseOffsets> {
    const current = this.#producer;
    try {
      const sent = await (await current).send({ topic, acks: -1, messages: messages.map(toKafka) });
      return new Map(sent.map((part) => [part.partition, Number(part.baseOffset)]));
    } catch (error) {
      this.#replace(current);
      throw translateKafkaError(error, `send to ${topic}`);
    }
  }

  #replace(failed: Promise<Producer>): void {
    if (this.#producer !== failed) return;
    failed.then((producer) => producer.disconnect()).catch(() => undefined);
    this.#producer = this.#connect();
    this.#producer.catch(() => undefined);
  }
}

export function toKafka(message: OutMessage) {
  return {
    partition: message.partition,
    key: message.key ?? null,
    value: message.value,
    headers: { ...message.headers },
  };
}

function* chunksBySize(messages: readonly OutMessage[]): Generator<readonly OutMessage[]> {
  let chunk: OutMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    if (chunk.length > 0 && bytes + message.value.length > sendBytesMax) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(message);
    bytes += message.value.length;
  }
  if (chunk.length > 0) yield chunk;
}
