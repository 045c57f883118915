import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { createLedger } from '#certificate/gather/ledger.ts';
import type { LedgerPorts } from '#certificate/gather/questions.ts';
import { urlEnv } from '#scripts/engines/engines.ts';
import { root } from '#scripts/engines/local.ts';
import { lastLines, type Supervised } from '#scripts/engines/supervise.ts';
import { importList } from '#scripts/import-cec-list.ts';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { migrate } from '#shared/adapters/clickhouse/migrations.ts';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { createTopics, serialPartitions, topicName, topicSpecs } from '#shared/adapters/kafka/topics.ts';
import { closeRedis, createRedis, type RedisClient } from '#shared/adapters/redis/client.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { Codec } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { tick } from '#shared/domain/batches.ts';
import {
  type ClaimEvent,
  type ClaimFacts,
  claimEvent,
  claimIdOf,
  claimPartition,
  type Sender,
  unitOf,
} from '#shared/domain/claims/index.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { normalise } from '#shared/domain/normalise.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import type { Ruling } from '#shared/domain/rulings/ruling.ts';
import type { SerialBatch, SerialRecord } from '#shared/domain/serials.ts';
import { equipment, solarFacts } from './claims.ts';
import { startTestEngines, type TestEngines } from './engines.ts';
import { silent } from './stores.ts';

const dayMs = 86_400_000;
const partitions = serialPartitions('local');
export const panelHolder = 'Sunward Energy Pty Ltd';
export const inverterHolder = 'Gridline Power';
export const today = sydneyDay(Date.now());
export const installed = sydneyDay(Date.now() - 30 * dayMs);
const workers = ['cec-validation', 'dedup', 'ledger-writer', 'certificate'] as const;
type Worker = (typeof workers)[number];

export interface ClaimState {
  readonly claim: string;
  readonly status: string;
  readonly decision: string;
  readonly certificates: number;
  readonly certificate_year: number;
  readonly first_number: number;
  readonly last_number: number;
  readonly accreditation_code: string;
  readonly certificate_status: string;
  readonly findings: readonly { code: string; effect: string; subject: string; reference: string }[];
}

/** Engines and the four workers, with small lists and no gateway: tests write what a gateway would. */
export class ClaimsFleet {
  readonly engines: TestEngines;
  readonly clickhouse: Clickhouse;
  readonly publisher: Publisher;
  readonly codec: Codec;
  readonly ledger: LedgerPorts;
  readonly #redis: RedisClient;
  readonly #running = new Map<string, Supervised>();
  #claims = 0;

  private constructor(
    engines: TestEngines,
    clickhouse: Clickhouse,
    redis: RedisClient,
    publisher: Publisher,
    codec: Codec,
  ) {
    this.engines = engines;
    this.clickhouse = clickhouse;
    this.#redis = redis;
    this.publisher = publisher;
    this.codec = codec;
    this.ledger = createLedger({ clickhouse, publisher, codec, partitions });
  }

  static async start(): Promise<ClaimsFleet> {
    const engines = await startTestEngines();
    const { urls } = engines.engines;
    const kafka = createKafka({ brokers: urls.kafkaBrokers, clientId: 'test', log: silent });
    const clickhouse = createClickhouse({ url: urls.clickhouseUrl, database: 'ledger', log: silent });
    const apart = createClickhouse({ url: urls.clickhouseUrl, database: 'default', log: silent });
    const redis = createRedis({ url: urls.redisUrl, log: silent });
    await Promise.all([
      createTopics(kafka, topicSpecs('local')),
      migrate(clickhouse, apart, { now: () => new Date() }),
    ]);
    await apart.close();
    const codec = await Codec.open(openRegistry(urls.schemaRegistryUrl), {
      [topicName('serials.submitted')]: 'SerialBatch',
      [topicName('claims.submitted')]: 'ClaimEvent',
      [topicName('claims.decided')]: 'DecidedClaim',
      [topicName('rulings')]: 'Ruling',
    });
    const fleet = new ClaimsFleet(engines, clickhouse, redis, new Publisher(kafka), codec);
    await fleet.#importLists();
    await Promise.all(workers.map((worker) => fleet.startWorker(worker)));
    return fleet;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((service) => service.stop(10_000)));
    await this.publisher.close();
    await closeRedis(this.#redis);
    await this.clickhouse.close();
    await this.engines.stop();
  }

  worker(name: Worker, instance = 1): Supervised {
    const running = this.#running.get(`${name}-${instance}`);
    if (!running) throw new Error(`${name}-${instance} is not running`);
    return running;
  }

  /** Starts one, also again; resolves when it says that it is up. */
  async startWorker(worker: Worker, instance = 1): Promise<void> {
    const name = `${worker}-${instance}`;
    const running = await this.engines.supervisor.spawn({
      name,
      command: process.execPath,
      args: [path.join('services', worker, 'main.ts')],
      env: {
        ...process.env,
        ...urlEnv(this.engines.engines.urls),
        INSTANCE: String(instance),
        LEDGER_WAIT_MS: '3000',
        SESSION_TIMEOUT_MS: '6000',
      },
      cwd: root,
      logFile: path.join(this.engines.dataDir, `${name}.log`),
      ipc: true,
    });
    this.#running.set(name, running);
    await Promise.race([
      running.message,
      running.exited.then(({ code }) => {
        throw new Error(`${name} ended with ${code}:\n${lastLines(running.logFile)}`);
      }),
    ]);
  }

  async #importLists(): Promise<void> {
    const panels = [
      'Licensee/Certificate Holder,Model Number,CEC Approved Date,Expiry Date,Fire Tested',
      `${panelHolder},panel-100,1/01/2024,31/12/2029,Yes`,
      `${panelHolder},panel-200,1/01/2024,31/12/2029,Yes`,
      `${panelHolder},panel-old,1/01/2024,31/12/2024,Yes`,
    ];
    const inverters = [
      'Manufacturer,Series,Model Number,AC Power (kW),Approval Date,Expiry date',
      `${inverterHolder},G,inverter-100,5,1/01/2024,31/12/2029`,
    ];
    const ports = {
      clickhouse: this.clickhouse,
      redis: this.#redis,
      now: () => new Date(),
      report: () => {},
    };
    for (const [product, rows] of [
      ['panel', panels],
      ['inverter', inverters],
    ] as const) {
      const body = Buffer.from(`${rows.join('\r\n')}\r\n`);
      const result = await importList(ports, { product, fileName: 'list_20260423.csv', body });
      if (result.kind !== 'imported') throw new Error(`the list of ${product}s was not imported`);
    }
  }

  /** What the gateway does with a file, one batch a partition. */
  async submit(
    product: string,
    action: string,
    serials: readonly string[],
    more: Partial<SerialRecord> & { readonly account?: string } = {},
  ): Promise<void> {
    const { account = 'supplier-account', ...cells } = more;
    const submission = randomUUID();
    const supplier = cells.supplier ?? 'Sunward Imports';
    const received_at = Date.now();
    const encoder = this.codec.encoder<SerialBatch>('SerialBatch');
    const byPartition = Map.groupBy(serials, (serial) => partitionOf(product, normalise(serial), partitions));
    const messages = [...byPartition].map(([partition, own], batch) => {
      const records = own.map((serial, row): SerialRecord => {
        const named = {
          holder: product === 'panel' ? panelHolder : inverterHolder,
          model: `${product}-100`,
          ...cells,
        };
        return {
          row: batch * 1_000 + row + 1,
          line: 0,
          series: '',
          status: '',
          reason: action === 'invalidate' ? 'Other' : '',
          note: '',
          finding: '',
          column: '',
          ...named,
          supplier,
          serial,
          supplier_key: normalise(supplier),
          holder_key: normalise(named.holder),
          serial_key: normalise(serial),
        };
      });
      const head = { submission, batch, account, supplier, channel: 'csv', product, action, received_at };
      const value = encoder.encode({ ...tick, ...head, records });
      const headers = { submission, batch, rows: records.length, deadRows: 0, receivedAt: received_at };
      return { partition, value, headers: writeHeaders(headers) };
    });
    await this.publisher.send(topicName('serials.submitted'), messages);
  }

  register(serials: readonly string[], more: Parameters<ClaimsFleet['submit']>[3] = {}): Promise<void> {
    return this.submit('panel', 'register', serials, more);
  }

  async registerInverters(...events: readonly ClaimEvent[]): Promise<void> {
    const serials = events.flatMap(({ equipment: items }) =>
      items.filter(({ product }) => product === 'inverter').flatMap(({ serials: own }) => own),
    );
    await this.submit('inverter', 'register', serials);
  }

  /** A claim of a place of its own, with an inverter of its own. */
  claimed(panels: readonly string[], more: Partial<ClaimFacts> = {}): ClaimEvent {
    this.#claims += 1;
    const n = this.#claims;
    const facts = solarFacts({
      installed_on: installed,
      address: `${n} Example Street`,
      panel_count: panels.length,
      equipment: [equipment('panel', panels), equipment('inverter', [`INV-${n}`])],
      ...more,
    });
    return claimEvent(this.sender('agent'), claimIdOf(unitOf(facts), `token-${n}`), facts);
  }

  sender(account: string): Sender {
    return { event: randomUUID(), account, submitted_by: 'key', received_at: Date.now() };
  }

  async send(...events: readonly ClaimEvent[]): Promise<void> {
    const encoder = this.codec.encoder<ClaimEvent>('ClaimEvent');
    await this.publisher.send(
      topicName('claims.submitted'),
      events.map((event) => ({
        partition: claimPartition(event.unit, partitions),
        key: event.unit,
        value: encoder.encode(event),
        headers: { event: event.event },
      })),
    );
  }

  /** Resolves when the ledger has the ruling: then it counts for every claim that comes. */
  async rule(kind: string, subject: Partial<Ruling>): Promise<void> {
    const ruling: Ruling = {
      ruling: randomUUID(),
      kind,
      account: 'regulator',
      submitted_by: 'key',
      received_at: Date.now(),
      reason: 'as found',
      product: 'panel',
      holder: '',
      holder_key: '',
      model: '',
      model_key: '',
      serial: '',
      serial_key: '',
      from_day: '',
      held_by: '',
      disputed_by: [],
      ...subject,
    };
    const value = this.codec.encoder<Ruling>('Ruling').encode(ruling);
    await this.publisher.send(topicName('rulings'), [{ partition: 0, value }]);
    await this.until(`ruling ${kind}`, async () => {
      const sql = 'SELECT 1 FROM rulings WHERE ruling = {ruling:String}';
      return (await this.clickhouse.query(sql, { ruling: ruling.ruling }))[0];
    });
  }

  async until<T>(what: string, read: () => Promise<T | undefined>, timeoutMs = 60_000): Promise<T> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const value = await read();
      if (value !== undefined) return value;
      if (Date.now() > end) throw new Error(`waited in vain: ${what}\n${this.#logs()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #logs(): string {
    return [...this.#running.values()]
      .map(({ name, logFile }) => `${name}:\n${lastLines(logFile, 6)}`)
      .join('\n');
  }

  /** The claim once the decision of this event is in the ledger. */
  async decided(event: ClaimEvent): Promise<ClaimState> {
    const { claim, event: id } = event;
    await this.until(`decision of ${event.kind} ${id}`, async () => {
      const sql = 'SELECT 1 FROM claims WHERE claim = {claim:String} AND event = {id:String}';
      return (await this.clickhouse.query(sql, { claim, id }))[0];
    });
    const sql = 'SELECT * FROM claim_states WHERE claim = {claim:String}';
    const [state] = await this.clickhouse.query<ClaimState>(sql, { claim });
    return state!;
  }
}
