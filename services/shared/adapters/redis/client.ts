import { Cluster, type Command, Redis } from 'ioredis';
import type { Logger } from 'pino';
import { OperationalError } from '#shared/base/errors.ts';

/** One server, or a cluster of them: the same commands. What is asked at once must lie under one hash tag. */
export type RedisClient = Redis | Cluster;

export interface RedisOptions {
  /** redis://[user:password@]host:port[/db], or rediss://. With more nodes behind a comma it is a cluster of them. */
  readonly url: string;
  readonly log: Logger;
  readonly commandTimeoutMs?: number;
}

/**
 * One connection. It reconnects by itself for ever; a command given meanwhile waits for two attempts and then fails with
 * a retryable error, so that its caller can pause its partition and say so. Commands that were sent and not answered are
 * sent again after a reconnect: every script of ours may be repeated, since state moves together with its position.
 */
export function createRedis(options: RedisOptions): RedisClient {
  const [first, ...others] = options.url.split(',');
  const commandTimeout = options.commandTimeoutMs ?? commandTimeoutDefaultMs;
  const redis =
    others.length > 0
      ? createCluster(new URL(first!), others, commandTimeout)
      : new Redis(options.url, {
          ...connectionOptions,
          commandTimeout,
          maxRetriesPerRequest: 2,
          retryStrategy: reconnectAfterMs,
        });
  reportOutages(redis, options.log);
  return redis;
}

const commandTimeoutDefaultMs = 10_000;
const connectionOptions = {
  connectionName: 'serial-ledger',
  disableClientInfo: true,
  connectTimeout: 3_000,
} as const;

function reconnectAfterMs(attempts: number): number {
  return Math.min(50 * 2 ** Math.min(attempts - 1, 6), 2_000);
}

/** A command for a node that is away is tried again about as long as with one server, and then fails with a retryable error. */
function createCluster(first: URL, others: readonly string[], commandTimeout: number): Cluster {
  const nodes = [first.host, ...others.map((other) => other.trim())].map(
    (node) => new URL(`redis://${node}`),
  );
  return new PatientCluster(
    nodes.map(({ hostname, port }) => ({ host: hostname, port: Number(port || 6_379) })),
    {
      clusterRetryStrategy: reconnectAfterMs,
      slotsRefreshTimeout: 3_000,
      redisOptions: {
        ...connectionOptions,
        commandTimeout,
        ...(first.username ? { username: decodeURIComponent(first.username) } : {}),
        ...(first.password ? { password: decodeURIComponent(first.password) } : {}),
        ...(first.protocol === 'rediss:' ? { tls: {} } : {}),
      },
    },
  );
}

/** The client counts a command's time from when a node has it. While no node of the cluster answers, none has, and nothing would end. */
class PatientCluster extends Cluster {
  override sendCommand(command: Command, ...rest: [WriteableStream?, unknown?]): unknown {
    command.setTimeout(this.options.redisOptions!.commandTimeout!);
    return super.sendCommand(command, ...rest);
  }
}

type WriteableStream = Parameters<Cluster['sendCommand']>[1];

/** Says once that the connection is gone and once that it is back, however many attempts lie between. */
function reportOutages(redis: RedisClient, log: Logger): void {
  let down = false;
  redis.on('error', (error: Error) => {
    // As the client has it, the error carries its command with it, and that of logging in holds the password.
    if (!down) log.warn({ reason: error.message }, 'Redis does not answer; reconnecting');
    down = true;
  });
  redis.on('ready', () => {
    if (down) log.info('Redis answers again');
    down = false;
  });
}

/** Waits for what is in flight, then closes. */
export async function closeRedis(redis: RedisClient): Promise<void> {
  try {
    if (redis.status === 'ready') await redis.quit();
  } finally {
    redis.disconnect();
  }
}

/**
 * Refuses a server that may throw state away: an evicted key is a serial that can be registered twice. Of a cluster, any
 * node; and says when not every slot of it is served.
 * @throws OperationalError `redis_evicts`, not retryable; `redis_unavailable`, retryable
 */
export async function checkRedis(redis: RedisClient): Promise<void> {
  if (!(redis instanceof Cluster)) return checkEviction(redis);
  const info = (await translated(redis.cluster('INFO'), 'asking for the state of the cluster')) as string;
  const assigned = Number(/^cluster_slots_ok:(\d+)/m.exec(info)?.[1] ?? 0);
  if (assigned < slotsOfCluster)
    throw new OperationalError(
      'redis_unavailable',
      `${slotsOfCluster - assigned} of the ${slotsOfCluster} slots of the Redis Cluster are served by nobody`,
      { retryable: true },
    );
  await Promise.all(redis.nodes('master').map(checkEviction));
}

const slotsOfCluster = 16_384;

async function checkEviction(redis: Redis): Promise<void> {
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

/** Of a cluster: a node stayed away, or all of them. */
const clusterMessages = [
  'Too many Cluster redirections',
  'Failed to refresh slots cache',
  'None of startup nodes',
];

/** Translates what ioredis rejects with, once. Errors of others pass through: they are not Redis's, and not retryable. */
export function translateRedisError(cause: unknown, doing: string): unknown {
  if (!(cause instanceof Error) || cause instanceof OperationalError) return cause;
  if (cause.name === 'ReplyError') return answerError(cause, doing);
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const connection =
    networkCodes.has(code) ||
    connectionMessages.has(cause.message) ||
    cause.message.startsWith('Socket timeout') ||
    clusterMessages.some((message) => cause.message.startsWith(message)) ||
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
