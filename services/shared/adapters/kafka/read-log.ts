import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import { OperationalError } from '#shared/base/errors.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import { toInMessage, translateKafkaError, withAdmin } from './client.ts';

/** A piece of one partition: from `from` up to, and without, `to`. */
export interface LogRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** First offset that is kept, and the one after the last. */
export interface LogBounds {
  readonly low: number;
  readonly high: number;
}

export interface ReadLogOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly ranges: readonly LogRange[];
  /** `enough`: nothing more of this partition is wanted. */
  readonly read: (
    message: InMessage,
    partition: number,
  ) => Promise<'enough' | undefined> | 'enough' | undefined;
  /** How long may pass without anything read. */
  readonly patienceMs?: number;
}

/** What is kept of each partition of a topic. */
export async function logBounds(admin: Admin, topic: string): Promise<ReadonlyMap<number, LogBounds>> {
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(
      offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]),
    );
  } catch (error) {
    throw translateKafkaError(error, `read the offsets of ${topic}`);
  }
}

/** `logBounds` over a connection of its own. */
export function boundsOf(kafka: Kafka, topic: string): Promise<ReadonlyMap<number, LogBounds>> {
  return withAdmin(kafka, `read the offsets of ${topic}`, (admin) => logBounds(admin, topic));
}

/** The group's stored position in a partition; -1 when there is none. */
export async function storedOffset(
  admin: Admin,
  groupId: string,
  topic: string,
  partition: number,
): Promise<number> {
  try {
    const [entry] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return Number(entry?.partitions.find((part) => part.partition === partition)?.offset ?? -1);
  } catch (error) {
    throw translateKafkaError(error, 'read the committed offsets');
  }
}

/**
 * Reads pieces of a topic once, read committed, each partition in order, without a stored position: for tools. An open
 * transaction is waited for. Resolves when every range was read to its end, or `read` had enough of it.
 */
export async function readLog(options: ReadLogOptions): Promise<void> {
  const ranges = options.ranges.filter(({ from, to }) => from < to);
  if (ranges.length === 0) return;
  const { kafka, topic } = options;
  const groupId = `read-${topic}-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    readUncommitted: false,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 100,
    maxBytesPerPartition: 4 * 1024 * 1024,
    // A coordinator that is still loading is answered with a crash; `patienceMs` bounds what is tried again.
    retry: { restartOnFailure: async () => true, retries: 5 },
  });
  try {
    await new LogReading(consumer, { ...options, ranges }).run();
  } catch (error) {
    throw translateKafkaError(error, `read ${topic}`);
  } finally {
    await consumer.disconnect().catch(() => undefined);
    await forget(kafka, groupId);
  }
}

/** The group was of use to nobody else. One that stays behind expires by itself. */
async function forget(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // Nothing depends on it.
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

class LogReading {
  readonly #consumer: Consumer;
  readonly #options: ReadLogOptions;
  /** Next offset of what is still being read. */
  readonly #next: Map<number, number>;
  readonly #end: ReadonlyMap<number, number>;
  readonly #done = Promise.withResolvers<void>();
  #heard = Date.now();

  constructor(consumer: Consumer, options: ReadLogOptions) {
    this.#consumer = consumer;
    this.#options = options;
    this.#next = new Map(options.ranges.map(({ partition, from }) => [partition, from]));
    this.#end = new Map(options.ranges.map(({ partition, to }) => [partition, to]));
  }

  async run(): Promise<void> {
    const { topic, ranges, patienceMs = 60_000 } = this.#options;
    const { GROUP_JOIN, START_BATCH_PROCESS, CRASH } = this.#consumer.events;
    this.#done.promise.catch(() => undefined);
    this.#consumer.on(CRASH, ({ payload }) => {
      if (!payload.restart) this.#done.reject(payload.error);
    });
    // Before the first fetch of every generation, also of one that comes after a crash.
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      const others = (payload.memberAssignment[topic] ?? []).filter(
        (partition) => !this.#next.has(partition),
      );
      if (others.length > 0) this.#consumer.pause([{ topic, partitions: others }]);
      for (const [partition, next] of this.#next)
        this.#consumer.seek({ topic, partition, offset: String(next) });
    });
    // Fetches that hold nothing but transaction markers never reach eachBatch.
    this.#consumer.on(START_BATCH_PROCESS, ({ payload }) => {
      const { partition, batchSize, lastOffset } = payload;
      const next = this.#next.get(partition);
      const first = Number(payload.firstOffset);
      if (batchSize === 0 && next !== undefined && first <= next) this.#passed(partition, Number(lastOffset));
    });
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic, fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: ranges.length,
      eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
        const { partition } = batch;
        for (const message of batch.messages) await this.#read(toInMessage(message), partition, heartbeat);
        resolveOffset(batch.lastOffset());
        const first = Number(batch.firstOffset() ?? Number.POSITIVE_INFINITY);
        if (first <= (this.#next.get(partition) ?? -1)) this.#passed(partition, Number(batch.lastOffset()));
      },
    });
    const watch = setInterval(() => {
      if (Date.now() - this.#heard > patienceMs) this.#done.reject(silent(topic, patienceMs));
    }, 500);
    try {
      await this.#done.promise;
    } finally {
      clearInterval(watch);
    }
  }

  async #read(message: InMessage, partition: number, heartbeat: () => Promise<void>): Promise<void> {
    const next = this.#next.get(partition);
    // Before the range: fetched before the seek. Behind it, or read already: of no interest.
    if (next === undefined || message.offset < next || message.offset >= this.#end.get(partition)!) return;
    this.#heard = Date.now();
    try {
      const answer = await this.#options.read(message, partition);
      this.#next.set(partition, message.offset + 1);
      if (answer === 'enough') this.#finish(partition);
      await heartbeat();
    } catch (error) {
      this.#done.reject(error);
      throw error;
    }
  }

  #passed(partition: number, lastOffset: number): void {
    const next = this.#next.get(partition);
    if (next === undefined) return;
    this.#next.set(partition, Math.max(next, lastOffset + 1));
    if (lastOffset + 1 >= this.#end.get(partition)!) this.#finish(partition);
  }

  #finish(partition: number): void {
    this.#next.delete(partition);
    if (this.#next.size === 0) this.#done.resolve();
    else this.#consumer.pause([{ topic: this.#options.topic, partitions: [partition] }]);
  }
}

function silent(topic: string, ms: number): OperationalError {
  return new OperationalError('kafka_unavailable', `nothing of ${topic} came in ${ms} ms`, {
    retryable: true,
  });
}
