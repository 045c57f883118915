import { setTimeout as delay } from 'node:timers/promises';
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

/** Bytes of values that one partition gets in one request: they are one record batch, bounded by max.message.bytes. */
const batchBytesMax = 900_000;

/** The longest that a request waits for others that are about to send. */
const companyMsMax = 15;

/** A send that waits for its request. */
interface Pending {
  readonly topic: string;
  readonly messages: readonly OutMessage[];
  readonly resolve: (offsets: BaseOffsets) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Plain sends, acknowledged by all in-sync replicas. Not idempotent on purpose: a copy is harmless by origin (D2), and
 * an older batch that arrives late can not be taken for a newer one (K3). One request is under way at a time, so that a
 * partition never has two (K1); what is sent meanwhile, by whichever partition, goes together in the next. After an error
 * the producer is replaced, and everybody whose messages were in the request is told.
 *
 * `sending`: how many are at work on what they will send. What goes in one request arrives at the next stage in one fetch;
 * what comes a little later waits there until all of the first is done.
 */
export class Publisher {
  readonly #kafka: Kafka;
  readonly #sending: () => number;
  #producer: Promise<Producer>;
  #pending: readonly Pending[] = [];
  #running: Promise<void> | undefined;

  constructor(kafka: Kafka, options: { readonly sending?: () => number } = {}) {
    this.#kafka = kafka;
    this.#sending = options.sending ?? (() => 0);
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

  #sendChunk(topic: string, messages: readonly OutMessage[]): Promise<BaseOffsets> {
    return new Promise((resolve, reject) => {
      this.#pending = [...this.#pending, { topic, messages, resolve, reject }];
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      await this.#company();
      const { now, later } = oneRequest(this.#pending);
      this.#pending = later;
      await this.#request(now);
    }
    this.#running = undefined;
  }

  async #company(): Promise<void> {
    // Partitions that were delivered together are often done in the same turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + companyMsMax;
    while (this.#pending.length < this.#sending() && performance.now() < until) await delay(1);
  }

  async #request(sends: readonly Pending[]): Promise<void> {
    const current = this.#producer;
    const topics = [...new Set(sends.map(({ topic }) => topic))];
    try {
      const topicMessages = topics.map((topic) => ({
        topic,
        messages: sends.flatMap((send) => (send.topic === topic ? send.messages.map(toKafka) : [])),
      }));
      const sent = await (await current).sendBatch({ acks: -1, topicMessages });
      const next = new Map(
        sent.map(({ topicName, partition, baseOffset }) => [
          placeOf(topicName, partition),
          Number(baseOffset),
        ]),
      );
      for (const send of sends) send.resolve(takeOffsets(send, next));
    } catch (error) {
      this.#replace(current);
      const translated = translateKafkaError(error, `send to ${topics.join(', ')}`);
      for (const send of sends) send.reject(translated);
    }
  }

  #replace(failed: Promise<Producer>): void {
    if (this.#producer !== failed) return;
    failed.then((producer) => producer.disconnect()).catch(() => undefined);
    this.#producer = this.#connect();
    this.#producer.catch(() => undefined);
  }
}

function placeOf(topic: string, partition: number): string {
  return `${partition}@${topic}`;
}

/** The sends that fit into one request, in their order: no record batch grows beyond its bound. */
export function oneRequest<S extends Pick<Pending, 'topic' | 'messages'>>(
  pending: readonly S[],
): { now: readonly S[]; later: readonly S[] } {
  const bytes = new Map<string, number>();
  const fits = ({ topic, messages }: S, index: number): boolean => {
    for (const { partition, value } of messages) {
      const place = placeOf(topic, partition);
      bytes.set(place, (bytes.get(place) ?? 0) + value.length);
    }
    return index === 0 || [...bytes.values()].every((size) => size <= batchBytesMax);
  };
  const count = pending.findIndex((send, index) => !fits(send, index));
  const end = count < 0 ? pending.length : count;
  return { now: pending.slice(0, end), later: pending.slice(end) };
}

/** The base offsets of one send; `next` holds the offset of the first message of each partition that is not taken yet. */
function takeOffsets({ topic, messages }: Pending, next: Map<string, number>): BaseOffsets {
  const first = new Map<number, number>();
  for (const { partition } of messages) {
    const place = placeOf(topic, partition);
    const offset = next.get(place) ?? Number.NaN;
    if (!first.has(partition)) first.set(partition, offset);
    next.set(place, offset + 1);
  }
  return first;
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
    if (chunk.length > 0 && bytes + message.value.length > batchBytesMax) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(message);
    bytes += message.value.length;
  }
  if (chunk.length > 0) yield chunk;
}
