import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { openClickhouse, openKafka } from '#shared/adapters/engines.ts';
import { StageConsumer } from '#shared/adapters/kafka/consumer.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import {
  requireTopics,
  serialPartitions,
  topicName,
  topicsGeneration,
} from '#shared/adapters/kafka/topics.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { Codec } from '#shared/codec/codec.ts';
import { withFailurePoints } from '#shared/runtime/failure-points.ts';
import { repeatedly } from '#shared/runtime/repeatedly.ts';
import { runService } from '#shared/runtime/service.ts';
import { Alarms } from './alarms.ts';
import { ledgerWriterSettings } from './config.ts';
import { createPorts } from './ports.ts';
import { TargetWriter } from './target.ts';
import { targets } from './targets.ts';

/** How often a writer looks whether a dead letter that holds it back was settled by somebody else. */
const refreshIntervalMs = 2_000;

await runService('ledger-writer', ledgerWriterSettings, async (context) => {
  const { config, log, metrics, turned, at, onClose } = context;
  const kafka = openKafka('ledger-writer', context);
  const clickhouse = openClickhouse(context);
  await requireTopics(kafka, config.topicsProfile);
  await requireMigrations(clickhouse);
  const codec = await Codec.open(
    openRegistry(config.registryUrl),
    Object.fromEntries(targets.map(({ topic, schema }) => [topic, schema])),
  );
  const publisher = new Publisher(kafka);
  onClose('publisher', () => publisher.close());

  const writers: TargetWriter[] = [];
  const consumers = targets.map((target) => {
    const writer = new TargetWriter({
      target,
      clickhouse: withFailurePoints(clickhouse, at, {
        insertRaw: `ledger-writer.${target.schema}.insert`,
        insertRows: (table: string) => `ledger-writer.${target.schema}.${table}`,
      }),
      codec,
      linger: config,
      ports: withFailurePoints(
        createPorts({
          target,
          publisher,
          metrics,
          deadLettersInRowMax: config.deadLettersInRowMax,
        }),
        at,
        { keepBytes: `ledger-writer.${target.schema}.dead-letter` },
      ),
      waiting: (error, failures) =>
        log.warn({ err: error, failures, topic: target.topic }, 'waiting to insert'),
    });
    writers.push(writer);
    const stage = target.schema;
    const consumer = new StageConsumer({
      kafka,
      groupId: `ledger-writer.${stage}.g${topicsGeneration}`,
      topic: target.topic,
      sessionTimeoutMs: config.sessionTimeoutMs,
      fetchBytesMax: config.fetchBytesMax,
      log,
      failurePoint: (name) => at(`ledger-writer.${stage}.${name}`),
      onTurn: turned,
      onBacklog: (partition, messages) => metrics.lag.set({ stage, partition }, messages),
      onRestart: () => metrics.restarts.inc({ stage }),
      stage: {
        start: async (partition, control) => ({
          worker: await writer.start(partition, control),
          offset: 'committed',
        }),
      },
    });
    onClose(`consumer of ${target.topic}`, async () => {
      writer.inserter.drain();
      await consumer.stop();
    });
    return consumer;
  });
  await Promise.all(consumers.map((consumer) => consumer.start()));

  const alarms = new Alarms({
    clickhouse,
    registry: metrics.registry,
    decidedTopic: topicName('serials.decided'),
    partitions: serialPartitions(config.topicsProfile),
    windowMs: config.alarmWindowHours * 3_600_000,
    now: Date.now,
    alarm: (details, sentence) => log.error(details, sentence),
  });
  const settling = async () => {
    for (const writer of writers) await writer.refresh();
  };
  onClose('settling', repeatedly(refreshIntervalMs, settling, log));
  onClose(
    'alarms',
    repeatedly(config.alarmIntervalMs, () => alarms.look(), log),
  );
  return {
    failed: Promise.race(consumers.map((consumer) => consumer.failed)),
    dependencies: {
      kafka: () => consumers[0]!.ping(),
      partitions: async () => {
        for (const consumer of consumers) await consumer.requireRunning();
      },
      clickhouse: () => clickhouse.ping(),
    },
  };
});
