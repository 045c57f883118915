import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pino } from 'pino';
import { bucketsOf, dedupSettings } from '#dedup/config.ts';
import { bucketKey, type IndexLayout, serialPlace } from '#dedup/layout.ts';
import { unpackSlots } from '#dedup/slots.ts';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import {
  beginGeneration,
  knownGenerations,
  newHashKey,
  recordReady,
} from '#shared/adapters/clickhouse/index-generations.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import {
  createTopics,
  indexPrefix,
  serialPartitions,
  topicName,
  topicSpecs,
  topicsGeneration,
} from '#shared/adapters/kafka/topics.ts';
import { closeRedis, createRedis } from '#shared/adapters/redis/client.ts';
import { RedisStateStore } from '#shared/adapters/redis/state-store.ts';
import { type EngineUrls, startEngines, urlEnv } from '../engines/engines.ts';
import { root } from '../engines/local.ts';
import { Supervisor } from '../engines/supervise.ts';

export interface RebuildRun {
  readonly serials: number;
  readonly entries: number;
  /** Of the whole command, from its start to its end. */
  readonly seconds: number;
  readonly serialsPerSecond: number;
}

const partitions = serialPartitions('local');
const log = pino({ level: 'silent' });
const rowsOfFile = 5_000;
/** Files were received over so long; the index remembers the batches of a week. */
const spreadMs = 365 * 86_400_000;
const serialsAtOnce = 1_000_000;
const sampled = 2_000;

/**
 * A ledger of `serials` serials, every tenth of them marked invalid since, whose index is lost; then `rebuild-index` as an
 * operator runs it. ClickHouse makes the rows itself: how they come there is not what is measured.
 */
export async function runRebuild(
  dataDir: string,
  serials: number,
  progress: (text: string) => void,
): Promise<RebuildRun> {
  const folder = path.join(dataDir, `rebuild-${serials}`);
  mkdirSync(folder, { recursive: true });
  const supervisor = await Supervisor.open(folder);
  const engines = await startEngines({ supervisor, env: {}, needs: ['kafka', 'redis', 'clickhouse'] });
  const { urls } = engines;
  const open = (database: string) => createClickhouse({ url: urls.clickhouseUrl, database, log });
  const [clickhouse, apart] = [open('ledger'), open('default')];
  try {
    const kafka = createKafka({ brokers: urls.kafkaBrokers, clientId: 'bench', log });
    await createTopics(kafka, topicSpecs('local'));
    await migrate(clickhouse, apart, { now: () => new Date() });
    progress(`ClickHouse makes a ledger of ${serials.toLocaleString('en')} serials`);
    const entries = await fill(clickhouse, serials);
    progress('npm run rebuild-index');
    const begun = performance.now();
    await rebuild(urls, progress);
    const seconds = (performance.now() - begun) / 1_000;
    await verify(clickhouse, urls, serials);
    return { serials, entries, seconds, serialsPerSecond: serials / seconds };
  } finally {
    await clickhouse.close();
    await apart.close();
    await engines.stop();
    supervisor.close();
  }
}

/** Serial `number` stands in row `number` of all files; a second set of files marks every tenth invalid. */
async function fill(clickhouse: Clickhouse, serials: number): Promise<number> {
  const files = Math.ceil(serials / rowsOfFile);
  const spread = { begun: Date.now() - spreadMs, stepMs: Math.floor(spreadMs / (2 * files)) };
  for (let from = 0; from < serials; from += serialsAtOnce) {
    const count = Math.min(serialsAtOnce, serials - from);
    for (const every of [1, 10]) {
      const params = {
        ...spread,
        from,
        count,
        every,
        firstFile: every === 1 ? 0 : files,
        partitions,
        rowsOfFile,
      };
      await clickhouse.command(rowsSql, params, { timeoutMs: fillTimeoutMs });
      await clickhouse.command(outcomesSql, params, { timeoutMs: fillTimeoutMs });
    }
  }
  const layout = {
    hashKey: newHashKey(),
    buckets: bucketsOf(
      { indexCapacity: serials, bucketSerials: dedupSettings.bucketSerials.fallback! },
      partitions,
    ),
  };
  for (let partition = 0; partition < partitions; partition++) {
    const scope = { scope: String(partition), topicGeneration: topicsGeneration };
    await recordReady(clickhouse, scope, await beginGeneration(clickhouse, scope, layout));
  }
  await clickhouse.insertRows(
    'watermarks',
    Array.from({ length: partitions }, (_, partition) => ({
      topic: topicName('serials.decided'),
      partition,
      origin: 2 * files,
    })),
  );
  return serials + Math.ceil(serials / 10);
}

const fillTimeoutMs = 600_000;
const serialDigits = 10;
const serialText = `concat('RB', leftPad(toString(number), ${serialDigits}, '0'))`;

function serialOf(number: number): string {
  return `RB${String(number).padStart(serialDigits, '0')}`;
}

/** Row `number` of all files: `every` 1 registers each serial, 10 marks each tenth of them invalid. */
const row = `number, intDiv(number, {rowsOfFile:UInt64}) + {firstFile:UInt64} AS file,
    number % {partitions:UInt64} AS partition, toUUID(concat('00000000-0000-7000-8000-', leftPad(toString(file), 12, '0'))) AS submission,
    fromUnixTimestamp64Milli(toInt64({begun:Int64} + file * {stepMs:Int64})) AS received_at,
    {every:UInt64} = 1 AS registers`;
const rows = `numbers({from:UInt64}, {count:UInt64}) WHERE number % {every:UInt64} = 0`;

const rowsSql = `
INSERT INTO serial_rows (product, serial_key, holder_key, submission, row, outcome, entry, action, account, supplier,
    supplier_key, holder, model, serial, listing, received_at, partition, origin)
SELECT 'panel', ${serialText}, concat('HOLDER ', toString(number % 200)), submission, number % {rowsOfFile:UInt64} + 1,
    if(registers, 'registered', 'invalidated'), if(registers, 1, 2), if(registers, 'register', 'invalidate'), 'account',
    concat('Supplier ', toString(number % 50)), concat('SUPPLIER ', toString(number % 50)),
    concat('Holder ', toString(number % 200)), concat('M-', toString(number % 1000)), ${serialText}, 'listed', received_at,
    partition, file
FROM (SELECT ${row} FROM ${rows})`;

const outcomesSql = `
INSERT INTO batch_outcomes (submission, batch, partition, origin, rows, outcomes, received_at)
SELECT submission, partition AS batch, partition, file, count() AS rows,
    map(if(any(registers), 'registered', 'invalidated'), rows), any(received_at)
FROM (SELECT ${row} FROM ${rows})
GROUP BY submission, partition, file`;

async function rebuild(urls: EngineUrls, progress: (text: string) => void): Promise<void> {
  const env = {
    ...process.env,
    ...urlEnv(urls),
    SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
    TOPICS_PROFILE: 'local',
  };
  const child = spawn(process.execPath, [path.join(root, 'scripts', 'rebuild-index.ts')], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (text) => progress(String(text).trimEnd()));
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`rebuild-index ended with ${code}`);
}

/** What dedup would find of a sample of the serials. */
async function verify(clickhouse: Clickhouse, urls: EngineUrls, serials: number): Promise<void> {
  const redis = createRedis({ url: urls.redisUrl, log });
  try {
    const store = new RedisStateStore(redis, indexPrefix);
    const generations = await Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        knownGenerations(clickhouse, { scope: String(partition), topicGeneration: topicsGeneration }),
      ),
    );
    for (let i = 0; i < sampled; i++) {
      const number = Math.floor((serials * i) / sampled);
      const partition = number % partitions;
      const generation = generations[partition]!.find(({ ready }) => ready)!;
      const found = await stateOf(store, String(partition), generation, serialOf(number));
      const expected = number % 10 === 0 ? 'invalid 2' : 'registered 1';
      if (found !== expected) throw new Error(`serial ${serialOf(number)} is ${found}, not ${expected}`);
    }
  } finally {
    await closeRedis(redis);
  }
}

async function stateOf(
  store: RedisStateStore,
  name: string,
  layout: IndexLayout & { readonly generation: string },
  serial: string,
): Promise<string> {
  const scope = { name, generation: layout.generation };
  const started = await store.start(scope);
  if (started === 'no_index') return started;
  const { bucket, field } = serialPlace(layout, 'panel', serial);
  const read = { kind: 'hash', key: bucketKey(bucket), fields: [field] } as const;
  const values = await store.read(scope, started.position, [read]);
  if (typeof values === 'string') return values;
  return unpackSlots(values[0]?.[0] ?? null)
    .map(({ state, entry }) => `${state} ${entry}`)
    .join(' and ');
}
