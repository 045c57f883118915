import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { type Clickhouse, createClickhouse } from './clickhouse/client.ts';
import { createKafka } from './kafka/client.ts';
import { closeRedis, createRedis, type RedisClient } from './redis/client.ts';

type OnClose = (name: string, close: () => Promise<unknown>) => void;

/** Engines by URL, as every service opens them: closed in reverse order when the service drains. */
export interface EngineContext<C> {
  readonly config: C;
  readonly log: Logger;
  readonly onClose: OnClose;
}

export function openKafka(
  name: string,
  { config, log }: EngineContext<{ readonly kafkaBrokers: string; readonly instance: string }>,
): Kafka {
  return createKafka({ brokers: config.kafkaBrokers, clientId: `${name}-${config.instance}`, log });
}

export function openClickhouse({
  config,
  log,
  onClose,
}: EngineContext<{
  readonly clickhouseUrl: string;
  readonly clickhouseUser: string;
  readonly clickhousePassword: string;
  readonly clickhouseDatabase: string;
  readonly clickhouseTimeoutMs: number;
}>): Clickhouse {
  const clickhouse = createClickhouse({
    url: config.clickhouseUrl,
    username: config.clickhouseUser,
    password: config.clickhousePassword,
    database: config.clickhouseDatabase,
    timeoutMs: config.clickhouseTimeoutMs,
    log,
  });
  onClose('clickhouse', () => clickhouse.close());
  return clickhouse;
}

export function openRedis({
  config,
  log,
  onClose,
}: EngineContext<{ readonly redisUrl: string }>): RedisClient {
  const redis = createRedis({ url: config.redisUrl, log });
  onClose('redis', () => closeRedis(redis));
  return redis;
}
