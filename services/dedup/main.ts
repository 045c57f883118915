import { deadOrigins } from '#shared/adapters/clickhouse/dead-letters.ts';
import { openGeneration } from '#shared/adapters/clickhouse/index-generations.ts';
import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { openClickhouse, openKafka, openRedis } from '#shared/adapters/engines.ts';
import { StageConsumer } from '#shared/adapters/kafka/consumer.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import {
  indexPrefix,
  requireTopics,
  serialPartitions,
  topicName,
  topicsGeneration,
} from '#shared/adapters/kafka/topics.ts';
import { checkRedis } from '#shared/adapters/redis/client.ts';
import { RedisStateStore } from '#shared/adapters/redis/state-store.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { Codec } from '#shared/codec/codec.ts';
import { withFailurePoints } from '#shared/runtime/failure-points.ts';
import { IndexProbe } from '#shared/runtime/index-probe.ts';
import { runService } from '#shared/runtime/service.ts';
import { bucketsOf, dedupSettings } from './config.ts';
import { DedupPartition } from './partition.ts';
import { createPorts } from './ports.ts';

await runService('dedup', dedupSettings, async (context) => {
  const { config, log, metrics, turned, at, onClose } = context;
  const kafka = openKafka('dedup', context);
  const clickhouse = openClickhouse(context);
  const redis = openRedis(context);
  await requireTopics(kafka, config.topicsProfile);
  await requireMigrations(clickhouse);
  await checkRedis(redis);

  const codec = await Codec.open(openRegistry(config.registryUrl), {
    [topicName('serials.listed')]: 'ListedBatch',
    [topicName('serials.decided')]: 'DecidedBatch',
  });
  const publisher = new Publisher(kafka, { sending: () => consumer.working });
  onClose('publisher', () => publisher.close());
  const store = withFailurePoints(new RedisStateStore(redis, indexPrefix), at, {
    activate: 'dedup.activate',
    apply: 'dedup.apply',
    trim: 'dedup.trim',
  });
  const probe = new IndexProbe(store);
  const buckets = bucketsOf(config, serialPartitions(config.topicsProfile));

  const consumer = new StageConsumer({
    kafka,
    groupId: `dedup.g${topicsGeneration}`,
    topic: topicName('serials.listed'),
    sessionTimeoutMs: config.sessionTimeoutMs,
    fetchBytesMax: config.fetchBytesMax,
    log,
    failurePoint: (name) => at(`dedup.${name}`),
    onTurn: turned,
    onBacklog: (partition, messages) => metrics.lag.set({ stage: 'dedup', partition }, messages),
    onRestart: () => metrics.restarts.inc({ stage: 'dedup' }),
    stage: {
      async start(partition, control) {
        const scope = String(partition);
        const index = await openGeneration(clickhouse, store, {
          scope,
          topicGeneration: topicsGeneration,
          buckets,
        });
        const place = { name: scope, generation: index.generation };
        const started = await DedupPartition.start(
          place,
          index,
          withFailurePoints(
            createPorts({
              partition,
              store,
              codec,
              publisher,
              metrics,
              deadLettersInRowMax: config.deadLettersInRowMax,
              deadBefore: await deadOrigins(clickhouse, 'dedup', partition),
            }),
            at,
            { publish: 'dedup.publish', deadLetter: 'dedup.dead-letter' },
          ),
          control,
        );
        probe.watch({ scope: place, worker: started.worker, control });
        return started;
      },
    },
  });
  onClose('consumer', () => consumer.stop());
  await consumer.start();
  probe.runUntilClose(context);
  return {
    failed: consumer.failed,
    dependencies: {
      kafka: () => consumer.ping(),
      partitions: () => consumer.requireRunning(),
      redis: () => checkRedis(redis),
      index: () => probe.check(),
      clickhouse: () => clickhouse.ping(),
    },
  };
});
