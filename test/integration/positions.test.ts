import type { Kafka, Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKafka, withAdmin } from '#shared/adapters/kafka/client.ts';
import { StageConsumer } from '#shared/adapters/kafka/consumer.ts';
import type { PartitionWorker } from '#shared/runtime/stage.ts';
import { startTestEngines, type TestEngines } from '#test/support/engines.ts';
import { silent } from '#test/support/stores.ts';

/**
 * K6: a position outside the log stops the process. Left to itself the client would silently read from the beginning, or
 * pass over what it has not read.
 */
let engines: TestEngines;
let kafka: Kafka;
let producer: Producer;
const messages = 10;
const firstKept = 5;

beforeAll(async () => {
  engines = await startTestEngines('kafka');
  kafka = createKafka({ brokers: engines.engines.urls.kafkaBrokers, clientId: 'test', log: silent });
  producer = kafka.producer();
  await producer.connect();
});

afterAll(async () => {
  await producer?.disconnect();
  await engines?.stop();
});

async function topicOf(name: string): Promise<string> {
  await withAdmin(kafka, 'make a topic', async (admin) => {
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: name, numPartitions: 1 }] });
    await producer.send({
      topic: name,
      acks: -1,
      messages: Array.from({ length: messages }, (_, i) => ({ partition: 0, value: String(i) })),
    });
    // Records are deleted only of a topic that this client has heard of.
    await admin.fetchTopicOffsets(name);
    await admin.deleteTopicRecords({
      topic: name,
      partitions: [{ partition: 0, offset: String(firstKept) }],
    });
  });
  return name;
}

/** Consumes from where a store says that it stands. */
async function consume(topic: string, offset: number) {
  const read: number[] = [];
  const all = Promise.withResolvers<void>();
  const worker: PartitionWorker = {
    async handle(batch) {
      read.push(...batch.map((message) => message.offset));
      if (read.at(-1) === messages - 1) all.resolve();
    },
    settled: async () => undefined,
  };
  const consumer = new StageConsumer({
    kafka,
    groupId: `group of ${topic} at ${offset}`,
    topic,
    stage: { start: async () => ({ worker, offset }) },
    log: silent,
    sessionTimeoutMs: 10_000,
    fetchBytesMax: 1_048_576,
  });
  await consumer.start();
  return { consumer, read, all: all.promise };
}

test.each([
  ['retention has passed it', firstKept - 1],
  ['the topic was recreated, or its store is newer than the log', messages + 1],
])('%s: the process stops and says what to do (must survive 12)', async (what, offset) => {
  const { consumer, read } = await consume(await topicOf(`positions-${what.length}`), offset);
  await expect(consumer.failed).rejects.toThrow(
    new RegExp(
      `position ${offset} of positions-\\d+/0 lies outside the log \\(5 to 10\\).*before starting again`,
    ),
  );
  expect(read).toEqual([]);
  await consumer.stop();
});

test.each([
  ['the first that is kept', firstKept],
  ['the last', messages - 1],
])('a position inside the log: %s', async (what, offset) => {
  const { consumer, read, all } = await consume(await topicOf(`inside-${what.length}`), offset);
  await all;
  expect(read).toEqual(Array.from({ length: messages - offset }, (_, i) => offset + i));
  await consumer.stop();
});
