import type { Kafka } from 'kafkajs';
import { pino } from 'pino';
import { createKafka, createPartitioner } from '#shared/adapters/kafka/client.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { avroType } from '#shared/codec/schemas.ts';
import { wireHeaderBytes, writeWireHeader } from '#shared/codec/wire.ts';
import type { BenchFleet } from './bench-fleet.ts';
import { countRows, watchGrowth } from './growth.ts';
import { cpuPerRow } from './processes.ts';
import { steadyWindow } from './steady.ts';

/**
 * What our rate is measured against: ClickHouse reads one record per message with its own Kafka engine and keeps it, which
 * is the least that a pipeline on Kafka and ClickHouse can do. No check, no duplicate found, a repeat doubles rows.
 */
const topic = 'bench-single-rows';
const partitions = 6;
const rowsPerSend = 2_000;
const warmUpShare = 0.2;
/** About what our writer inserts at once. By default the engine collects a million rows, or 7.5 seconds. */
const blockRows = 65_536;

/** What a supplier's row says, and where it came from. */
const schema = {
  type: 'record',
  name: 'SubmittedRow',
  namespace: 'bench',
  fields: [
    { name: 'submission', type: 'string' },
    { name: 'row', type: 'int' },
    { name: 'account', type: 'string' },
    { name: 'received_at', type: 'long' },
    { name: 'supplier', type: 'string' },
    { name: 'holder', type: 'string' },
    { name: 'model', type: 'string' },
    { name: 'serial', type: 'string' },
  ],
} as const;

const tableDdl = `
CREATE TABLE bench_single_rows
(
    submission UUID,
    row UInt32,
    account LowCardinality(String),
    received_at DateTime64(3, 'UTC'),
    supplier LowCardinality(String),
    holder LowCardinality(String),
    model LowCardinality(String),
    serial String
)
ENGINE = MergeTree ORDER BY serial`;

export interface KafkaEngineRun {
  readonly rowsPerSecond: number;
  readonly rows: number;
  readonly seconds: number;
  readonly cpuUsPerRow: Readonly<Record<string, number>>;
}

/** A topic of single rows, filled once and read again by each run under a group of its own. */
export class KafkaEngine {
  readonly #bench: BenchFleet;
  readonly #rows: number;
  readonly #consumers: number;
  #runs = 0;

  private constructor(bench: BenchFleet, rows: number, consumers: number) {
    this.#bench = bench;
    this.#rows = rows;
    this.#consumers = consumers;
  }

  static async fill(bench: BenchFleet, rows: number, consumers: number): Promise<KafkaEngine> {
    const { urls } = bench.fleet.engines;
    const log = pino({ level: 'silent' });
    const kafka = createKafka({ brokers: urls.kafkaBrokers, clientId: 'bench', log });
    await createTopic(kafka);
    const id = await openRegistry(urls.schemaRegistryUrl).register(`${topic}-value`, JSON.stringify(schema));
    await produce(kafka, id, rows, bench);
    await bench.clickhouse.command(tableDdl);
    return new KafkaEngine(bench, rows, consumers);
  }

  /** Attaches the engine, waits until every row is in the table, and detaches it. */
  async run(): Promise<KafkaEngineRun> {
    const { clickhouse, fleet, processes } = this.#bench;
    const { kafkaBrokers, schemaRegistryUrl } = fleet.engines.urls;
    const before = await countRows(clickhouse, 'bench_single_rows');
    this.#runs += 1;
    await clickhouse.command(`
      CREATE TABLE bench_queue (submission String, row Int32, account String, received_at Int64, supplier String, holder String,
          model String, serial String)
      ENGINE = Kafka SETTINGS kafka_broker_list = '${kafkaBrokers}', kafka_topic_list = '${topic}',
          kafka_group_name = 'bench-${this.#runs}', kafka_format = 'AvroConfluent',
          format_avro_schema_registry_url = '${schemaRegistryUrl}',
          kafka_max_block_size = ${blockRows}, kafka_poll_max_batch_size = ${blockRows},
          kafka_num_consumers = ${this.#consumers}, kafka_thread_per_consumer = ${this.#consumers > 1 ? 1 : 0}`);
    try {
      await clickhouse.command(`
        CREATE MATERIALIZED VIEW bench_queue_view TO bench_single_rows AS
        SELECT toUUID(submission) AS submission, row, account, fromUnixTimestamp64Milli(received_at, 'UTC') AS received_at,
            supplier, holder, model, serial FROM bench_queue`);
      const target = this.#rows;
      const options = { before, target, timeoutMs: 120_000, processes };
      const arrivals = await watchGrowth(clickhouse, 'bench_single_rows', options);
      // The last blocks are not full ones: the engine waits for more before it writes them.
      const full = target * 0.9;
      const { from, to, rows, seconds, rowsPerSecond } = steadyWindow(
        arrivals,
        target * warmUpShare,
        (arrival) => arrival.rows <= full,
      );
      return { rowsPerSecond, rows, seconds, cpuUsPerRow: cpuPerRow(from.cpu, to.cpu, rows) };
    } finally {
      await clickhouse.command('DROP TABLE IF EXISTS bench_queue_view SYNC');
      await clickhouse.command('DROP TABLE IF EXISTS bench_queue SYNC');
    }
  }
}

async function createTopic(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }] });
  await admin.disconnect();
}

async function produce(kafka: Kafka, schemaId: number, rows: number, bench: BenchFleet): Promise<void> {
  const type = avroType(schema);
  const producer = kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
  await producer.connect();
  const receivedAt = Date.now();
  const encode = (number: number): Buffer => {
    const { holder, model } = bench.models[Math.floor(number / 125) % bench.models.length]!;
    const body = type.toBuffer({
      submission: `01890000-0000-7000-8000-${String(Math.floor(number / 5_000)).padStart(12, '0')}`,
      row: (number % 5_000) + 1,
      account: '01890000-0000-7000-8000-000000000000',
      received_at: receivedAt,
      supplier: bench.supplier,
      holder,
      model,
      serial: serialOf(number),
    });
    const value = Buffer.allocUnsafe(wireHeaderBytes + body.length);
    writeWireHeader(value, schemaId);
    body.copy(value, wireHeaderBytes);
    return value;
  };
  const send = async (partition: number) => {
    for (let first = partition * rowsPerSend; first < rows; first += partitions * rowsPerSend) {
      const count = Math.min(rowsPerSend, rows - first);
      const messages = Array.from({ length: count }, (_, i) => ({
        key: null,
        value: encode(first + i),
        partition,
      }));
      await producer.send({ topic, acks: -1, messages });
    }
  };
  await Promise.all(Array.from({ length: partitions }, (_, partition) => send(partition)));
  await producer.disconnect();
}

/** As scattered as those of the files. */
function serialOf(number: number): string {
  return `KE${((BigInt(number) * 0x9e3779b1n) & 0xff_ffff_ffffn).toString(16).toUpperCase().padStart(10, '0')}`;
}
