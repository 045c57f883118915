import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { bucketsOf, dedupSettings } from '#dedup/config.ts';
import type { BatchView } from '#dedup/decider.ts';
import { DedupPartition, type DedupPorts } from '#dedup/partition.ts';
import { serialPartitions } from '#shared/adapters/kafka/topics.ts';
import { closeRedis, createRedis, type RedisClient } from '#shared/adapters/redis/client.ts';
import { RedisStateStore } from '#shared/adapters/redis/state-store.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import type { InMessage, PartitionControl } from '#shared/runtime/stage.ts';
import { startEngines } from '../engines/engines.ts';
import { Supervisor } from '../engines/supervise.ts';

export interface RedisRun {
  readonly serials: number;
  readonly indexCapacity: number;
  readonly bytesPerSerial: number;
  readonly rowsPerSecond: number;
}

const partitions = serialPartitions('local');
/** A file of 5,000 rows leaves about this much in each of six partitions. */
const batchRows = [500, 333] as const;
const batchesPerDelivery = 8;

/**
 * Registers `serials` new serials through dedup's own machine and state store, on a Redis of its own, and asks the server
 * what its memory has grown by. All is included: buckets, dictionaries, the set of batches seen, positions.
 */
export async function runRedis(dataDir: string, serials: number, indexCapacity: number): Promise<RedisRun> {
  const folder = path.join(dataDir, `redis-${serials}-${indexCapacity}`);
  mkdirSync(folder, { recursive: true });
  const supervisor = await Supervisor.open(folder);
  const engines = await startEngines({ supervisor, env: {}, needs: ['redis'] });
  const redis = createRedis({ url: engines.urls.redisUrl, log: pino({ level: 'silent' }) });
  try {
    const before = await usedMemory(redis);
    const begun = performance.now();
    await load(new RedisStateStore(redis, 'ledger:t1:'), serials, indexCapacity);
    const seconds = (performance.now() - begun) / 1_000;
    const grown = (await usedMemory(redis)) - before;
    return {
      serials,
      indexCapacity,
      bytesPerSerial: grown / serials,
      rowsPerSecond: serials / seconds,
    };
  } finally {
    await closeRedis(redis);
    await engines.stop();
    supervisor.close();
  }
}

async function load(store: RedisStateStore, serials: number, indexCapacity: number): Promise<void> {
  const bucketSerials = dedupSettings.bucketSerials.fallback!;
  const layout = {
    hashKey: randomBytes(16).toString('hex'),
    buckets: bucketsOf({ indexCapacity, bucketSerials }, partitions),
  };
  await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const scope = { name: String(partition), generation: '1' };
      await store.activate(scope);
      const { worker } = await DedupPartition.start(scope, layout, portsOf(store), control);
      const own = Math.floor(serials / partitions) + (partition < serials % partitions ? 1 : 0);
      for (const messages of deliveries(partition, own)) await worker.handle(messages, { backlog: 0 });
      await worker.settled();
    }),
  );
}

const control: PartitionControl = {
  commit: () => undefined,
  fail(error) {
    throw error;
  },
};

/** Messages carry their batch as JSON: only what dedup reads of one is of interest here. */
function portsOf(store: RedisStateStore): DedupPorts {
  return {
    store,
    deadLettersInRowMax: 1,
    deadBefore: new Set(),
    decode: (message) => batches.get(message.value!),
    encodeDecisions: (_, decisions) => Buffer.alloc(14 * decisions.length),
    publish: async () => undefined,
    async deadLetter() {
      throw new Error('every message can be read');
    },
    counted(outcome) {
      if (outcome !== 'registered') throw new Error(`a new serial became ${outcome}`);
    },
  };
}

/** What a message's bytes stand for: nothing is encoded where nothing travels. */
const batches = new WeakMap<Buffer, BatchView>();

function* deliveries(partition: number, serials: number): Generator<readonly InMessage[]> {
  let made = 0;
  let offset = 0;
  let submission = randomUUID();
  let messages: InMessage[] = [];
  while (made < serials) {
    const batch = offset % batchRows.length;
    if (batch === 0) submission = randomUUID();
    const rows = Math.min(batchRows[batch]!, serials - made);
    messages.push(messageOf({ partition, offset, submission, batch, rows, first: made }));
    made += rows;
    offset += 1;
    if (messages.length < batchesPerDelivery && made < serials) continue;
    yield messages;
    messages = [];
  }
}

function messageOf(of: {
  partition: number;
  offset: number;
  submission: string;
  batch: number;
  rows: number;
  first: number;
}): InMessage {
  const { partition, offset, submission, batch, rows, first } = of;
  const receivedAt = Date.now();
  const headers = { submission, batch, rows, deadRows: 0, receivedAt, origin: offset };
  const value = Buffer.alloc(0);
  batches.set(value, {
    product: 'panel',
    action: 'register',
    received_at: receivedAt,
    records: Array.from({ length: rows }, (_, i) => ({
      row: i + 1,
      supplier_key: `SUPPLIER ${offset % 50}`,
      holder_key: `HOLDER ${(offset + (i % 4)) % 200}`,
      serial_key: `SL${partition}${String(first + i).padStart(10, '0')}`,
      status: '',
      finding: '',
      repeats: false,
    })),
    listings: Array.from({ length: rows }, () => ({ finding: 'listed' })),
  });
  return { offset, key: null, value, headers: writeHeaders(headers), timestamp: receivedAt };
}

/** Once the append-only file is not being rewritten: its buffers would be counted with the serials. */
async function usedMemory(redis: RedisClient): Promise<number> {
  for (;;) {
    const info = await redis.info();
    const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? Number.NaN);
    if (field('aof_rewrite_in_progress') === 0) return field('used_memory') - field('mem_aof_buffer');
    await delay(500);
  }
}
