import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { arch, platform } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { readConfig } from '#shared/runtime/config.ts';
import { clickhouseSettings } from '#shared/runtime/engine-settings.ts';
import { madePasswords, usersFileName } from '../clickhouse-users/passwords.ts';
import { usersXml } from '../clickhouse-users/render.ts';
import { userLimitSettings } from '../clickhouse-users/settings.ts';
import { usersOf } from '../clickhouse-users/users.ts';
import type { EngineName, EngineUrls } from './engines.ts';
import { type Command, lastLines, type Supervised, type Supervisor } from './supervise.ts';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
type Env = Readonly<Record<string, string | undefined>>;

const installed = path.join(root, 'node_modules', '.engines');

/** One engine as a local process: how it starts, where it listens, and how one knows that it answers. */
export interface LocalEngine {
  readonly name: EngineName;
  readonly url: string;
  readonly command: Command;
  /** Rejects while the engine does not answer a real request. */
  answers(): Promise<unknown>;
  /** After the first answer of every start. */
  prepare?(): Promise<void>;
}

/** A port in front of a second listener of Kafka: who comes by it is told to come by it again. */
export interface KafkaProxy {
  readonly port: number;
  /** Told where the listener behind the proxy is. */
  readonly listening: (port: number) => void;
}

const readyTimeoutMs = 120_000;
const silent = { info: () => undefined, warn: () => undefined };

export async function startLocal(supervisor: Supervisor, engine: LocalEngine): Promise<Supervised> {
  const process = await supervisor.spawn(engine.command);
  let exit: string | undefined;
  void process.exited.then(({ code, signal }) => {
    exit = `ended with ${signal ?? code}`;
  });
  const deadline = Date.now() + readyTimeoutMs;
  for (;;) {
    try {
      await engine.answers();
      await engine.prepare?.();
      return process;
    } catch (error) {
      if (exit === undefined && Date.now() < deadline) {
        await delay(50);
        continue;
      }
      throw new Error(
        `${engine.name} does not answer (${exit ?? (error as Error).message}); its log is ${process.logFile}:\n${lastLines(process.logFile)}`,
      );
    }
  }
}

export async function localEngine(
  name: EngineName,
  dataDir: string,
  { env, kafkaProxy }: { readonly env: Env; readonly kafkaProxy?: KafkaProxy },
): Promise<LocalEngine> {
  switch (name) {
    case 'kafka':
      return kafka(dataDir, kafkaProxy);
    case 'registry':
      return registry(dataDir);
    case 'redis':
      return redis(dataDir);
    case 'clickhouse':
      return clickhouse(dataDir, env);
  }
}

export const urlOf: Readonly<Record<EngineName, keyof EngineUrls>> = {
  kafka: 'kafkaBrokers',
  registry: 'schemaRegistryUrl',
  redis: 'redisUrl',
  clickhouse: 'clickhouseUrl',
};

/** Engines get the environment they need to run and nothing of ours. */
const bareEnv = { PATH: process.env.PATH, HOME: process.env.HOME, JAVA_HOME: process.env.JAVA_HOME };

function command(
  name: EngineName,
  dataDir: string,
  program: string,
  args: readonly string[],
  folder: string = name,
): Command {
  const cwd = path.join(dataDir, folder);
  mkdirSync(cwd, { recursive: true });
  return {
    name,
    command: program,
    args,
    env: bareEnv,
    cwd,
    logFile: path.join(dataDir, 'logs', `${folder}.log`),
  };
}

async function kafka(dataDir: string, proxy?: KafkaProxy): Promise<LocalEngine> {
  const home = path.join(dataDir, 'kafka');
  const [port, controller, proxied] = await portsOf(home, proxy ? 3 : 2);
  if (proxied) proxy?.listening(proxied);
  const properties = path.join(home, 'server.properties');
  writeFileSync(
    properties,
    kafkaProperties(path.join(home, 'log'), port!, controller!) +
      (proxy ? secondListener(port!, controller!, proxied!, proxy.port) : ''),
  );
  const logging = path.join(home, 'log4j2.properties');
  writeFileSync(logging, kafkaLogging);
  // The optimising compiler works for minutes, on half of a core that the services want too, and gains little for so short a life.
  const compiler = '-XX:TieredStopAtLevel=1';
  const java = ['-Xms256m', '-Xmx512m', '-XX:+UseG1GC', compiler, `-Dlog4j2.configurationFile=${logging}`];
  java.push('-cp', path.join(installed, 'kafka', '*'));
  if (!existsSync(path.join(home, 'log', 'meta.properties')))
    await promisify(execFile)(
      'java',
      [
        ...java,
        'kafka.tools.StorageTool',
        'format',
        `--cluster-id=${kafkaId()}`,
        '-c',
        properties,
        '--ignore-formatted',
      ],
      { cwd: home },
    );
  const url = `127.0.0.1:${port}`;
  return {
    name: 'kafka',
    url,
    command: command('kafka', dataDir, 'java', [...java, 'kafka.Kafka', properties]),
    async answers() {
      const admin = createKafka({ brokers: url, clientId: 'readiness', log: silent }).admin({
        retry: { retries: 0 },
      });
      try {
        await admin.connect();
        await admin.describeCluster();
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },
  };
}

function kafkaId(): string {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
}

/** KRaft, one process in both roles. The internal topics are small: a start waits for their partitions. */
function kafkaProperties(logDir: string, port: number, controller: number): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logDir,
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'message.max.bytes': 16 * 1024 * 1024,
    'replica.fetch.max.bytes': 16 * 1024 * 1024,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
  };
  return propertiesOf(settings);
}

/** Of a setting that stands twice the last counts. */
function secondListener(port: number, controller: number, proxied: number, proxy: number): string {
  const settings = {
    listeners: `PLAINTEXT://127.0.0.1:${port},PROXIED://127.0.0.1:${proxied},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},PROXIED://127.0.0.1:${proxy}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
  };
  return propertiesOf(settings);
}

function propertiesOf(settings: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

const kafkaLogging = `status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
`;

async function registry(dataDir: string): Promise<LocalEngine> {
  const [port] = await portsOf(path.join(dataDir, 'registry'), 1);
  const folder = path.join(installed, 'registry');
  const jar = readdirSync(folder).find((file) => file.endsWith('-runner.jar'));
  const base = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  // Without WRITE_DELAY=0 the database keeps the last registration in memory, and a kill -9 loses it.
  const database = `jdbc:h2:file:${path.join(dataDir, 'registry', 'registry')};WRITE_DELAY=0`;
  return {
    name: 'registry',
    url: base,
    command: command('registry', dataDir, 'java', [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      `-Dquarkus.datasource.jdbc.url=${database}`,
      '-Dquarkus.datasource.jdbc.initial-size=2',
      '-Dquarkus.datasource.jdbc.min-size=2',
      '-Dquarkus.log.level=WARN',
      '-jar',
      path.join(folder, jar!),
    ]),
    answers: () => expectOk(fetch(`${base}/subjects`)),
    prepare: () =>
      expectOk(
        fetch(`${base}/config`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ compatibility: 'BACKWARD_TRANSITIVE' }),
        }),
      ),
  };
}

async function expectOk(answer: Promise<Response>): Promise<void> {
  const response = await answer;
  const text = await response.text();
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${text.slice(0, 500)}`);
}

async function redis(dataDir: string): Promise<LocalEngine> {
  const [port] = await portsOf(path.join(dataDir, 'redis'), 1);
  return redisServer(dataDir, 'redis', port!, []);
}

/** One node of a Redis Cluster, with its data in a folder of that name. It keeps the slots that it was given. */
export async function redisNode(dataDir: string, folder: string): Promise<LocalEngine> {
  const port = await clusterPortOf(path.join(dataDir, folder));
  // A slot that nobody serves takes away its partitions, not all of them.
  const settings = ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no'];
  settings.push('--cluster-node-timeout', '2000');
  return redisServer(dataDir, folder, port, settings);
}

function redisServer(dataDir: string, folder: string, port: number, more: readonly string[]): LocalEngine {
  const url = `redis://127.0.0.1:${port}`;
  const settings = ['--port', port, '--bind', '127.0.0.1', '--dir', path.join(dataDir, folder), ...more];
  settings.push(
    '--appendonly',
    'yes',
    '--appendfsync',
    'everysec',
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
  );
  // Names that 6.2 and 7 both know: hashes up to this size are kept densely.
  settings.push('--hash-max-ziplist-entries', 512, '--hash-max-ziplist-value', 64);
  return {
    name: 'redis',
    url,
    command: command('redis', dataDir, redisProgram(), settings.map(String), folder),
    async answers() {
      const client = new Redis(url, {
        lazyConnect: true,
        retryStrategy: () => null,
        maxRetriesPerRequest: 0,
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.ping();
      } finally {
        client.disconnect();
      }
    },
  };
}

/** The server on PATH, else the one that Maven brought. */
export function redisProgram(): string {
  const onPath = (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'redis-server'))
    .find(existsSync);
  if (onPath) return onPath;
  const wanted = `${platform()}-${arch() === 'x64' ? 'amd64' : arch()}`;
  const folder = path.join(installed, 'redis');
  const file = readdirSync(folder).find((name) => name.endsWith(wanted));
  if (!file) throw new Error(`no redis-server on PATH, and none for ${wanted} in ${folder}`);
  chmodSync(path.join(folder, file), 0o755);
  return path.join(folder, file);
}

async function clickhouse(dataDir: string, env: Env): Promise<LocalEngine> {
  const [http, native] = await portsOf(path.join(dataDir, 'clickhouse'), 2);
  const url = `http://127.0.0.1:${http}`;
  const server = fileURLToPath(new URL('./clickhouse-server.mjs', import.meta.url));
  const data = path.join(dataDir, 'clickhouse');
  const config = writeUsers(dataDir, data, env);
  return {
    name: 'clickhouse',
    url,
    command: command('clickhouse', dataDir, process.execPath, [
      server,
      data,
      String(http),
      String(native),
      config,
    ]),
    answers: () => expectOk(fetch(`${url}/?query=SELECT%201`, { signal: AbortSignal.timeout(2_000) })),
  };
}

/**
 * The users besides `default`. This server manages none by SQL: it takes them from a file at its start. Their passwords
 * are made once and kept beside the data.
 */
function writeUsers(dataDir: string, data: string, env: Env): string {
  const read = readConfig({ ...userLimitSettings, database: clickhouseSettings.clickhouseDatabase }, env);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const users = usersOf(read.config.database, read.config);
  const passwords = madePasswords(users, env, path.join(dataDir, usersFileName));
  const usersFile = path.join(data, 'users.xml');
  writeFileSync(usersFile, usersXml(users, passwords), { mode: 0o600 });
  const config = path.join(data, 'config.xml');
  writeFileSync(config, `<clickhouse><users_config>${usersFile}</users_config></clickhouse>\n`);
  return config;
}

/** Ports that were free a moment ago, all at once so that they differ. */
/**
 * The ports that an engine had the last time it ran on this data, as long as nobody else has taken them. Kafka depends
 * on it: a broker that comes back elsewhere after a crash can leave a transaction that was committed, but not yet marked
 * in every partition, waiting for the old address, and every reader with it.
 */
async function portsOf(home: string, count: number): Promise<number[]> {
  const file = path.join(home, 'ports.json');
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as number[]) : [];
  const ports =
    kept.length === count
      ? await takePorts(kept).catch(() => takePorts(Array<number>(count).fill(0)))
      : await takePorts(Array<number>(count).fill(0));
  mkdirSync(home, { recursive: true });
  writeFileSync(file, JSON.stringify(ports));
  return ports;
}

/** Nodes of a cluster speak among themselves on a port that is 10,000 higher. */
const clusterBusAbove = 10_000;

async function clusterPortOf(home: string): Promise<number> {
  const file = path.join(home, 'ports.json');
  mkdirSync(home, { recursive: true });
  for (let kept = existsSync(file); ; kept = false) {
    const [port] = kept ? (JSON.parse(readFileSync(file, 'utf8')) as number[]) : await takePorts([0]);
    const both = [port!, port! + clusterBusAbove];
    if (both[1]! > 65_535 || !(await takePorts(both).catch(() => undefined))) continue;
    writeFileSync(file, JSON.stringify([port]));
    return port!;
  }
}

/** Listens on each port for a moment, 0 for any that is free; rejects when one is taken. */
async function takePorts(wanted: readonly number[]): Promise<number[]> {
  const taken = await Promise.allSettled(
    wanted.map(async (port) => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const servers = taken.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  if (ports.length < wanted.length) throw new Error(`of the ports ${wanted.join(', ')} not all are free`);
  return ports;
}
