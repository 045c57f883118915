import type { Kafka } from 'kafkajs';
import { ListingPartition } from '#cec-validation/partition.ts';
import { createPorts as listingPorts } from '#cec-validation/ports.ts';
import { DedupPartition } from '#dedup/partition.ts';
import { createPorts as dedupPorts } from '#dedup/ports.ts';
import { createPorts as ledgerPorts } from '#ledger-writer/ports.ts';
import { TargetWriter } from '#ledger-writer/target.ts';
import { targets } from '#ledger-writer/targets.ts';
import { deadOrigins } from '#shared/adapters/clickhouse/dead-letters.ts';
import { openGeneration } from '#shared/adapters/clickhouse/index-generations.ts';
import { StageConsumer } from '#shared/adapters/kafka/consumer.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicsGeneration } from '#shared/adapters/kafka/topics.ts';
import type { Codec } from '#shared/codec/codec.ts';
import { createMetrics } from '#shared/runtime/metrics.ts';
import { repeatedly } from '#shared/runtime/repeatedly.ts';
import type { Stage } from '#shared/runtime/stage.ts';
import type { Broker, Client } from './broker.ts';
import { topics } from './codecs.ts';
import type { Ledger } from './ledger.ts';
import type { Redis } from './redis.ts';

/** The engines that the stages run on. */
export interface Engines {
  readonly broker: Broker;
  readonly redis: Redis;
  readonly ledger: Ledger;
  readonly codec: Codec;
  readonly note: (text: string) => void;
}

export const indexBuckets = 4;

// Nobody reads them here, and making them takes long.
const metrics = createMetrics('simulation');
// Deployments that can read nothing are not among the faults.
const deadLettersInRowMax = 1_000;
const refreshIntervalMs = 2_000;
const sessionTimeoutMs = 5_000;

export const stages = {
  'cec-validation': { topic: topics.submitted, run: runListing },
  dedup: { topic: topics.listed, run: runDedup },
  'ledger-writer': { topic: topics.decided, run: runLedgerWriter },
} as const;
export type StageName = keyof typeof stages;

export function groupOf(stage: StageName): string {
  return `${stage}.g${topicsGeneration}`;
}

/** What a running service offers: how it fails, and how it ends in order. */
export interface Service {
  readonly failed: Promise<never>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

// Each as its main.ts wires it, on the engines of the simulation.

function runListing(engines: Engines, client: Client): Service {
  const { redis, codec } = engines;
  const publisher = publisherOf(client);
  return consume('cec-validation', engines, client, {
    start: async (partition, control) => ({
      worker: new ListingPartition(
        listingPorts({ partition, lists: redis.lists(), codec, publisher, metrics }),
        control,
        deadLettersInRowMax,
      ),
      offset: 'committed',
    }),
  });
}

function runDedup(engines: Engines, client: Client): Service {
  const { redis, ledger, codec } = engines;
  const store = redis.store();
  const publisher = publisherOf(client);
  return consume('dedup', engines, client, {
    async start(partition, control) {
      const scope = String(partition);
      const index = await openGeneration(ledger.client(), store, {
        scope,
        topicGeneration: topicsGeneration,
        buckets: indexBuckets,
      });
      return DedupPartition.start(
        { name: scope, generation: index.generation },
        index,
        dedupPorts({
          partition,
          store,
          codec,
          publisher,
          metrics,
          deadLettersInRowMax,
          deadBefore: await deadOrigins(ledger.client(), 'dedup', partition),
        }),
        control,
      );
    },
  });
}

function runLedgerWriter(engines: Engines, client: Client): Service {
  const { broker, ledger, codec, note } = engines;
  const { random } = broker.scheduler;
  const target = targets.find(({ topic }) => topic === topics.decided)!;
  const writer = new TargetWriter({
    target,
    clickhouse: ledger.client(),
    codec,
    linger: {
      insertRowsMax: random.between(1, 30),
      lingerMsMax: random.pick([0, 100]),
      fullRateRows: 10,
    },
    ports: ledgerPorts({ target, publisher: publisherOf(client), metrics, deadLettersInRowMax }),
    waiting: (error) => note(`${client.process.name} waits: ${error.message}`),
  });
  const consumer = consume('ledger-writer', engines, client, {
    start: async (partition, control) => ({
      worker: await writer.start(partition, control),
      offset: 'committed',
    }),
  });
  const settling = repeatedly(refreshIntervalMs, () => writer.refresh(), {
    warn: (details: object) =>
      note(`${client.process.name}: not settled this time ${(details as { err: Error }).err.message}`),
  });
  return {
    failed: consumer.failed,
    start: () => consumer.start(),
    stop: async () => {
      await settling();
      writer.inserter.drain();
      await consumer.stop();
    },
  };
}

function tellOf(engines: Engines, client: Client): (details: object, message: string) => void {
  return (details, message) =>
    engines.note(`${client.process.name}: ${message} ${(details as { reason?: string }).reason ?? ''}`);
}

function publisherOf(client: Client): Publisher {
  return new Publisher(client as unknown as Kafka);
}

function consume(stage: StageName, engines: Engines, client: Client, work: Stage): StageConsumer {
  const tell = tellOf(engines, client);
  return new StageConsumer({
    kafka: client as unknown as Kafka,
    groupId: groupOf(stage),
    topic: stages[stage].topic,
    stage: work,
    sessionTimeoutMs,
    fetchBytesMax: 1,
    log: { info: tell, warn: tell },
  });
}
