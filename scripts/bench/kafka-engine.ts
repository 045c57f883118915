import type { Kafka } from 'kafkajs';
import { pino } from 'pino';
import { createKafka, createPartitioner } from '#shared/adapters/kafka/client.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { Encoder } from '#shared/codec/codec.ts';
import { avroType } from '#shared/codec/schemas.ts';
import type { SerialBatch } from '#shared/domain/serials.ts';
import { recordOf } from '#test/support/serial-record.ts';
import type { BenchFleet } from './bench-fleet.ts';
import { countRows, watchGrowth } from './growth.ts';
import { cpuPerRow } from './processes.ts';
import type { SingleRow } from './single-rows.ts';
import { steadyWindow } from './steady.ts';

const partitions = 6;
const rowsPerSend = 2_000;
const warmUpShare = 0.2;
/** About what our writer inserts at once. By default the engine collects a million rows, or 7.5 seconds. */
const blockRows = 65_536;

export interface KafkaEngineRun {
  readonly rowsPerSecond: number;
  readonly rows: number;
  readonly seconds: number;
  readonly cpuUsPerRow: Readonly<Record<string, number>>;
}

/**
 * What our rate is measured against: ClickHouse reads one record a message with its own Kafka engine and keeps it in a
 * MergeTree. No check, no duplicate found, nothing that a look-up or a search needs; a repeat doubles rows. The topic is filled
 * once, and read again by each run under a group of its own.
 */
export class KafkaEngine {
  readonly row: SingleRow;
  readonly #bench: BenchFleet;
  readonly #rows: number;
  readonly #consumers: number;
  #runs = 0;

  private constructor(bench: BenchFleet, row: SingleRow, rows: number, consumers: number) {
    this.row = row;
    this.#bench = bench;
    this.#rows = rows;
    this.#consumers = consumers;
  }

  static async fill(
    bench: BenchFleet,
    row: SingleRow,
    rows: number,
    consumers: number,
  ): Promise<KafkaEngine> {
    const { urls } = bench.fleet.engines;
    const log = pino({ level: 'silent' });
    const kafka = createKafka({ brokers: urls.kafkaBrokers, clientId: 'bench', log });
    await createTopic(kafka, row.topic);
    const registry = await openRegistry(urls.schemaRegistryUrl);
    const id = await registry.register(`${row.topic}-value`, JSON.stringify(row.schema));
    await produce(kafka, row, id, rows, bench);
    await bench.clickhouse.command(`CREATE TABLE ${row.table} ${row.kept}`);
    return new KafkaEngine(bench, row, rows, consumers);
  }

  /** Attaches the engine, waits until every row is in the table, and detaches it. */
  async run(): Promise<KafkaEngineRun> {
    const { clickhouse, fleet, processes } = this.#bench;
    const { kafkaBrokers, schemaRegistryUrl } = fleet.engines.urls;
    const { topic, table, queueColumns, select } = this.row;
    const before = await countRows(clickhouse, table);
    this.#runs += 1;
    await clickhouse.command(`
      CREATE TABLE bench_queue (${queueColumns})
      ENGINE = Kafka SETTINGS kafka_broker_list = '${kafkaBrokers}', kafka_topic_list = '${topic}',
          kafka_group_name = '${topic}-${this.#runs}', kafka_format = 'AvroConfluent',
          format_avro_schema_registry_url = '${schemaRegistryUrl}',
          kafka_max_block_size = ${blockRows}, kafka_poll_max_batch_size = ${blockRows},
          kafka_num_consumers = ${this.#consumers}, kafka_thread_per_consumer = ${this.#consumers > 1 ? 1 : 0}`);
    try {
      await clickhouse.command(
        `CREATE MATERIALIZED VIEW bench_queue_view TO ${table} AS SELECT ${select} FROM bench_queue`,
      );
      const target = this.#rows;
      const options = { before, target, timeoutMs: 120_000, processes };
      const arrivals = await watchGrowth(clickhouse, table, options);
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

async function createTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }] });
  await admin.disconnect();
}

async function produce(
  kafka: Kafka,
  row: SingleRow,
  schemaId: number,
  rows: number,
  bench: BenchFleet,
): Promise<void> {
  const producer = kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
  await producer.connect();
  const receivedAt = Date.now();
  const encoder = new Encoder<object>(avroType(row.schema), schemaId);
  const send = async (partition: number) => {
    for (let first = partition * rowsPerSend; first < rows; first += partitions * rowsPerSend) {
      const count = Math.min(rowsPerSend, rows - first);
      const messages = Array.from({ length: count }, (_, i) => ({
        key: null,
        value: encoder.encode(row.recordOf(batchOfOne(bench, first + i, receivedAt))),
        partition,
      }));
      await producer.send({ topic: row.topic, acks: -1, messages });
    }
  };
  await Promise.all(Array.from({ length: partitions }, (_, partition) => send(partition)));
  await producer.disconnect();
}

/** A row as the gateway would send it, alone in its batch. */
function batchOfOne(bench: BenchFleet, number: number, receivedAt: number): SerialBatch {
  const { holder, model } = bench.models[Math.floor(number / 125) % bench.models.length]!;
  const at = (number % 5_000) + 1;
  return {
    submission: `01890000-0000-7000-8000-${String(Math.floor(number / 5_000)).padStart(12, '0')}`,
    batch: Math.floor((at - 1) / 500),
    account: '01890000-0000-7000-8000-000000000000',
    supplier: bench.supplier,
    channel: 'csv',
    product: 'panel',
    action: 'register',
    received_at: receivedAt,
    records: [recordOf({ supplier: bench.supplier, holder, model, serial: serialOf(number) }, at)],
  };
}

/** As scattered as those of the files. */
function serialOf(number: number): string {
  return `KE${((BigInt(number) * 0x9e3779b1n) & 0xff_ffff_ffffn).toString(16).toUpperCase().padStart(10, '0')}`;
}
