import { openKafka, openRedis } from '#shared/adapters/engines.ts';
import { StageConsumer } from '#shared/adapters/kafka/consumer.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { requireTopics, topicName, topicsGeneration } from '#shared/adapters/kafka/topics.ts';
import { checkRedis } from '#shared/adapters/redis/client.ts';
import { ApprovedLists } from '#shared/adapters/redis/lists.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { Codec } from '#shared/codec/codec.ts';
import { listingKeys } from '#shared/domain/listing/listing.ts';
import { withFailurePoints } from '#shared/runtime/failure-points.ts';
import { runService } from '#shared/runtime/service.ts';
import { cecValidationSettings } from './config.ts';
import { ListingPartition } from './partition.ts';
import { createPorts } from './ports.ts';

const stage = 'cec-validation';

await runService(stage, cecValidationSettings, async (context) => {
  const { config, log, metrics, turned, at, onClose } = context;
  const kafka = openKafka(stage, context);
  const redis = openRedis(context);
  await requireTopics(kafka, config.topicsProfile);
  await checkRedis(redis);
  const codec = await Codec.open(openRegistry(config.registryUrl), {
    [topicName('serials.submitted')]: 'SerialBatch',
    [topicName('serials.listed')]: 'ListedBatch',
  });
  const publisher = new Publisher(kafka, { sending: () => consumer.working });
  onClose('publisher', () => publisher.close());
  const lists = new ApprovedLists(redis, listingKeys);

  const consumer = new StageConsumer({
    kafka,
    groupId: `${stage}.g${topicsGeneration}`,
    topic: topicName('serials.submitted'),
    sessionTimeoutMs: config.sessionTimeoutMs,
    fetchBytesMax: config.fetchBytesMax,
    log,
    failurePoint: (name) => at(`${stage}.${name}`),
    onTurn: turned,
    onBacklog: (partition, messages) => metrics.lag.set({ stage, partition }, messages),
    onRestart: () => metrics.restarts.inc({ stage }),
    stage: {
      start: async (partition, control) => ({
        worker: new ListingPartition(
          withFailurePoints(createPorts({ partition, lists, codec, publisher, metrics }), at, {
            publish: `${stage}.publish`,
            deadLetter: `${stage}.dead-letter`,
          }),
          control,
          config.deadLettersInRowMax,
        ),
        offset: 'committed',
      }),
    },
  });
  onClose('consumer', () => consumer.stop());
  await consumer.start();
  return {
    failed: consumer.failed,
    dependencies: {
      kafka: () => consumer.ping(),
      partitions: () => consumer.requireRunning(),
      redis: () => checkRedis(redis),
    },
  };
});
