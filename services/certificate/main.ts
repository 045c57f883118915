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
import type { Stage } from '#shared/runtime/stage.ts';
import { certificateSettings } from './config.ts';
import { claimsScope } from './decide/claims-state.ts';
import { DecidePartition } from './decide/partition.ts';
import { createDecidePorts } from './decide/ports.ts';
import { createLedger } from './gather/ledger.ts';
import { GatherPartition } from './gather/partition.ts';
import { createGatherPorts } from './gather/ports.ts';
import { LedgerQuestions } from './gather/questions.ts';

await runService('certificate', certificateSettings, async (context) => {
  const { config, log, metrics, turned, at, onClose } = context;
  const kafka = openKafka('certificate', context);
  const clickhouse = openClickhouse(context);
  const redis = openRedis(context);
  await requireTopics(kafka, config.topicsProfile);
  await requireMigrations(clickhouse);
  await checkRedis(redis);

  const codec = await Codec.open(openRegistry(config.registryUrl), {
    [topicName('serials.submitted')]: 'SerialBatch',
    [topicName('claims.submitted')]: 'ClaimEvent',
    [topicName('claims.evidenced')]: 'EvidencedClaim',
    [topicName('claims.decided')]: 'DecidedClaim',
  });
  const publisher = new Publisher(kafka);
  onClose('publisher', () => publisher.close());
  const store = withFailurePoints(new RedisStateStore(redis, indexPrefix), at, {
    activate: 'certificate.decide.activate',
    apply: 'certificate.decide.apply',
    trim: 'certificate.decide.trim',
  });
  const probe = new IndexProbe(store);
  const partitions = serialPartitions(config.topicsProfile);
  const questions = new LedgerQuestions(
    withFailurePoints(createLedger({ clickhouse, publisher, codec, partitions }), at, {
      tick: 'certificate.gather.tick',
    }),
  );

  const gather: Stage = {
    async start(partition, control) {
      const ports = createGatherPorts({
        partition,
        questions,
        serialPartitions: partitions,
        waitMsMax: config.ledgerWaitMs,
        deadLettersInRowMax: config.deadLettersInRowMax,
        codec,
        publisher,
        clickhouse,
        metrics,
      });
      const pointed = withFailurePoints(ports, at, {
        publish: 'certificate.gather.publish',
        deadLetter: 'certificate.gather.dead-letter',
      });
      return { worker: new GatherPartition(partition, pointed, control), offset: 'committed' };
    },
  };

  const decide: Stage = {
    async start(_partition, control) {
      const { generation } = await openGeneration(clickhouse, store, {
        scope: claimsScope,
        topicGeneration: topicsGeneration,
        buckets: 0,
      });
      const ports = createDecidePorts({
        store,
        codec,
        publisher,
        clickhouse,
        metrics,
        deadLettersInRowMax: config.deadLettersInRowMax,
        deadBefore: await deadOrigins(clickhouse, 'decide', 0),
      });
      const pointed = withFailurePoints(ports, at, {
        publish: 'certificate.decide.publish',
        deadLetter: 'certificate.decide.dead-letter',
      });
      const place = { name: claimsScope, generation };
      const started = await DecidePartition.start(place, pointed, control);
      probe.watch({ scope: place, worker: started.worker, control });
      return started;
    },
  };

  const stages = [
    { name: 'gather', topic: 'claims.submitted', stage: gather },
    { name: 'decide', topic: 'claims.evidenced', stage: decide },
  ] as const;
  const consumers = stages.map(({ name, topic, stage }) => {
    const consumer = new StageConsumer({
      kafka,
      groupId: `certificate.${name}.g${topicsGeneration}`,
      topic: topicName(topic),
      stage,
      sessionTimeoutMs: config.sessionTimeoutMs,
      fetchBytesMax: config.fetchBytesMax,
      log,
      failurePoint: (moment) => at(`certificate.${name}.${moment}`),
      onTurn: turned,
      onBacklog: (partition, messages) => metrics.lag.set({ stage: name, partition }, messages),
      onRestart: () => metrics.restarts.inc({ stage: name }),
    });
    onClose(`consumer of ${topic}`, () => consumer.stop());
    return consumer;
  });
  await Promise.all(consumers.map((consumer) => consumer.start()));
  probe.runUntilClose(context);
  return {
    failed: Promise.race(consumers.map((consumer) => consumer.failed)),
    dependencies: {
      kafka: () => consumers[0]!.ping(),
      partitions: async () => {
        for (const consumer of consumers) await consumer.requireRunning();
      },
      redis: () => checkRedis(redis),
      index: () => probe.check(),
      clickhouse: () => clickhouse.ping(),
    },
  };
});
