import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import { AssertionError } from '#shared/base/errors.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import { toInMessage, translateKafkaError } from './client.ts';

export interface FollowedLog {
  /** Rejects when the log can no longer be followed: the process must end. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/**
 * Reads a topic of one partition from its beginning, or from the offset `from`, for ever, for this process alone: no
 * position is stored. `endReached` is called once, when everything was read that was in the log when this began (A1).
 */
export async function followLog(options: {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly from?: number;
  readonly read: (message: InMessage) => void;
  readonly endReached: () => void;
}): Promise<FollowedLog> {
  const { kafka, topic, read, from = 0 } = options;
  const admin = kafka.admin();
  const consumer = kafka.consumer({
    groupId: `follow-${topic}-${randomUUID()}`,
    readUncommitted: false,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 250,
    retry: { restartOnFailure: async () => true },
  });
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  try {
    const { low, high } = await range(admin, topic);
    if (low > from)
      throw new AssertionError(
        `${topic} begins at ${low}, but is needed from ${from}: it must be kept for ever`,
      );
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    let ended = false;
    const passed = (offset: number) => {
      if (ended || offset + 1 < high) return;
      ended = true;
      options.endReached();
    };
    if (high <= from) passed(high - 1);
    // A log that ends in a transaction marker is read to its end without a last message.
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) passed(Number(payload.lastOffset));
    });
    let next = from;
    // Before the first fetch of every generation, also of one that comes after a crash.
    consumer.on(consumer.events.GROUP_JOIN, () => {
      if (next > 0) consumer.seek({ topic, partition: 0, offset: String(next) });
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(translateKafkaError(payload.error, `follow ${topic}`));
    });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        for (const message of batch.messages) {
          const offset = Number(message.offset);
          // A fetch that began before the seek.
          if (offset < next) continue;
          read(toInMessage(message));
          next = offset + 1;
        }
        resolveOffset(batch.lastOffset());
        passed(Number(batch.lastOffset()));
      },
    });
  } catch (error) {
    await close(admin, consumer);
    throw translateKafkaError(error, `follow ${topic}`);
  }
  return { failed, close: () => close(admin, consumer) };
}

async function range(admin: Admin, topic: string): Promise<{ low: number; high: number }> {
  await admin.connect();
  const [partition] = await admin.fetchTopicOffsets(topic);
  return { low: Number(partition?.low ?? 0), high: Number(partition?.high ?? 0) };
}

async function close(admin: Admin, consumer: Consumer): Promise<void> {
  await consumer.disconnect().catch(() => undefined);
  await admin.disconnect().catch(() => undefined);
}
