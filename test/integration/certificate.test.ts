import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
import { closeRedis, createRedis } from '#shared/adapters/redis/client.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { Codec, type Encoder } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { tick } from '#shared/domain/batches.ts';
import {
  auditEvent,
  type ClaimEvent,
  type ClaimFacts,
  claimEvent,
  claimIdOf,
  claimPartition,
  unitOf,
  withdrawalEvent,
} from '#shared/domain/claims/index.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { normalise } from '#shared/domain/normalise.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import type { SerialBatch, SerialRecord } from '#shared/domain/serials.ts';
import { equipment, solarFacts, windFacts } from '#test/support/claims.ts';
import { startTestEngines, type TestEngines } from '#test/support/engines.ts';

const log = pino({ level: 'silent' });
const partitions = serialPartitions('local');
const holder = 'Sunward Energy Pty Ltd';
const dayMs = 86_400_000;
const today = sydneyDay(Date.now());
const installed = sydneyDay(Date.now() - 30 * dayMs);

let engines: TestEngines;
let clickhouse: Clickhouse;
let redis: Redis;
let publisher: Publisher;
let batches: Encoder<SerialBatch>;
let claims: Encoder<ClaimEvent>;
let ledger: LedgerPorts;
const running = new Map<string, Supervised>();

beforeAll(async () => {
  engines = await startTestEngines();
  const { urls } = engines.engines;
  const kafka = createKafka({ brokers: urls.kafkaBrokers, clientId: 'test', log });
  clickhouse = createClickhouse({ url: urls.clickhouseUrl, database: 'ledger', log });
  const apart = createClickhouse({ url: urls.clickhouseUrl, database: 'default', log });
  redis = createRedis({ url: urls.redisUrl, log });
  await Promise.all([
    createTopics(kafka, topicSpecs('local')),
    migrate(clickhouse, apart, { now: () => new Date() }),
  ]);
  await apart.close();
  publisher = new Publisher(kafka);
  const codec = await Codec.open(openRegistry(urls.schemaRegistryUrl), {
    [topicName('serials.submitted')]: 'SerialBatch',
    [topicName('claims.submitted')]: 'ClaimEvent',
  });
  batches = codec.encoder('SerialBatch');
  claims = codec.encoder('ClaimEvent');
  ledger = createLedger({ clickhouse, publisher, codec, partitions });
  await importLists();
  await Promise.all(['cec-validation', 'dedup', 'ledger-writer', 'certificate'].map(start));
});

afterAll(async () => {
  await Promise.all([...running.values()].map((service) => service.stop(10_000)));
  await publisher?.close();
  if (redis) await closeRedis(redis);
  await clickhouse?.close();
  await engines?.stop();
});

async function start(service: string): Promise<void> {
  const process_ = await engines.supervisor.spawn({
    name: service,
    command: process.execPath,
    args: [path.join('services', service, 'main.ts')],
    env: { ...process.env, ...urlEnv(engines.engines.urls), INSTANCE: '1', LEDGER_WAIT_MS: '3000' },
    cwd: root,
    logFile: path.join(engines.dataDir, `${service}.log`),
    ipc: true,
  });
  running.set(service, process_);
  await Promise.race([
    process_.message,
    process_.exited.then(({ code }) => {
      throw new Error(`${service} ended with ${code}:\n${lastLines(process_.logFile)}`);
    }),
  ]);
}

async function importLists(): Promise<void> {
  const panels = [
    'Licensee/Certificate Holder,Model Number,CEC Approved Date,Expiry Date,Fire Tested',
    `${holder},panel-100,1/01/2024,31/12/2029,Yes`,
    `${holder},panel-old,1/01/2024,31/12/2024,Yes`,
  ];
  const inverters = [
    'Manufacturer,Series,Model Number,AC Power (kW),Approval Date,Expiry date',
    'Gridline Power,G,inverter-100,5,1/01/2024,31/12/2029',
  ];
  for (const [product, rows] of [
    ['panel', panels],
    ['inverter', inverters],
  ] as const) {
    const result = await importList(
      { clickhouse, redis, now: () => new Date(), report: () => {} },
      { product, fileName: 'list_20260423.csv', body: Buffer.from(`${rows.join('\r\n')}\r\n`) },
    );
    expect(result.kind).toBe('imported');
  }
}

/** What the gateway does with a file, one batch a partition. */
async function submit(
  product: string,
  action: string,
  serials: readonly string[],
  more: Partial<SerialRecord> = {},
) {
  const submission = randomUUID();
  const supplier = more.supplier ?? 'Sunward Imports';
  const byPartition = Map.groupBy(serials, (serial) => partitionOf(product, normalise(serial), partitions));
  const messages = [...byPartition].map(([partition, own], batch) => {
    const records = own.map((serial, row) => {
      const record = {
        holder: product === 'panel' ? holder : 'Gridline Power',
        model: `${product}-100`,
        ...more,
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
        ...record,
        supplier,
        serial,
        supplier_key: normalise(supplier),
        holder_key: normalise(record.holder),
        serial_key: normalise(serial),
      };
    });
    const received_at = Date.now();
    const value = batches.encode({
      ...tick,
      submission,
      batch,
      account: 'supplier-account',
      supplier,
      channel: 'csv',
      product,
      action,
      received_at,
      records,
    });
    const headers = { submission, batch, rows: records.length, deadRows: 0, receivedAt: received_at };
    return { partition, value, headers: writeHeaders(headers) };
  });
  await publisher.send(topicName('serials.submitted'), messages);
}

const register = (serials: readonly string[], more: Partial<SerialRecord> = {}) =>
  submit('panel', 'register', serials, more);

let sent = 0;

function claimed(panels: readonly string[], more: Partial<ClaimFacts> = {}): ClaimEvent {
  sent += 1;
  const facts = solarFacts({
    installed_on: installed,
    address: `${sent} Example Street`,
    panel_count: panels.length,
    equipment: [equipment('panel', panels), equipment('inverter', [`INV-${sent}`])],
    ...more,
  });
  return claimEvent(sender('agent'), claimIdOf(unitOf(facts), `token-${sent}`), facts);
}

function sender(account: string) {
  return { event: randomUUID(), account, submitted_by: 'key', received_at: Date.now() };
}

async function send(...events: readonly ClaimEvent[]): Promise<void> {
  await publisher.send(
    topicName('claims.submitted'),
    events.map((event) => ({
      partition: claimPartition(event.unit, partitions),
      key: event.unit,
      value: claims.encode(event),
      headers: { event: event.event },
    })),
  );
}

interface ClaimState {
  readonly status: string;
  readonly decision: string;
  readonly certificates: number;
  readonly first_number: number;
  readonly last_number: number;
  readonly accreditation_code: string;
  readonly certificate_status: string;
  readonly findings: readonly { code: string; subject: string; reference: string }[];
}

async function until<T>(what: string, read: () => Promise<T | undefined>, timeoutMs = 30_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}\n${logs()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function logs(): string {
  return [...running.values()].map(({ name, logFile }) => `${name}:\n${lastLines(logFile, 6)}`).join('\n');
}

/** The claim once the decision of this event is in the ledger. */
async function decided(event: ClaimEvent): Promise<ClaimState> {
  await until(`decision of ${event.kind} ${event.event}`, async () => {
    const rows = await clickhouse.query(
      'SELECT 1 FROM claims WHERE claim = {claim:String} AND event = {event:String}',
      {
        claim: event.claim,
        event: event.event,
      },
    );
    return rows[0];
  });
  const [state] = await clickhouse.query<ClaimState>(
    'SELECT * FROM claim_states WHERE claim = {claim:String}',
    {
      claim: event.claim,
    },
  );
  return state!;
}

const codes = (state: ClaimState) => state.findings.map(({ code, subject }) => [code, subject]);

async function registerInverters(...events: readonly ClaimEvent[]): Promise<void> {
  const serials = events.flatMap(({ equipment: items }) =>
    items.filter(({ product }) => product === 'inverter').flatMap(({ serials: own }) => own),
  );
  await submit('inverter', 'register', serials);
}

describe('from a claim to its decision', () => {
  test('approved: evidence, figures, numbers and working are in the ledger', async () => {
    const claim = claimed(['A-1', 'a-2']);
    await register(['A-1', 'A-2']);
    await registerInverters(claim);
    await send(claim);
    const state = await decided(claim);
    expect(codes(state).map(([code]) => code)).toEqual([
      'registered_after_installation',
      'registered_after_installation',
      'registered_after_installation',
    ]);
    expect(state).toMatchObject({
      status: 'approved',
      decision: 'approved',
      first_number: 1,
      last_number: state.certificates,
      certificate_status: 'Pending audit',
    });
    expect(state.certificates).toBeGreaterThan(0);
    expect(state.accreditation_code).toMatch(/^SGUS\d{8}$/);

    const [row] = await clickhouse.query<Record<string, unknown>>(
      'SELECT * FROM claims WHERE claim = {claim:String}',
      {
        claim: claim.claim,
      },
    );
    expect(row).toMatchObject({
      kind: 'claim',
      entitlement: 'eligible',
      rules_version: 1,
      created_on: today,
    });
    expect(row?.serial_evidence).toMatchObject([
      {
        serial_key: 'A-1',
        state: 'found',
        entries: [{ holder, entry: 1, outcome: 'registered', registered_on: today }],
      },
      { serial_key: 'A-2', state: 'found' },
      { product: 'inverter', state: 'found' },
    ]);
    expect(row?.model_evidence).toMatchObject([
      { product: 'panel', state: 'listed', windows: [{ approved: '2024-01-01', expires: '2029-12-31' }] },
      { product: 'inverter', state: 'listed' },
    ]);
    expect(
      (row!.stamps as { stamp: number; watermark: number }[]).every(
        ({ stamp, watermark }) => watermark >= stamp,
      ),
    ).toBe(true);
    expect(row?.working).not.toHaveLength(0);
    expect(row).not.toHaveProperty('owner');
    const parties = await clickhouse.query(
      'SELECT owner, address FROM claim_parties WHERE claim = {claim:String}',
      {
        claim: claim.claim,
      },
    );
    expect(parties).toEqual([{ owner: claim.owner, address: claim.address }]);
    const serials = await clickhouse.query(
      "SELECT claim FROM claim_serials WHERE product = 'panel' AND serial_key = 'A-2'",
    );
    expect(serials).toEqual([{ claim: claim.claim }]);
  });

  test('held, refused: what is unknown, expired or claimed already is named', async () => {
    const taken = claimed(['B-1', 'B-2']);
    await register(['B-1', 'B-2', 'B-4']);
    await register(['B-3'], { model: 'panel-old' });
    const unknown = claimed(['B-4', 'B-NONE']);
    const expired = claimed([], {
      panel_count: 1,
      equipment: [equipment('panel', ['B-3'], { model: 'panel-old' }), equipment('inverter', ['INV-B'])],
    });
    await registerInverters(taken, unknown, expired);
    await send(taken);
    const holding = await decided(taken);
    expect(holding.status).toBe('approved');
    const again = claimed(['B-2', 'B-4']);
    await registerInverters(again);
    await send(unknown, expired, again);
    const found = async (event: ClaimEvent) => {
      const state = await decided(event);
      return [state.status, ...codes(state).filter(([code]) => code !== 'registered_after_installation')];
    };
    expect(await found(unknown)).toEqual(['held', ['serial_not_found', 'B-NONE']]);
    expect(await found(expired)).toEqual(['refused', ['model_expired', `${holder} panel-old`]]);
    expect(await found(again)).toEqual(['refused', ['serial_already_claimed', 'B-2']]);
    expect(
      (await decided(again)).findings.find(({ code }) => code === 'serial_already_claimed')?.reference,
    ).toBe(taken.claim);
  });

  test('withdrawal and failed audit free the serials; numbers go on; copies change nothing', async () => {
    const first = claimed(['C-1', 'C-2']);
    await register(['C-1', 'C-2']);
    await registerInverters(first);
    const withdrawal = withdrawalEvent(sender('agent'), first.claim, 'mistake');
    await send(first, withdrawal, first);
    const withdrawn = await decided(withdrawal);
    expect(withdrawn).toMatchObject({
      status: 'withdrawn',
      certificate_status: 'Withdrawn',
      first_number: 1,
    });
    const { claim: _, event: __, ...facts } = first;
    const second = { ...facts, event: randomUUID(), claim: claimIdOf(first.unit, 'second') };
    await send(second);
    const approved = await decided(second);
    expect(approved).toMatchObject({
      status: 'approved',
      first_number: withdrawn.last_number + 1,
      accreditation_code: withdrawn.accreditation_code,
    });
    const audit = auditEvent(sender('regulator'), second.claim, 'failed', 'not there');
    await send(audit);
    expect(await decided(audit)).toMatchObject({
      status: 'failed',
      certificate_status: 'Invalid due to audit',
    });
    const rows = await clickhouse.query<{ events: number }>(
      'SELECT count() AS events FROM claims FINAL WHERE unit = {unit:String}',
      { unit: first.unit },
    );
    expect(rows).toEqual([{ events: 4 }]);
  });

  test('an invalidation accepted before the claim is seen by it, however young (crash list 5)', async () => {
    const claim = claimed(['D-1', 'D-2']);
    await register(['D-1', 'D-2']);
    await registerInverters(claim);
    await submit('panel', 'invalidate', ['D-2']);
    await send(claim);
    const state = await decided(claim);
    expect(state.status).toBe('refused');
    expect(codes(state)).toContainEqual(['serial_invalid', 'D-2']);
  });

  test('a wind unit needs no ledger', async () => {
    const facts = windFacts({ installed_on: installed });
    const claim = claimEvent(sender('agent'), claimIdOf(unitOf(facts), 'wind'), facts);
    await send(claim);
    expect(await decided(claim)).toMatchObject({ status: 'approved', certificates: 27 });
  });
});

describe('waiting and dying', () => {
  test('a claim waits for the ledger as long as it takes; nothing overtakes it; then it is decided', async () => {
    await running.get('ledger-writer')!.stop(10_000);
    const waiting = claimed(['E-1']);
    const late = withdrawalEvent(sender('agent'), waiting.claim, 'mistake');
    await register(['E-1']);
    await registerInverters(waiting);
    const before = await tickCount();
    await send(waiting, late);
    // It asked, waited in vain, and asked again.
    await until('a second tick', async () => ((await tickCount()) > before + 6 ? true : undefined));
    expect(await evidencedEvents()).not.toContain(waiting.event);
    expect(await evidencedEvents()).not.toContain(late.event);
    await start('ledger-writer');
    expect(await decided(late)).toMatchObject({ decision: 'approved', status: 'withdrawn' });
  });

  test('killed while claims are on their way: each is decided once', async () => {
    const many = Array.from({ length: 60 }, (_, i) => claimed([`F-${i}`, `F-${i}-b`]));
    await register(many.flatMap(({ equipment: items }) => items[0]!.serials));
    await registerInverters(...many);
    await send(...many.slice(0, 40));
    await until('some decisions', async () => ((await decidedCount(many)) > 0 ? true : undefined));
    running.get('certificate')!.kill('SIGKILL');
    await send(...many.slice(40));
    await start('certificate');
    await until('all decisions', async () => ((await decidedCount(many)) === many.length ? true : undefined));
    const states = await Promise.all(many.map(decided));
    expect(states.map(({ status }) => status)).toEqual(many.map(() => 'approved'));
    expect(states.every(({ first_number }) => first_number === 1)).toBe(true);
    expect(new Set(states.map(({ accreditation_code }) => accreditation_code)).size).toBe(many.length);
  });

  test('Redis gone and back: claims wait, and are decided', async () => {
    const claim = claimed(['G-1']);
    await register(['G-1']);
    await registerInverters(claim);
    await engines.engines.restart('redis');
    await send(claim);
    expect((await decided(claim)).status).toBe('approved');
  });
});

describe('what the ledger says of a serial', () => {
  const base = {
    product: 'panel',
    row: 1,
    action: 'register',
    account: 'a1',
    supplier: 'S1',
    supplier_key: 'S1',
    series: '',
    model: 'panel-100',
    status: '',
    reason: '',
    listing: 'listed',
    listing_note: '',
    decision_note: '',
    snapshot: '',
    partition: 0,
  };

  async function rows(serial: string, ...entries: readonly object[]) {
    await clickhouse.insertRows(
      'serial_rows',
      entries.map((entry, i) => ({
        ...base,
        serial_key: serial,
        serial,
        holder: holder,
        holder_key: normalise(holder),
        submission: randomUUID(),
        outcome: 'registered',
        entry: i + 1,
        received_at: `2026-01-0${i + 1} 00:00:00.000`,
        origin: 10 + i,
        ...entry,
      })),
    );
  }

  const ask = async (serial: string, watermark = 100) =>
    ledger.entries([{ product: 'panel', serial_key: serial, partition: 0 }], new Map([[0, watermark]]));

  test('the latest entry counts, up to the watermark and no further', async () => {
    await rows(
      'H-1',
      {},
      { outcome: 'invalidated', action: 'invalidate', model: '' },
      { supplier: 'S2', supplier_key: 'S2' },
    );
    expect(await ask('H-1', 9)).toEqual([]);
    expect(await ask('H-1', 10)).toMatchObject([{ entry: 1, outcome: 'registered', supplier: 'S1' }]);
    expect(await ask('H-1', 11)).toMatchObject([{ entry: 2, outcome: 'invalidated', model: 'panel-100' }]);
    expect(await ask('H-1', 12)).toMatchObject([
      { entry: 3, outcome: 'registered', supplier: 'S2', registered_at: Date.parse('2026-01-01') },
    ]);
  });

  test('a refused registration is a conflict while another supplier holds the serial', async () => {
    const conflict = { outcome: 'conflict', entry: 0, supplier: 'S2', supplier_key: 'S2' };
    await rows('H-2', {}, conflict);
    expect(await ask('H-2')).toMatchObject([{ conflict: true, account: 'a1' }]);
    await rows(
      'H-3',
      {},
      conflict,
      { outcome: 'invalidated', entry: 2 },
      { entry: 3, supplier: 'S2', supplier_key: 'S2' },
    );
    expect(await ask('H-3')).toMatchObject([{ conflict: false, supplier: 'S2' }]);
    // Refused, and never registered under this holder: no entry.
    await rows('H-4', conflict);
    expect(await ask('H-4')).toEqual([]);
  });

  test('two holders of one serial are two answers', async () => {
    await rows('H-5', {}, { entry: 1, holder: 'Other', holder_key: 'OTHER' });
    expect((await ask('H-5')).map(({ holder_key }) => holder_key)).toEqual(['OTHER', normalise(holder)]);
  });

  test('thousands of serials at once', async () => {
    const serials = Array.from({ length: 5_000 }, (_, i) => ({
      product: 'panel',
      serial_key: `none-${i}`,
      partition: 0,
    }));
    const found = await ledger.entries(
      [...serials, { product: 'panel', serial_key: 'H-1', partition: 0 }],
      new Map([[0, 100]]),
    );
    expect(found.map(({ serial_key }) => serial_key)).toEqual(['H-1']);
  });
});

async function tickCount(): Promise<number> {
  const kafka = createKafka({ brokers: engines.engines.urls.kafkaBrokers, clientId: 'test-offsets', log });
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topicName('serials.submitted'));
  await admin.disconnect();
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

/** Every event in claims.evidenced so far. */
async function evidencedEvents(): Promise<readonly string[]> {
  const kafka = createKafka({ brokers: engines.engines.urls.kafkaBrokers, clientId: 'test-reader', log });
  const topic = topicName('claims.evidenced');
  const admin = kafka.admin();
  await admin.connect();
  const [end] = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const last = Number(end!.high) - 1;
  const consumer = kafka.consumer({ groupId: `test-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const events: string[] = [];
  await new Promise<void>((resolve, reject) => {
    if (last < 0) return resolve();
    consumer
      .run({
        eachMessage: async ({ message }) => {
          events.push(String(message.headers?.event));
          if (Number(message.offset) >= last) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return events;
}

async function decidedCount(events: readonly ClaimEvent[]): Promise<number> {
  const [row] = await clickhouse.query<{ decided: number }>(
    'SELECT uniqExact(event) AS decided FROM claims WHERE event IN {events:Array(String)}',
    { events: events.map(({ event }) => event) },
  );
  return row!.decided;
}
