import { isRetryable } from '#shared/base/errors.ts';
import type { Codec, Encoder } from '#shared/codec/codec.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import { tick } from '#shared/domain/batches.ts';
import { grouped } from '#shared/domain/records.ts';
import type { SerialBatch } from '#shared/domain/serials.ts';
import { Audit } from './audit.ts';
import { Broker, type Client } from './broker.ts';
import { topics } from './codecs.ts';
import { type Engines, groupOf, type Service, type StageName, stages } from './fleet.ts';
import { Ledger } from './ledger.ts';
import { makeSubmission, type Submission } from './load.ts';
import { type NewEntry, Transaction } from './log.ts';
import { Operator } from './operator.ts';
import type { Random } from './random.ts';
import { Redis } from './redis.ts';
import { Process, Scheduler } from './scheduler.ts';
import { Weather } from './weather.ts';
import { Wire } from './wire.ts';

export const partitions = 2;
const instances = 2;

interface Place {
  readonly stage: StageName;
  readonly name: string;
  starts: number;
  stopping: boolean;
  client?: Client;
  service?: Service;
}

/** The fleet, its engines, its clients and its operator in one run. */
export class World {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly broker: Broker;
  readonly redis: Redis;
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly operator: Operator;
  readonly #wire: Wire;
  readonly #engines: Engines;
  readonly #encoder: Encoder<SerialBatch>;
  readonly #places: readonly Place[];
  readonly #refused = new Set<string>();
  #submissions = 0;
  /** Submissions that their clients have no answer for yet. */
  unanswered = 0;

  constructor(random: Random, codec: Codec) {
    this.random = random;
    this.scheduler = new Scheduler(random);
    this.weather = new Weather(random);
    this.#wire = new Wire(this.scheduler, this.weather);
    this.broker = new Broker({
      scheduler: this.scheduler,
      weather: this.weather,
      wire: this.#wire,
      partitions,
      hooks: {
        arriving: (topic, entry) => this.#arriving(topic, entry),
        appended: (log, entry) => this.audit.appended(log, entry),
      },
    });
    this.audit = new Audit(this.broker.logs, codec);
    this.redis = new Redis(this.#wire);
    this.ledger = new Ledger(this.#wire, this.weather, random, {
      written: (batch) => this.audit.written(batch),
      watermark: (partition, origin) => this.audit.watermark(partition, origin),
      refuses: ({ submission, batch }) => this.#refused.has(`${submission}/${batch}`),
    });
    this.#encoder = codec.encoder<SerialBatch>('SerialBatch');
    this.#engines = {
      broker: this.broker,
      redis: this.redis,
      ledger: this.ledger,
      codec,
      note: (text) => this.scheduler.note(text),
    };
    this.operator = new Operator(this.#engines, (submission, batch) =>
      this.#refused.delete(`${submission}/${batch}`),
    );
    this.#places = Object.keys(stages).flatMap((stage) =>
      Array.from({ length: instances }, (_, i) => ({
        stage: stage as StageName,
        name: `${stage}-${i + 1}`,
        starts: 0,
        stopping: false,
      })),
    );
  }

  startAll(): void {
    for (const place of this.#places) if (!place.client) this.#start(place);
  }

  /** Everything that failed works again. */
  mend(): void {
    for (const { client } of this.#places) if (client?.process.state === 'frozen') this.#thaw(client);
    this.redis.listsLost = false;
  }

  /** All of a stage die, and are started again. */
  restart(stage: StageName): void {
    for (const place of this.#places)
      if (place.stage === stage && place.client?.process.state === 'running') this.#kill(place);
  }

  // What clients do.

  /** A client sends a submission and tries until it is told that it was accepted; some send it once more. */
  submit(): void {
    this.#submissions += 1;
    const submission = makeSubmission(this.random, this.#submissions, partitions);
    for (const { batch } of submission.batches)
      if (this.weather.strikes('refused by ClickHouse')) this.#refused.add(`${submission.id}/${batch.batch}`);
    this.unanswered += 1;
    this.#attempt(submission, 1);
  }

  /** Q1: somebody asks. */
  tick(): void {
    const value = this.#encoder.encode({ ...tick, records: [] });
    const headers = writeHeaders({ submission: '', batch: 0, rows: 0, deadRows: 0, receivedAt: 0 });
    for (let partition = 0; partition < partitions; partition++)
      this.broker.append(this.broker.logs.of(topics.submitted, partition), { key: null, value, headers });
  }

  /** Somebody writes into our topic what is not ours. */
  foreignMessage(): void {
    const log = this.broker.logs.of(topics.submitted, this.random.below(partitions));
    this.broker.append(log, { key: null, value: Buffer.from('hello'), headers: {} });
  }

  #attempt(submission: Submission, number: number): void {
    const process = new Process(`gateway with ${Number(submission.id.slice(-12))}.${number}`);
    const again = () =>
      this.scheduler.ready(undefined, 'client tries again', () => this.#attempt(submission, number + 1));
    this.scheduler.ready(process, `${process.name} begins`, () => {
      const transaction = new Transaction();
      this.#write(process, submission, transaction).then(
        () => {
          if (number === 1 && this.weather.strikes('submission written again')) again();
          else this.unanswered -= 1;
        },
        () => {
          // The broker ends what its producer left open, at its own time.
          this.scheduler.ready(undefined, `transaction of ${process.name} ends`, () =>
            transaction.end('aborted'),
          );
          again();
        },
      );
    });
  }

  async #write(process: Process, submission: Submission, transaction: Transaction): Promise<void> {
    const receivedAt = this.scheduler.now;
    const last = new Map<number, number>();
    for (const { partition, batch } of submission.batches) {
      if (this.weather.strikes('gateway killed in its transaction')) throw new Error('the gateway is gone');
      const sent = { ...batch, received_at: receivedAt };
      await this.#fenced(`${process.name} writes batch ${batch.batch}`, () => {
        if (transaction.state !== 'open') throw new Error('the transaction has ended');
        const log = this.broker.logs.of(topics.submitted, partition);
        last.set(partition, this.broker.append(log, this.#entryOf(sent), transaction).offset);
      });
    }
    await this.#fenced(`${process.name} commits`, () => {
      if (!transaction.end('committed')) throw new Error('the transaction has ended');
      this.audit.manifests.push({ submission, receivedAt, lastOffsets: last });
    });
  }

  #fenced(label: string, execute: () => void): Promise<void> {
    const unanswered = () => new Error('the simulated broker does not answer');
    return this.#wire.call({ to: 'Kafka', label, execute, unanswered, fenced: true });
  }

  #entryOf(batch: SerialBatch): NewEntry {
    const { submission, records, received_at } = batch;
    const headers = writeHeaders({
      submission,
      batch: batch.batch,
      rows: records.length,
      deadRows: 0,
      receivedAt: received_at,
    });
    return {
      key: null,
      value: this.#encoder.encode({ ...batch, records: grouped(records) }),
      headers,
      batch,
    };
  }

  /** Some bytes do not survive the way, or come from a release that this one does not know. */
  #arriving(topic: string, entry: NewEntry): NewEntry {
    const { value } = entry;
    if (!value || !this.#breaks(topic, entry)) return entry;
    const broken = Buffer.from(value);
    broken[0] = brokenByte;
    return { ...entry, value: broken, broken: true };
  }

  #breaks(topic: string, entry: NewEntry): boolean {
    switch (topic) {
      case topics.submitted:
        return entry.batch !== undefined && this.weather.strikes('undecodable in serials.submitted');
      case topics.listed:
        return entry.headers.rows !== '0' && this.weather.strikes('undecodable in serials.listed');
      case topics.decided:
        return entry.headers.rows !== '0' && this.weather.strikes('undecodable in serials.decided');
      default:
        return false;
    }
  }

  // What happens to the fleet.

  /** Gives every kind of fault its chance. */
  strike(): void {
    const { weather, redis, random } = this;
    const running = this.#places.filter(({ client }) => client?.process.state === 'running');
    const place = running.length > 0 ? random.pick(running) : undefined;
    if (place && weather.strikes('process killed')) this.#kill(place);
    else if (place && weather.strikes('process stopped in order')) this.#stop(place);
    else if (place && weather.strikes('process frozen past its session')) this.#freeze(place.client!);
    if (weather.strikes('rebalance')) this.broker.group(groupOf(random.pick(this.#places).stage)).rebalance();
    if (random.chance(0.02)) redis.copy();
    if (redis.copies.length > 0 && weather.strikes('Redis rolled back')) {
      this.scheduler.note('Redis rolled back');
      random.pick(redis.copies)();
    }
    if (weather.strikes('Redis emptied')) {
      this.scheduler.note('Redis emptied');
      redis.empty();
    }
    if (weather.strikes('lists lost')) redis.listsLost = true;
    else if (redis.listsLost && random.chance(0.05)) redis.listsLost = false;
    if (weather.strikes('list changed')) redis.publication += 1;
    if (weather.strikes('foreign message')) this.foreignMessage();
  }

  /**
   * Forgets the beginning of the log, as far as nobody needs it any more. An older copy of Redis would be refused from now
   * on (K6), so there are none.
   */
  async passRetention(): Promise<void> {
    this.redis.forgetCopies();
    for (const stage of Object.keys(stages) as StageName[])
      for (let partition = 0; partition < partitions; partition++) {
        const log = this.broker.logs.of(stages[stage].topic, partition);
        const consumers = this.#places.flatMap(({ client }) => client?.consumers ?? []);
        const needed = Math.min(
          log.end,
          this.broker.group(groupOf(stage)).committed.get(partition)?.offset ?? 0,
          ...consumers
            .filter(({ topic }) => topic === log.topic)
            .map((consumer) => consumer.readsFrom(partition)),
          stage === 'dedup' ? ((await this.operator.index(partition))?.seekOffset ?? 0) : log.end,
        );
        log.low = Math.max(log.low, this.random.between(0, needed));
      }
  }

  #start(place: Place): void {
    place.starts += 1;
    const process = new Process(`${place.name}.${place.starts}`, this.random.pick(speeds));
    const client = this.broker.client(process);
    place.client = client;
    this.scheduler.ready(process, `${process.name} starts`, () => {
      const service = stages[place.stage].run(this.#engines, client);
      place.service = service;
      service.failed.catch((error) => this.#failed(process, error));
      service.start().catch((error) => {
        if (isRetryable(error)) this.#kill(place);
        else this.#failed(process, error);
      });
    });
  }

  #failed(process: Process, error: unknown): void {
    if (process.state !== 'dead')
      this.audit.wrong(`${process.name} stops for good: ${(error as Error).message}`);
  }

  #kill(place: Place): void {
    const client = place.client!;
    this.scheduler.note(`${client.process.name} is killed`);
    this.scheduler.kill(client.process);
    this.#gone(place);
  }

  #stop(place: Place): void {
    const { client, service } = place;
    if (!client || !service || place.stopping) return;
    place.stopping = true;
    this.scheduler.ready(client.process, `${client.process.name} is told to stop`, () => {
      void service.stop().then(() => {
        this.scheduler.kill(client.process);
        this.#gone(place);
      });
    });
  }

  #gone(place: Place): void {
    for (const consumer of place.client!.consumers) consumer.silent();
    place.stopping = false;
    delete place.client;
    delete place.service;
    this.scheduler.ready(undefined, `${place.name} is started again`, () => this.#start(place));
  }

  #freeze(client: Client): void {
    this.scheduler.note(`${client.process.name} is frozen`);
    this.scheduler.freeze(client.process);
    for (const consumer of client.consumers) consumer.silent();
    const patience = this.random.pick(sleepPatience);
    const thaw = (): void => {
      if (client.process.state !== 'frozen') return;
      if (this.random.chance(patience))
        this.scheduler.ready(undefined, `${client.process.name} sleeps`, thaw);
      else this.#thaw(client);
    };
    this.scheduler.ready(undefined, `${client.process.name} sleeps`, thaw);
  }

  #thaw(client: Client): void {
    this.scheduler.note(`${client.process.name} wakes up`);
    this.scheduler.thaw(client.process);
    for (const consumer of client.consumers) consumer.wake();
  }
}

/** Most processes are quick; a slow one is a zombie half of the time. */
const speeds = [1, 1, 1, 0.2, 0.03] as const;
/** Chance of sleeping on, each time. */
const sleepPatience = [0.5, 0.9, 0.98] as const;

export const brokenByte = 7;
