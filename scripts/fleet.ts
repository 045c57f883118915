import path from 'node:path';
import { pino } from 'pino';
import { launch as gatewayLaunch } from '#gateway/launch.ts';
import { createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { createTopics, topicSpecs } from '#shared/adapters/kafka/topics.ts';
import { launch as workerLaunch } from '#shared/runtime/launch.ts';
import { type Engines, type EngineUrls, startEngines, urlEnv } from './engines/engines.ts';
import { root } from './engines/local.ts';
import { lastLines, type Supervised, type Supervisor } from './engines/supervise.ts';

/** In the order of the diagram; the gateway starts last, so that nothing is accepted before somebody works on it. */
export const serviceNames = ['cec-validation', 'dedup', 'ledger-writer', 'certificate', 'gateway'] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface ServiceProcess {
  readonly service: ServiceName;
  /** Name of the instance, `dedup-1`: also the name of its log. */
  readonly name: string;
  readonly process: Supervised;
  readonly addresses: Readonly<Record<string, string>>;
}

export interface FleetOptions {
  readonly supervisor: Supervisor;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Instances of each service; 1 unless said otherwise. */
  readonly instances?: Partial<Record<ServiceName, number>>;
  readonly settings?: Readonly<Record<string, string>>;
  /** More than one: local Redis is a cluster of so many nodes. */
  readonly redisNodes?: number;
  readonly progress: (text: string) => void;
}

const startTimeoutMs = 60_000;
const drainGraceMs = 15_000;

/** Engines and services as one: started in order, stopped in reverse. */
export class Fleet {
  readonly engines: Engines;
  readonly #options: FleetOptions;
  readonly #services = new Map<string, ServiceProcess>();

  private constructor(options: FleetOptions, engines: Engines) {
    this.#options = options;
    this.engines = engines;
  }

  static async start(options: FleetOptions): Promise<Fleet> {
    options.progress('starting Kafka, schema registry, Redis and ClickHouse');
    const engines = await startEngines(options);
    const fleet = new Fleet(options, engines);
    try {
      options.progress('topics and tables');
      await prepareEngines(engines.urls);
      options.progress('starting the services');
      const workers = serviceNames.flatMap((service) =>
        Array.from({ length: options.instances?.[service] ?? 1 }, (_, i) => ({ service, instance: i + 1 })),
      );
      await Promise.all(workers.map(({ service, instance }) => fleet.startService(service, instance)));
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  get services(): readonly ServiceProcess[] {
    return [...this.#services.values()];
  }

  /** HTTP address of the (first) gateway. */
  get gatewayUrl(): string {
    const gateway = this.services.find(({ service }) => service === 'gateway');
    const url = gateway?.addresses.http;
    if (!url) throw new Error('no gateway is running');
    return url;
  }

  /** Starts one instance and resolves when it says that it is up; also to restart one that was killed. */
  async startService(service: ServiceName, instance = 1): Promise<ServiceProcess> {
    const { supervisor, env, settings } = this.#options;
    const name = `${service}-${instance}`;
    const launch = service === 'gateway' ? gatewayLaunch : workerLaunch;
    const logFile = path.join(supervisor.dataDir, 'logs', `${name}.log`);
    const process_ = await supervisor.spawn({
      name,
      command: process.execPath,
      args: [...launch.nodeFlags, path.join('services', service, 'main.ts')],
      env: { ...launch.env, ...env, ...urlEnv(this.engines.urls), INSTANCE: String(instance), ...settings },
      cwd: root,
      logFile,
      ipc: true,
    });
    const started = await Promise.race([
      process_.message as Promise<{ addresses: Record<string, string> }>,
      process_.exited.then(({ code, signal }) => `ended with ${signal ?? code}`),
      new Promise<string>((resolve) =>
        setTimeout(() => resolve('did not start in time'), startTimeoutMs).unref(),
      ),
    ]);
    if (typeof started === 'string')
      throw new Error(`${name} ${started}; its log is ${logFile}:\n${lastLines(logFile)}`);
    const running = { service, name, process: process_, addresses: started.addresses };
    this.#services.set(name, running);
    return running;
  }

  /** Resolves when a service ends that nobody stopped. */
  async firstExit(): Promise<string> {
    return Promise.race(
      this.services.map(async ({ name, process }) => {
        const { code, signal } = await process.exited;
        return `${name} ended with ${signal ?? code}; its log is ${process.logFile}:\n${lastLines(process.logFile)}`;
      }),
    );
  }

  /** The gateway first, so that nothing new comes in; then the workers; then the engines. */
  async stop(): Promise<void> {
    const stopAll = (services: readonly ServiceProcess[]) =>
      Promise.all(services.map(({ process }) => process.stop(drainGraceMs)));
    await stopAll(this.services.filter(({ service }) => service === 'gateway'));
    await stopAll(this.services.filter(({ service }) => service !== 'gateway'));
    await this.engines.stop();
  }
}

/** Topics and tables, made if they are not there. */
async function prepareEngines(urls: EngineUrls): Promise<void> {
  const log = pino({ level: 'silent' });
  const kafka = createKafka({ brokers: urls.kafkaBrokers, clientId: 'prepare', log });
  const open = (database: string) => createClickhouse({ url: urls.clickhouseUrl, database, log });
  const clickhouse = open('ledger');
  const apart = open('default');
  try {
    await Promise.all([
      createTopics(kafka, topicSpecs('local')),
      migrate(clickhouse, apart, { now: () => new Date() }),
    ]);
  } finally {
    await clickhouse.close();
    await apart.close();
  }
}
