import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listLetters } from '#scripts/dead-letters/letters.ts';
import { urlEnv } from '#scripts/engines/engines.ts';
import { openContext, type RecoveryContext } from '#scripts/recovery/context.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { keepDeadLetter } from '#shared/adapters/kafka/dead-letters.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { createTopics, topicName, topicSpecs } from '#shared/adapters/kafka/topics.ts';
import { type Stores, startStores } from '#test/support/stores.ts';

let stores: Stores;
let context: RecoveryContext;
let close: () => Promise<void>;
let publisher: Publisher;

beforeAll(async () => {
  stores = await startStores('kafka', 'clickhouse');
  const { urls } = stores.engines;
  // Neither is asked for anything here.
  const others = { SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1' };
  const opened = openContext('test', { ...urlEnv(urls), ...others });
  if ('faults' in opened) throw new Error(opened.faults.join());
  ({ context, close } = opened);
  publisher = new Publisher(context.kafka);
  const apart = stores.clickhouse('default');
  await createTopics(context.kafka, topicSpecs('local'));
  await migrate(context.clickhouse, apart, { now: () => new Date() });
  await apart.close();
});

afterAll(async () => {
  await publisher?.close();
  await close?.();
  await stores?.stop();
});

test('a letter that the table never heard of is settled when the ledger has its rows, and waits when it has not', async () => {
  const arrived = randomUUID();
  const missing = randomUUID();
  for (const [offset, submission] of [arrived, missing].entries())
    await keepDeadLetter(publisher, {
      stage: 'ledger-writer',
      topic: topicName('serials.decided'),
      partition: 0,
      message: { offset, key: null, value: Buffer.from('bytes'), headers: {}, timestamp: 0 },
      origin: offset,
      submission,
      batch: 3,
      rows: 2,
      cause: 'refused',
    });
  const outcomes = { partition: 0, origin: 0, rows: 2, outcomes: { registered: 2 } };
  // Another batch of the same submission says nothing of this one.
  await context.clickhouse.insertRows('batch_outcomes', [
    { submission: arrived, batch: 3, ...outcomes },
    { submission: missing, batch: 4, ...outcomes },
  ]);
  const letters = await listLetters(context, {});
  expect(letters.map(({ submission, state }) => [submission, state])).toEqual([
    [arrived, 'settled'],
    [missing, 'waiting'],
  ]);
});
