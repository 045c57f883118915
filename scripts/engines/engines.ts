import { type KafkaProxy, type LocalEngine, localEngine, startLocal, urlOf } from './local.ts';
import { RedisCluster } from './redis-cluster.ts';
import type { Supervised, Supervisor } from './supervise.ts';

export const engineNames = ['kafka', 'registry', 'redis', 'clickhouse'] as const;
export type EngineName = (typeof engineNames)[number];

/** Where the engines answer. Services know nothing else of them. */
export interface EngineUrls {
  readonly kafkaBrokers: string;
  readonly schemaRegistryUrl: string;
  readonly redisUrl: string;
  readonly clickhouseUrl: string;
}

export interface Engines {
  readonly urls: EngineUrls;
  /** Which of the three ways was taken. */
  readonly way: 'urls' | 'containers' | 'processes';
  /** Process ids of local engines; empty otherwise. */
  readonly pids: Readonly<Partial<Record<EngineName, number>>>;
  /** Local processes only. */
  kill(name: EngineName, signal: NodeJS.Signals): void;
  /** Kills if need be and starts again on the same port with the same data, or what `between` made of it. Local processes only. */
  restart(name: EngineName, between?: () => void): Promise<void>;
  /** Nodes of a Redis Cluster that runs as local processes; of a single server there are none. */
  readonly redisNodes: readonly RedisNode[];
  stop(): Promise<void>;
}

export interface RedisNode {
  readonly url: string;
  /** Where its data is. */
  readonly folder: string;
  kill(signal: NodeJS.Signals): void;
  /** As that of an engine. Its place in the cluster is in `nodes.conf`. */
  restart(between?: () => void): Promise<void>;
}

export interface EngineOptions {
  /** Holds data, logs and the lock of local engines. */
  readonly supervisor: Supervisor;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Engines that are wanted; the URLs of the others are empty. */
  readonly needs?: readonly EngineName[];
  /** More than one: local Redis is a cluster of so many nodes. */
  readonly redisNodes?: number;
  /** Kafka as a local process: also reached through a proxy. */
  readonly kafkaProxy?: KafkaProxy;
}

/** Environment variables by which services, and `startEngines`, are told where engines are. */
export function urlEnv(urls: EngineUrls): Record<string, string> {
  return {
    KAFKA_BROKERS: urls.kafkaBrokers,
    SCHEMA_REGISTRY_URL: urls.schemaRegistryUrl,
    REDIS_URL: urls.redisUrl,
    CLICKHOUSE_URL: urls.clickhouseUrl,
  };
}

/** Engines by URL when all URLs are given, in containers when asked for, otherwise as local processes. */
export async function startEngines(options: EngineOptions): Promise<Engines> {
  const { env } = options;
  const given = {
    kafkaBrokers: env.KAFKA_BROKERS,
    schemaRegistryUrl: env.SCHEMA_REGISTRY_URL,
    redisUrl: env.REDIS_URL,
    clickhouseUrl: env.CLICKHOUSE_URL,
  };
  const missing = Object.values(given).filter((url) => !url).length;
  if (missing === 0) return foreign(given as EngineUrls, 'urls', async () => undefined);
  if (missing < 4)
    throw new Error(
      'KAFKA_BROKERS, SCHEMA_REGISTRY_URL, REDIS_URL and CLICKHOUSE_URL go together: give all or none',
    );
  if (env.ENGINES === 'containers') {
    const { startContainers } = await import('./containers.ts');
    const { urls, stop } = await startContainers();
    return foreign(urls, 'containers', stop);
  }
  return startProcesses(options);
}

function foreign(urls: EngineUrls, way: Engines['way'], stop: () => Promise<void>): Engines {
  const refuse = (): never => {
    throw new Error('only engines that run as local processes can be killed and restarted');
  };
  return { urls, way, pids: {}, kill: refuse, restart: async () => refuse(), redisNodes: [], stop };
}

const stopGraceMs = 10_000;

async function startProcesses(options: EngineOptions): Promise<Engines> {
  const { supervisor, needs: names = engineNames, redisNodes = 1 } = options;
  const engines = new Map<EngineName, LocalEngine>();
  const processes = new Map<EngineName, Supervised>();
  let cluster: RedisCluster | undefined;
  const start = async (name: EngineName) => {
    if (name === 'redis' && redisNodes > 1) {
      cluster = await RedisCluster.start(supervisor, redisNodes);
      return;
    }
    const engine = engines.get(name) ?? (await localEngine(name, supervisor.dataDir, options));
    engines.set(name, engine);
    processes.set(name, await startLocal(supervisor, engine));
  };
  const stop = async () => {
    await Promise.all([...processes.values()].map((process) => process.stop(stopGraceMs)));
    await cluster?.stop(stopGraceMs);
  };
  const started = await Promise.allSettled(names.map(start));
  const failure = started.find((result) => result.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  const urls = { kafkaBrokers: '', schemaRegistryUrl: '', redisUrl: '', clickhouseUrl: '' };
  for (const [name, engine] of engines) urls[urlOf[name]] = engine.url;
  if (cluster) urls.redisUrl = cluster.url;
  return {
    urls,
    way: 'processes',
    get pids() {
      return Object.fromEntries([...processes].map(([name, process]) => [name, process.pid]));
    },
    kill: (name, signal) => processes.get(name)!.kill(signal),
    async restart(name, between) {
      await processes.get(name)!.stop(0);
      between?.();
      await start(name);
    },
    redisNodes: cluster?.nodes ?? [],
    stop,
  };
}
