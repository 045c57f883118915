import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { OperationalError } from '#shared/base/errors.ts';

export interface RedisOptions {
  /** redis://[user:password@]host:port[/db], or rediss:// */
  readonly url: string;
  readonly log: Logger;
  readonly commandTimeoutMs?: number;
}

/**
 * One connection. It reconnects by itself for ever; a command given meanwhile waits for two attempts and then fails with
 * a retryable error, so that its caller can pause its partition and say so. Commands that were sent and not answered are
 * sent again after a reconnect: every script of ours may be repeated, since state moves together with its position.
 */
export function createRedis(options: RedisOptions): Redis {
  const redis = new Redis(options.url, {
    connectionName: 'serial-ledger',
    disableClientInfo: true,
    connectTimeout: 3_000,
    commandTimeout: options.commandTimeoutMs ?? 10_000,
    maxRetriesPerRequest: 2,
    retryStrategy: (attempts) => Math.min(50 * 2 ** Math.min(attempts - 1, 6), 2_000),
  });
  reportOutages(redis, options.log);
  return redis;
}

/** Says once that the connection is gone and once that it is back, however many attempts lie between. */
function reportOutages(redis: Redis, log: Logger): void {
  let down = false;
  redis.on('error', (error: Error) => {
    if (!down) log.warn({ err: error }, 'Redis does not answer; reconnecting');
    down = true;
  });
  redis.on('ready', () => {
    if (down) log.info('Redis answers again');
    down = false;
  });
}

/** Waits for what is in flight, then closes. */
export async function closeRedis(redis: Redis): Promise<void> {
  try {
    if (redis.status === 'ready') await redis.quit();
  } finally {
    redis.disconnect();
  }
}

/**
 * Refuses a server that may throw state away: an evicted key is a serial that can be registered twice.
 * @throws OperationalError `redis_evicts`, not retryable
 */
export async function checkRedis(redis: Redis): Promise<void> {
  const info = await translated(redis.info('memory'), 'asking for its memory policy');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'unknown';
  const limit = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
  if (limit === 0 || policy === 'noeviction') return;
  throw new OperationalError(
    'redis_evicts',
    `Redis may evict keys (maxmemory-policy ${policy}): set it to noeviction, or give this state a server of its own`,
    { retryable: false },
  );
}

/** Awaits a call of Redis and translates its failure. */
export async function translated<Result>(call: Promise<Result>, doing: string): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw translateRedisError(error, doing);
  }
}

/** First words of error answers (they are the protocol's error codes) that pass by themselves, or by an operator's hand. */
const passing: ReadonlySet<string> = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'UNKILLABLE',
]);

const networkCodes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** The client gives these no code and no class. */
const connectionMessages: ReadonlySet<string> = new Set([
  'Connection is closed.',
  'Command timed out',
  'connect ETIMEDOUT',
]);

/** Translates what ioredis rejects with, once. Errors of others pass through: they are not Redis's, and not retryable. */
export function translateRedisError(cause: unknown, doing: string): unknown {
  if (!(cause instanceof Error) || cause instanceof OperationalError) return cause;
  if (cause.name === 'ReplyError') return answerError(cause, doing);
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const connection =
    networkCodes.has(code) ||
    connectionMessages.has(cause.message) ||
    cause.message.startsWith('Socket timeout') ||
    cause.name === 'MaxRetriesPerRequestError' ||
    cause.name === 'AbortError' ||
    cause.name === 'InterruptError';
  if (!connection) return cause;
  return new OperationalError(
    'redis_unavailable',
    `Redis did not complete: ${doing} (${code || cause.message})`,
    {
      retryable: true,
      cause,
    },
  );
}

/** Before Redis 7 the code of an error inside a script stands behind the script's own words. */
const scriptError = /^(?:ERR Error running script .*: )?@user_script: \d+: -?([A-Z]+) /s;

function answerError(cause: Error, doing: string): OperationalError {
  const word = scriptError.exec(cause.message)?.[1] ?? cause.message.split(' ', 1)[0] ?? '';
  const retryable = passing.has(word);
  return new OperationalError(
    retryable ? 'redis_unavailable' : 'redis_refused',
    `Redis did not complete: ${doing} (${cause.message.slice(0, 300)})`,
    { retryable, cause },
  );
}
