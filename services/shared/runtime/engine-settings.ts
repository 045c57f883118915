import { secret, text, whole } from './config.ts';

/** Settings of the engines, the same in every service that uses them. */
export const clickhouseSettings = {
  clickhouseUrl: text('CLICKHOUSE_URL', 'ClickHouse over HTTP, http://host:port'),
  clickhouseDatabase: text('CLICKHOUSE_DATABASE', 'database of the ledger', 'ledger'),
  clickhouseUser: text('CLICKHOUSE_USER', 'user of this service', 'default'),
  clickhousePassword: secret('CLICKHOUSE_PASSWORD', 'password of that user', ''),
  clickhouseTimeoutMs: whole('CLICKHOUSE_TIMEOUT_MS', 'how long a call waits for its answer', {
    least: 1_000,
    most: 600_000,
    fallback: 30_000,
  }),
} as const;

export const redisSettings = {
  redisUrl: secret(
    'REDIS_URL',
    'Redis, redis://[user:password@]host:port; with further nodes behind commas, a Redis Cluster',
  ),
} as const;

export const consumerSettings = {
  sessionTimeoutMs: whole('SESSION_TIMEOUT_MS', 'a worker that is silent for so long loses its partitions', {
    least: 6_000,
    most: 300_000,
    fallback: 10_000,
  }),
  fetchBytesMax: whole('FETCH_BYTES_MAX', 'bytes of one partition in one fetch', {
    least: 65_536,
    most: 16_777_216,
    fallback: 4_194_304,
  }),
  deadLettersInRowMax: whole(
    'DEAD_LETTERS_IN_ROW_MAX',
    'messages of one partition in a row that may be set aside as dead letters; one more stops the worker',
    { least: 1, most: 1_000_000, fallback: 20 },
  ),
} as const;
