import type { EachBatchPayload, Kafka } from 'kafkajs';
import { expect, test } from 'vitest';
import { OperationalError } from '#shared/base/errors.ts';
import type { PartitionWorker, Started } from '#shared/runtime/stage.ts';
import { StageConsumer } from './consumer.ts';

type EachBatch = (payload: EachBatchPayload) => Promise<void>;

/** What the group tells a member, and a broker that answers at once. */
class Group {
  readonly #listeners = new Map<string, (event: { payload: unknown }) => void>();
  #eachBatch!: EachBatch;
  /** What the consumer was asked to do with partitions, in order. */
  readonly asked: string[] = [];

  assign(...partitions: number[]): void {
    this.#listeners.get('join')?.({ payload: { memberAssignment: { topic: partitions } } });
  }

  /** Resolves when the consumer lets go of the batch. */
  fetched(partition: number): Promise<void> {
    const batch = { partition, fetchedOffset: '0', messages: [], lastOffset: () => '0', highWatermark: '1' };
    const payload = { batch, heartbeat: async () => undefined, resolveOffset: () => undefined };
    return this.#eachBatch(payload as unknown as EachBatchPayload);
  }

  kafka(): Kafka {
    const done = async () => undefined;
    const consumer = {
      events: { GROUP_JOIN: 'join', START_BATCH_PROCESS: 'batch', CRASH: 'crash', FETCH_START: 'fetch' },
      on: (name: string, listener: (event: { payload: unknown }) => void) =>
        this.#listeners.set(name, listener),
      ...{ connect: done, subscribe: done, disconnect: done },
      run: async ({ eachBatch }: { eachBatch: EachBatch }) => {
        this.#eachBatch = eachBatch;
      },
      seek: () => this.asked.push('seek'),
      pause: () => this.asked.push('pause'),
      resume: () => this.asked.push('resume'),
    };
    const admin = {
      ...{ connect: done, disconnect: done },
      fetchTopicOffsets: async () => [{ partition: 0, low: '0', high: '9' }],
      fetchOffsets: async () => [{ partitions: [{ partition: 0, offset: '0', metadata: null }] }],
    };
    return { consumer: () => consumer, admin: () => admin } as unknown as Kafka;
  }
}

/** Everything that can go on has gone on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a partition that comes back begins when all that was under way of it has ended', async () => {
  const group = new Group();
  const begun: ((started: Started) => void)[] = [];
  const consumer = new StageConsumer({
    kafka: group.kafka(),
    groupId: 'group',
    topic: 'topic',
    stage: { start: () => new Promise((resolve) => begun.push(resolve)) },
    log: { info: () => undefined, warn: () => undefined },
    sessionTimeoutMs: 10_000,
    fetchBytesMax: 1,
  });
  await consumer.start();
  group.assign(0);
  await turn();
  group.assign();
  group.assign(0);
  await turn();
  expect(begun).toHaveLength(1);

  const worker: PartitionWorker = { handle: async () => undefined, settled: async () => undefined };
  begun[0]!({ worker, offset: 'committed' });
  await turn();
  expect(begun).toHaveLength(2);
  begun[1]!({ worker, offset: 'committed' });
  await consumer.stop();
});

test('a partition that waits for the world lets go of its batch, so that the others are fetched; it goes on by itself', async () => {
  const group = new Group();
  const attempts: PromiseWithResolvers<Started>[] = [];
  const again = Promise.withResolvers<void>();
  const consumer = new StageConsumer({
    kafka: group.kafka(),
    groupId: 'group',
    topic: 'topic',
    stage: {
      start: () => {
        const attempt = Promise.withResolvers<Started>();
        if (attempts.push(attempt) === 2) again.resolve();
        return attempt.promise;
      },
    },
    log: { info: () => undefined, warn: () => undefined },
    sessionTimeoutMs: 10_000,
    fetchBytesMax: 1,
  });
  await consumer.start();
  group.assign(0);
  const first = group.fetched(0);
  await turn();
  attempts[0]!.reject(new OperationalError('no_index', 'lost', { retryable: true }));
  await first;
  expect(group.asked).toEqual(['pause']);
  await expect(consumer.requireRunning()).rejects.toThrow('topic/0 waits: lost');

  await again.promise;
  const handled = Promise.withResolvers<void>();
  const worker: PartitionWorker = {
    handle: async () => handled.resolve(),
    settled: async () => undefined,
  };
  attempts[1]!.resolve({ worker, offset: 0 });
  await turn();
  expect(group.asked).toEqual(['pause', 'seek', 'resume']);
  await group.fetched(0);
  await handled.promise;
  await consumer.requireRunning();
  await consumer.stop();
});
