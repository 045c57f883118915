import type { Kafka } from 'kafkajs';
import { pino } from 'pino';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { serialPartitions, type TopicsProfile } from '#shared/adapters/kafka/topics.ts';
import { closeRedis, createRedis, type RedisClient } from '#shared/adapters/redis/client.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { OperationalError } from '#shared/base/errors.ts';
import type { RegistryPort } from '#shared/codec/codec.ts';
import { readConfig, text } from '#shared/runtime/config.ts';
import { clickhouseSettings, redisSettings } from '#shared/runtime/engine-settings.ts';

/** What tools need that look at all engines at once. */
export interface RecoveryContext {
  readonly kafka: Kafka;
  readonly clickhouse: Clickhouse;
  readonly redis: RedisClient;
  readonly registry: RegistryPort;
  readonly profile: TopicsProfile;
  /** Partitions of the serials. */
  readonly partitions: number;
}

export const recoverySettings = {
  ...kafkaSettings,
  registryUrl: text('SCHEMA_REGISTRY_URL', 'Confluent-compatible schema registry'),
  ...clickhouseSettings,
  ...redisSettings,
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Engines by URL, as the services have them. Faults of the environment are reported together. */
export function openContext(
  tool: string,
  env: Environment,
): { readonly context: RecoveryContext; close(): Promise<void> } | { readonly faults: readonly string[] } {
  const read = readConfig(recoverySettings, env);
  if ('faults' in read) return read;
  const { config } = read;
  const log = pino({ name: tool, level: 'silent' });
  const clickhouse = createClickhouse({
    url: config.clickhouseUrl,
    username: config.clickhouseUser,
    password: config.clickhousePassword,
    database: config.clickhouseDatabase,
    log,
  });
  const redis = createRedis({ url: config.redisUrl, log });
  return {
    context: {
      kafka: createKafka({ brokers: config.kafkaBrokers, clientId: tool, log }),
      clickhouse,
      redis,
      registry: openRegistry(config.registryUrl),
      profile: config.topicsProfile,
      partitions: serialPartitions(config.topicsProfile),
    },
    async close() {
      await closeRedis(redis).catch(() => undefined);
      await clickhouse.close();
    },
  };
}

export const say = (line: string): void => void process.stdout.write(`${line}\n`);
export const complain = (line: string): void => void process.stderr.write(`${line}\n`);
export const count = (value: number): string => value.toLocaleString('en-AU');

/**
 * The life of a tool: its arguments, the engines, its work. Exit code 2: it could not do what it was asked, for its
 * arguments, its environment, or an engine.
 */
export async function runTool<A>(options: {
  readonly name: string;
  readonly usage: string;
  readonly argv: readonly string[];
  readonly env: Environment;
  /** The arguments, or what is wrong with them. */
  readonly read: (argv: readonly string[]) => A | string;
  readonly work: (context: RecoveryContext, given: A) => Promise<number>;
}): Promise<number> {
  let given: A | string;
  try {
    given = options.read(options.argv);
  } catch (error) {
    given = (error as Error).message;
  }
  if (options.argv.includes('--help')) {
    say(options.usage);
    return 0;
  }
  if (typeof given === 'string') {
    complain(`${given}\n${options.usage}`);
    return 2;
  }
  const opened = openContext(options.name, options.env);
  if ('faults' in opened) {
    for (const fault of opened.faults) complain(fault);
    return 2;
  }
  try {
    return await options.work(opened.context, given);
  } catch (error) {
    // Whatever it was: the exit code says that nothing was found out, not what was found.
    const why = error instanceof OperationalError ? error.message : (error as Error).stack;
    complain(`${options.name} could not be done: ${why}`);
    return 2;
  } finally {
    await opened.close();
  }
}
