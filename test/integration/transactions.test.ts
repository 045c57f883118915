import type { Kafka } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { createTopics, topicName, topicSpecs } from '#shared/adapters/kafka/topics.ts';
import { TransactionPool } from '#shared/adapters/kafka/transactions.ts';
import { startTestEngines, type TestEngines } from '#test/support/engines.ts';
import { silent } from '#test/support/stores.ts';

let engines: TestEngines;
let kafka: Kafka;
beforeAll(async () => {
  engines = await startTestEngines('kafka');
  kafka = createKafka({
    brokers: engines.engines.urls.kafkaBrokers,
    clientId: 'transactions-test',
    log: silent,
  });
  await createTopics(kafka, topicSpecs('local'));
});
afterAll(() => engines?.stop());

test('a process that starts ends the transactions that the one before it left open: no reader waits for their time-out', async () => {
  const topic = topicName('serials.submitted');
  const message = { partition: 0, value: Buffer.from('left open') };
  const open = () => new TransactionPool(kafka, { instance: 'gateway-7', producersMax: 3 });
  const dead = open();
  let next: TransactionPool | undefined;
  try {
    await dead.ready();
    const attempt = dead.run(async (transaction) => {
      await transaction.send(topic, [message]);
      next = open();
      await next.ready();
      await transaction.send(topic, [message]);
    });
    await expect(attempt).rejects.toMatchObject({ code: 'kafka_unavailable' });
  } finally {
    await dead.close();
    await next?.close();
  }
});
