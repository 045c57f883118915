import type { Kafka } from 'kafkajs';
import { expect, test } from 'vitest';
import type { PartitionWorker, Started } from '#shared/runtime/stage.ts';
import { StageConsumer } from './consumer.ts';

/** What the group tells a member, and a broker that answers at once. */
class Group {
  readonly #listeners = new Map<string, (event: { payload: unknown }) => void>();

  assign(...partitions: number[]): void {
    this.#listeners.get('join')?.({ payload: { memberAssignment: { topic: partitions } } });
  }

  kafka(): Kafka {
    const done = async () => undefined;
    const consumer = {
      events: { GROUP_JOIN: 'join', START_BATCH_PROCESS: 'batch', CRASH: 'crash', FETCH_START: 'fetch' },
      on: (name: string, listener: (event: { payload: unknown }) => void) =>
        this.#listeners.set(name, listener),
      ...{ connect: done, subscribe: done, run: done, seek: () => undefined, disconnect: done },
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
