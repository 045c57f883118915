import type { Kafka } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { boundsOf, readLog } from '#shared/adapters/kafka/read-log.ts';
import { createTopics, topicName, topicSpecs } from '#shared/adapters/kafka/topics.ts';
import { TransactionPool } from '#shared/adapters/kafka/transactions.ts';
import { type Stores, silent, startStores } from '#test/support/stores.ts';

let stores: Stores;
let kafka: Kafka;
const topic = topicName('serials.submitted');
const partitions = [0, 1, 2, 3, 4, 5];
const producersMax = 24;

beforeAll(async () => {
  stores = await startStores('kafka');
  kafka = createKafka({ brokers: stores.engines.urls.kafkaBrokers, clientId: 'test', log: silent });
  await createTopics(kafka, topicSpecs('local'));
});

afterAll(() => stores?.stop());

// KAFKA-20734: brokers of 4.1 to 4.4 may forget the markers of transactions that were committed, but not yet marked,
// when they were killed. Such a transaction is never seen, and nothing behind it either.
test('what was acknowledged before a broker was killed can be read after it has started again', async () => {
  const transactions = new TransactionPool(kafka, { instance: 'test', producersMax });
  await transactions.ready();
  const commit = async (name: string) => {
    const value = Buffer.from(name);
    await transactions.run((transaction) =>
      transaction.send(
        topic,
        partitions.map((partition) => ({ partition, value })),
      ),
    );
    return name;
  };
  const under = Array.from({ length: producersMax }, (_, i) => commit(`before ${i}`));
  const acknowledged: string[] = [];
  const half = Promise.withResolvers<void>();
  for (const each of under)
    each.then(
      (name) => {
        acknowledged.push(name);
        if (acknowledged.length === producersMax / 2) half.resolve();
      },
      () => undefined,
    );
  await half.promise;
  await stores.engines.restart('kafka');
  await Promise.allSettled(under);
  acknowledged.push(await commit('after'));
  await transactions.close();
  await expect
    .poll(() => missing(acknowledged), { timeout: 60_000, interval: 250 })
    .toEqual(partitions.map(() => []));
}, 180_000);

/** Of each partition: names that readers of committed transactions are not given at the moment. */
async function missing(names: readonly string[]): Promise<readonly (readonly string[])[]> {
  const seen = partitions.map(() => new Set<string>());
  const bounds = await boundsOf(kafka, topic);
  const ranges = [...bounds].map(([partition, { low, high }]) => ({ partition, from: low, to: high }));
  await readLog({
    kafka,
    topic,
    ranges,
    read: (message, partition) => {
      seen[partition]!.add(String(message.value));
      return undefined;
    },
  });
  return seen.map((given) => names.filter((name) => !given.has(name)));
}
