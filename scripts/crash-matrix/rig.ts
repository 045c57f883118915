import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { tickSender } from '#gateway/ports.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import { Codec } from '#shared/codec/codec.ts';
import { GatewayClient } from '../demo/client.ts';
import { type ListedModel, readModels } from '../demo/planted.ts';
import { importList } from '../demo/scenario.ts';
import { type EngineName, type Engines, startEngines, urlEnv } from '../engines/engines.ts';
import { root } from '../engines/local.ts';
import type { Supervisor } from '../engines/supervise.ts';
import { Fleet } from '../fleet.ts';
import { operatorKey } from '../operator-key.ts';
import { openContext, type RecoveryContext } from '../recovery/context.ts';
import { KafkaTap } from './kafka-tap.ts';
import { Keeper } from './keeper.ts';
import { Points } from './points.ts';
import { EngineProxy } from './proxy.ts';

export const panelList = path.join(root, 'deploy', 'lists', 'synthetic_pv_modules_20260423.csv');
export const inverterList = path.join(root, 'deploy', 'lists', 'synthetic_inverters_20260423.csv');

/** Two of each worker: partitions move when one dies or stands still. */
const instances = { 'cec-validation': 2, dedup: 2, 'ledger-writer': 2, certificate: 2, gateway: 1 } as const;

const settings = {
  // The shortest that Kafka allows by default: how long it takes until a silent worker loses its partitions.
  SESSION_TIMEOUT_MS: '6000',
  CLICKHOUSE_TIMEOUT_MS: '5000',
  LEDGER_WAIT_MS: '3000',
  REQUESTS_PER_MINUTE: '1000000',
  UPLOADS_PER_ACCOUNT_MAX: '1000',
} as const;

/** Who acts: with the keys of their accounts. */
export interface Cast {
  readonly suppliers: readonly Actor[];
  readonly inverters: Actor;
  readonly agent: Actor;
}

export interface Actor {
  readonly name: string;
  readonly account: string;
  readonly key: string;
}

/** What the matrix itself does on the engines, not by way of the proxies. */
export interface Desk {
  readonly context: RecoveryContext;
  readonly codec: Codec;
  readonly publisher: Publisher;
  readonly tick: ReturnType<typeof tickSender>;
}

/** Engines, proxies in front of them, the fleet behind those, and whoever keeps it up. */
export class Rig {
  readonly engines: Engines;
  readonly proxies: Readonly<Record<EngineName, EngineProxy>>;
  readonly kafkaTap: KafkaTap;
  readonly fleet: Fleet;
  readonly keeper: Keeper;
  readonly points: Points;
  readonly desk: Desk;
  readonly cast: Cast;
  readonly models: readonly ListedModel[];
  readonly dataDir: string;
  readonly #close: () => Promise<void>;

  private constructor(parts: Omit<Rig, 'gatewayUrl' | 'stop'>, close: () => Promise<void>) {
    this.engines = parts.engines;
    this.proxies = parts.proxies;
    this.kafkaTap = parts.kafkaTap;
    this.fleet = parts.fleet;
    this.keeper = parts.keeper;
    this.points = parts.points;
    this.desk = parts.desk;
    this.cast = parts.cast;
    this.models = parts.models;
    this.dataDir = parts.dataDir;
    this.#close = close;
  }

  /** Where the gateway answers now; it moves when it was killed. */
  get gatewayUrl(): string {
    return this.fleet.gatewayUrl;
  }

  static async start(supervisor: Supervisor, progress: (text: string) => void): Promise<Rig> {
    const { dataDir } = supervisor;
    const closers: (() => Promise<unknown>)[] = [];
    const close = async () => {
      for (let closer = closers.pop(); closer; closer = closers.pop()) await closer();
    };
    try {
      const proxies = await openProxies(closers);
      const kafkaTap = new KafkaTap(proxies.kafka);
      progress('starting Kafka, schema registry, Redis and ClickHouse, and a proxy in front of each');
      // Never somebody else's engines: they are going to be killed.
      const engines = await startEngines({
        supervisor,
        env: {},
        kafkaProxy: {
          port: proxies.kafka.port,
          listening: (port) => {
            proxies.kafka.target = port;
          },
        },
      });
      closers.push(() => engines.stop());
      const env = { ...process.env, ...urlEnv(proxied(engines, proxies)) };
      const points = new Points(path.join(dataDir, 'failure-points'));
      const key = operatorKey(dataDir);
      const fleet = await Fleet.start({
        supervisor,
        env,
        instances,
        settings: { ...settings, FAILURE_POINTS: points.folder, OPERATOR_KEY_SHA256: key.sha256 },
        progress,
      });
      closers.push(() => fleet.stop());
      const keeper = new Keeper(fleet);
      closers.push(async () => keeper.stop());
      progress('importing lists, making accounts');
      await importList(engines.urls, panelList, 'panel');
      await importList(engines.urls, inverterList, 'inverter');
      const desk = await openDesk(engines, closers);
      const cast = await castFor(new GatewayClient(fleet.gatewayUrl, key.unshown!));
      const models = await readModels(await readFile(panelList, 'utf8'));
      const parts = { engines, proxies, kafkaTap, fleet, keeper, points, desk, cast, models, dataDir };
      return new Rig(parts, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const proxy of Object.values(this.proxies)) proxy.tap = undefined;
    await this.#close();
  }
}

type Closers = (() => Promise<unknown>)[];

async function openProxies(closers: Closers): Promise<Record<EngineName, EngineProxy>> {
  const open = async () => {
    const proxy = await EngineProxy.open();
    closers.push(() => proxy.close());
    return proxy;
  };
  return { kafka: await open(), registry: await open(), redis: await open(), clickhouse: await open() };
}

/** The engines' addresses with the proxies' ports; tells the proxies what stands behind them. */
function proxied(engines: Engines, proxies: Record<EngineName, EngineProxy>) {
  const through = (url: string, proxy: EngineProxy) => {
    const behind = new URL(url);
    proxy.target = Number(behind.port);
    return url.replace(`:${behind.port}`, `:${proxy.port}`);
  };
  const { schemaRegistryUrl, redisUrl, clickhouseUrl } = engines.urls;
  return {
    kafkaBrokers: `127.0.0.1:${proxies.kafka.port}`,
    schemaRegistryUrl: through(schemaRegistryUrl, proxies.registry),
    redisUrl: through(redisUrl, proxies.redis),
    clickhouseUrl: through(clickhouseUrl, proxies.clickhouse),
  };
}

async function openDesk(engines: Engines, closers: Closers): Promise<Desk> {
  const opened = openContext('crash-matrix', urlEnv(engines.urls));
  if ('faults' in opened) throw new Error(opened.faults.join('\n'));
  closers.push(() => opened.close());
  const { context } = opened;
  const codec = await Codec.open(context.registry, {
    [topicName('serials.submitted')]: 'SerialBatch',
    [topicName('claims.submitted')]: 'ClaimEvent',
  });
  const publisher = new Publisher(context.kafka);
  closers.push(() => publisher.close());
  return {
    context,
    codec,
    publisher,
    tick: tickSender({ publisher, codec }),
  };
}

async function castFor(operator: GatewayClient): Promise<Cast> {
  const make = async (name: string, kind: string): Promise<Actor> => {
    const { id } = await operator.post<{ id: string }>('/v1/accounts', { name, kind });
    const made = await operator.post<{ key: string }>(`/v1/accounts/${id}/keys`, { label: 'crash matrix' });
    return { name, account: id, key: made.key };
  };
  return {
    suppliers: [
      await make('Alpha Panel Imports Pty Ltd', 'supplier'),
      await make('Bravo Panel Imports Pty Ltd', 'supplier'),
    ],
    inverters: await make('Charlie Inverters Pty Ltd', 'inverter_supplier'),
    agent: await make('Delta Certificates Pty Ltd', 'agent'),
  };
}
