import type { Kafka } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import {
  checkTopics,
  createTopics,
  requireTopics,
  topicName,
  topicSpecs,
} from '#shared/adapters/kafka/topics.ts';
import { type Stores, silent, startStores } from '#test/support/stores.ts';

let stores: Stores;
let kafka: Kafka;
const specs = topicSpecs('local');

beforeAll(async () => {
  stores = await startStores('kafka');
  kafka = createKafka({ brokers: stores.engines.urls.kafkaBrokers, clientId: 'test', log: silent });
});

afterAll(async () => {
  await stores?.stop();
});

test('creates what is missing, four at once, and then finds nothing to say', async () => {
  await expect(requireTopics(kafka, 'local')).rejects.toMatchObject({
    code: 'topics_differ',
    retryable: false,
  });
  const created = await Promise.all([1, 2, 3, 4].map(() => createTopics(kafka, specs)));
  expect([...new Set(created.flat())].sort()).toEqual(specs.map(({ name }) => name).sort());
  expect(created.flat().length).toBe(specs.length);
  expect(await checkTopics(kafka, specs, 'local')).toEqual([]);
  expect(await createTopics(kafka, specs)).toEqual([]);
  expect(await requireTopics(kafka, 'local')).toEqual([]);
});

test('a topic that is otherwise is told in every respect, and not changed', async () => {
  const name = topicName('serials.listed');
  const wanted = specs.map((spec) =>
    spec.name === name
      ? { ...spec, partitions: spec.partitions + 1, retentionMs: 5_000, maxMessageBytes: 9_000_000 }
      : spec,
  );
  expect(await createTopics(kafka, wanted)).toEqual([]);
  expect(
    (await checkTopics(kafka, wanted, 'local')).map(
      ({ topic, weight, text }) => `${weight}: ${topic} ${text}`,
    ),
  ).toEqual([
    `refuse: ${name} has 6 partitions instead of 7`,
    `warn: ${name} has retention.ms 2592000000 instead of 5000`,
    `refuse: ${name} has max.message.bytes 2097152 instead of 9000000`,
  ]);
});

test('K7: a service of the production profile refuses to start on topics of one replica', async () => {
  await expect(requireTopics(kafka, 'production', ['serials.listed'])).rejects.toThrow(
    /has 6 partitions instead of 12; topic .* has replication factor 1 instead of 3; topic .* has min.insync.replicas 1/,
  );
  await expect(requireTopics(kafka, 'local', ['serials.listed'])).resolves.toEqual([]);
});

test('a broker that does not answer is the world', async () => {
  const nowhere = createKafka({ brokers: '127.0.0.1:1', clientId: 'test', log: silent });
  await expect(checkTopics(nowhere, specs, 'local')).rejects.toMatchObject({ retryable: true });
}, 60_000);
