import type { Kafka } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { readLog } from '#shared/adapters/kafka/read-log.ts';
import { createTopics, topicName, topicSpecs } from '#shared/adapters/kafka/topics.ts';
import { type Stores, silent, startStores } from '#test/support/stores.ts';

let stores: Stores;
let kafka: Kafka;
let publisher: Publisher;
const topic = topicName('serials.submitted');
const partitions = [0, 1, 2, 3, 4, 5];

beforeAll(async () => {
  stores = await startStores('kafka');
  kafka = createKafka({ brokers: stores.engines.urls.kafkaBrokers, clientId: 'test', log: silent });
  await createTopics(kafka, topicSpecs('local'));
  publisher = new Publisher(kafka);
});

afterAll(async () => {
  await publisher?.close();
  await stores?.stop();
});

test('sends of many at once: each is told the offsets of its own messages, and finds its order kept', async () => {
  // Ticks and several partitions in one send, and partitions that several sends share; some need a request of their own.
  const sends = Array.from({ length: 40 }, (_, send) =>
    Array.from({ length: 1 + (send % 5) }, (_message, i) => ({
      partition: partitions[(send * (i + 1)) % partitions.length]!,
      value: Buffer.alloc(send % 3 === 0 ? 170_000 : 10, `${send}.${i} `),
    })),
  );
  const answers = await Promise.all(sends.map((messages) => publisher.send(topic, messages)));

  const log = new Map(partitions.map((partition) => [partition, [] as string[]]));
  const counts = new Map(partitions.map((partition) => [partition, 0]));
  for (const { partition } of sends.flat()) counts.set(partition, counts.get(partition)! + 1);
  await readLog({
    kafka,
    topic,
    ranges: partitions.map((partition) => ({ partition, from: 0, to: counts.get(partition)! })),
    read: (message, partition) => {
      log.get(partition)![message.offset] = String(message.value).split(' ')[0]!;
      return undefined;
    },
  });
  sends.forEach((messages, send) => {
    const next = new Map(answers[send]);
    messages.forEach(({ partition }, i) => {
      const offset = next.get(partition)!;
      expect(log.get(partition)![offset], `message ${i} of send ${send} in partition ${partition}`).toBe(
        `${send}.${i}`,
      );
      next.set(partition, offset + 1);
    });
  });
});

test('a request that the broker refuses rejects whoever was in it, and the next one goes through', async () => {
  const tooLarge = publisher.send(topic, [{ partition: 0, value: Buffer.alloc(3_000_000) }]);
  await expect(tooLarge).rejects.toMatchObject({ code: 'kafka_unavailable', retryable: false });
  expect((await publisher.send(topic, [{ partition: 1, value: Buffer.from('x') }])).get(1)).toBeGreaterThan(
    0,
  );
});
