import kafkajs, { type EachBatchPayload, type KafkaMessage, type Message, type ProducerBatch } from 'kafkajs';
import { Group, type Member } from './group.ts';
import { type Entry, Logs, type NewEntry, type PartitionLog, type Transaction } from './log.ts';
import type { Process, Scheduler } from './scheduler.ts';
import type { Weather } from './weather.ts';
import type { Wire } from './wire.ts';

const { KafkaJSConnectionError } = kafkajs;

const fetchMessagesMax = 8;
const sendMessagesMax = 5;

export interface BrokerHooks {
  /** May change what arrives, as a faulty sender would. */
  arriving(topic: string, entry: NewEntry): NewEntry;
  appended(log: PartitionLog, entry: Entry): void;
}

/** Kafka in memory: logs, groups, and clients in the shape of kafkajs, with its habits that matter (see Consumer). */
export class Broker {
  readonly logs = new Logs();
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly wire: Wire;
  readonly partitions: number;
  readonly #hooks: BrokerHooks;
  readonly #groups = new Map<string, Group>();

  constructor(options: {
    readonly scheduler: Scheduler;
    readonly weather: Weather;
    readonly wire: Wire;
    readonly partitions: number;
    readonly hooks: BrokerHooks;
  }) {
    this.scheduler = options.scheduler;
    this.weather = options.weather;
    this.wire = options.wire;
    this.partitions = options.partitions;
    this.#hooks = options.hooks;
  }

  group(id: string): Group {
    const known = this.#groups.get(id);
    if (known) return known;
    const created = new Group(this.scheduler, this.partitions);
    this.#groups.set(id, created);
    return created;
  }

  append(log: PartitionLog, entry: NewEntry, transaction?: Transaction): Entry {
    const appended = log.append(this.#hooks.arriving(log.topic, entry), transaction);
    this.#hooks.appended(log, appended);
    return appended;
  }

  /** As `append`, past the faults: what an operator mended arrives whole. */
  replay(log: PartitionLog, entry: NewEntry): void {
    this.#hooks.appended(log, log.append(entry));
  }

  client(process: Process): Client {
    return new Client(this, process);
  }
}

export function unanswered(): Error {
  return new KafkaJSConnectionError('the simulated broker does not answer', { broker: 'simulation' });
}

/** What one process has of Kafka. */
export class Client {
  readonly broker: Broker;
  readonly process: Process;
  readonly consumers: Consumer[] = [];

  constructor(broker: Broker, process: Process) {
    this.broker = broker;
    this.process = process;
  }

  /** A request takes effect in parts, as a large one does, and its messages in the order of each partition. */
  producer() {
    return {
      connect: async () => {},
      disconnect: async () => {},
      sendBatch: async ({ topicMessages = [] }: ProducerBatch) => {
        const sent: { topicName: string; partition: number; baseOffset: string }[] = [];
        for (const { topic, messages } of topicMessages) {
          const bases = new Map<number, number>();
          for (let from = 0; from < messages.length; ) {
            const part = messages.slice(
              from,
              from + this.broker.scheduler.random.between(1, sendMessagesMax),
            );
            from += part.length;
            await this.call(`produce ${part.length} to ${topic}`, () => this.#append(topic, part, bases));
          }
          for (const [partition, offset] of bases)
            sent.push({ topicName: topic, partition, baseOffset: String(offset) });
        }
        return sent;
      },
    };
  }

  #append(topic: string, messages: readonly Message[], bases: Map<number, number>): void {
    for (const { partition = 0, key, value, headers } of messages) {
      const log = this.broker.logs.of(topic, partition);
      if (!bases.has(partition)) bases.set(partition, log.end);
      this.broker.append(log, {
        key: key ? Buffer.from(key) : null,
        value: value as Buffer,
        headers: headers as Record<string, string>,
      });
    }
  }

  consumer({ groupId }: { groupId: string }): Consumer {
    const consumer = new Consumer(this, groupId);
    this.consumers.push(consumer);
    return consumer;
  }

  admin() {
    const { logs, partitions } = this.broker;
    const numbers = Array.from({ length: partitions }, (_, partition) => partition);
    return {
      connect: async () => {},
      disconnect: async () => {},
      listTopics: async () => [],
      fetchTopicOffsets: (topic: string) =>
        this.call(`range of ${topic}`, () =>
          numbers.map((partition) => {
            const { low, end } = logs.of(topic, partition);
            return { partition, low: String(low), high: String(end), offset: String(end) };
          }),
        ),
      fetchOffsets: ({ groupId, topics }: { groupId: string; topics: readonly string[] }) =>
        this.call(`committed of ${groupId}`, () => {
          const { committed } = this.broker.group(groupId);
          return topics.map((topic) => ({
            topic,
            partitions: numbers.map((partition) => ({
              partition,
              offset: String(committed.get(partition)?.offset ?? -1),
              metadata: committed.get(partition)?.metadata ?? null,
            })),
          }));
        }),
    };
  }

  call<T>(label: string, execute: () => T): Promise<T> {
    return this.broker.wire.call({ to: 'Kafka', label, execute, unanswered });
  }
}

interface Session {
  readonly generation: number;
  readonly partitions: readonly number[];
  readonly positions: Map<number, number>;
  /** The fetch answered last, by partition: it may be delivered once more after a seek. */
  readonly fetched: Map<number, Batch>;
  live: boolean;
}

/**
 * A consumer in the shape of kafkajs, with its habits: a seek is heeded by the next fetch only, so that one under way is
 * delivered all the same; a position outside the log is silently reset; fetches without a message are announced but not
 * handed over; handlers of an earlier assignment may still be running when the next one begins.
 */
export class Consumer implements Member {
  readonly events = {
    GROUP_JOIN: 'group_join',
    START_BATCH_PROCESS: 'start_batch_process',
    CRASH: 'crash',
    FETCH_START: 'fetch_start',
  };
  readonly process: Process;
  readonly #client: Client;
  readonly #group: Group;
  readonly #listeners = new Map<string, ((event: { payload: unknown }) => void)[]>();
  readonly #seeks = new Map<number, number>();
  /** As in kafkajs, a partition stays paused when the assignment changes. */
  readonly #paused = new Set<number>();
  readonly #resumed = new Map<number, () => void>();
  readonly #idle = new Map<number, () => void>();
  topic = '';
  #eachBatch: (payload: EachBatchPayload) => Promise<void> = async () => {};
  #session: Session | undefined;

  constructor(client: Client, groupId: string) {
    this.process = client.process;
    this.#client = client;
    this.#group = client.broker.group(groupId);
  }

  on(event: string, listener: (event: { payload: unknown }) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  async connect(): Promise<void> {}

  async subscribe({ topic }: { topic: string }): Promise<void> {
    this.topic = topic;
  }

  async run({ eachBatch }: { eachBatch: (payload: EachBatchPayload) => Promise<void> }): Promise<void> {
    this.#eachBatch = eachBatch;
    this.#group.join(this);
  }

  async disconnect(): Promise<void> {
    this.#stop();
    this.#group.leave(this);
  }

  seek({ partition, offset }: { partition: number; offset: string }): void {
    this.#seeks.set(partition, Number(offset));
    this.#idle.get(partition)?.();
  }

  pause(topics: readonly { readonly partitions: readonly number[] }[]): void {
    for (const { partitions } of topics) for (const partition of partitions) this.#paused.add(partition);
  }

  resume(topics: readonly { readonly partitions: readonly number[] }[]): void {
    for (const { partitions } of topics)
      for (const partition of partitions) {
        this.#paused.delete(partition);
        this.#resumed.get(partition)?.();
      }
  }

  async commitOffsets(
    offsets: readonly { partition: number; offset: string; metadata: string }[],
  ): Promise<void> {
    const generation = this.#session?.generation;
    const label = offsets.map(({ partition, offset }) => `${this.topic}/${partition}@${offset}`).join(' ');
    await this.#client.call(`commit ${label}`, () => {
      if (generation !== this.#group.generation) throw rebalancing();
      for (const { partition, offset, metadata } of offsets)
        this.#group.committed.set(partition, { offset: Number(offset), metadata });
    });
  }

  /** The process was frozen so long that the group went on without it; awake again, it asks to be let in. */
  wake(): void {
    if (!this.#group.has(this))
      this.#client.broker.scheduler.ready(this.process, `${this.process.name} joins again`, () =>
        this.#group.join(this),
      );
  }

  /** The group does not hear of this member any more. */
  silent(): void {
    this.#group.missing(this);
  }

  adopt(generation: number, partitions: readonly number[]): void {
    this.#stop();
    const session: Session = {
      generation,
      partitions,
      positions: new Map(),
      fetched: new Map(),
      live: true,
    };
    this.#session = session;
    this.#emit(this.events.GROUP_JOIN, { memberAssignment: { [this.topic]: partitions } });
    for (const partition of partitions) void this.#consume(session, partition);
  }

  /** The lowest offset that this member may still ask for. */
  readsFrom(partition: number): number {
    const position = this.#session?.positions.get(partition) ?? Number.POSITIVE_INFINITY;
    return Math.min(position, this.#seeks.get(partition) ?? Number.POSITIVE_INFINITY);
  }

  #stop(): void {
    if (this.#session) this.#session.live = false;
    for (const wake of [...this.#idle.values(), ...this.#resumed.values()]) wake();
  }

  #emit(event: string, payload: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener({ payload });
  }

  async #consume(session: Session, partition: number): Promise<void> {
    const { weather } = this.#client.broker;
    while (session.live) {
      this.#emit(this.events.FETCH_START, {});
      if (this.#paused.has(partition)) {
        await new Promise<void>((resolve) => this.#resumed.set(partition, resolve));
        continue;
      }
      const batch = await this.#fetch(session, partition, this.#position(session, partition));
      if (!batch || !session.live) continue;
      if (this.#seeks.has(partition)) weather.happened('stale fetch');
      if (!(await this.#deliver(session, batch))) return;
      const earlier = session.fetched.get(partition);
      session.fetched.set(partition, batch);
      if (earlier && this.#seeks.has(partition) && weather.strikes('stale fetch'))
        if (!(await this.#deliver(session, earlier))) return;
    }
  }

  #position(session: Session, partition: number): number {
    const sought = this.#seeks.get(partition);
    this.#seeks.delete(partition);
    const position =
      sought ?? session.positions.get(partition) ?? this.#group.committed.get(partition)?.offset ?? 0;
    session.positions.set(partition, position);
    return position;
  }

  /** Hands one fetch over. False when the group has changed meanwhile, and the member waits for its new assignment. */
  async #deliver(session: Session, batch: Batch): Promise<boolean> {
    const { partition } = batch;
    const resolveOffset = (offset: string) => session.positions.set(partition, Number(offset) + 1);
    this.#emit(this.events.START_BATCH_PROCESS, {
      partition,
      batchSize: batch.messages.length,
      firstOffset: batch.firstOffset(),
      lastOffset: batch.lastOffset(),
    });
    if (batch.messages.length === 0) {
      resolveOffset(batch.lastOffset());
      return true;
    }
    try {
      await this.#eachBatch({
        batch,
        resolveOffset,
        heartbeat: () => this.#heartbeat(session),
      } as unknown as EachBatchPayload);
      await this.#heartbeat(session);
      return true;
    } catch (error) {
      if (!(error instanceof Rebalancing)) throw error;
      session.live = false;
      return false;
    }
  }

  async #heartbeat(session: Session): Promise<void> {
    const { random } = this.#client.broker.scheduler;
    if (session.generation !== this.#group.generation && random.chance(0.3)) throw rebalancing();
  }

  /** Resolves with what there is from `position` on, when there is something; with nothing when that is not asked for any more. */
  #fetch(session: Session, partition: number, position: number): Promise<Batch | undefined> {
    const { scheduler, logs } = this.#client.broker;
    const { name } = this.process;
    const log = logs.of(this.topic, partition);
    return new Promise((resolve) => {
      let asked = false;
      const attempt = (): void => {
        asked = false;
        if (!session.live || this.#seeks.has(partition)) {
          resolve(undefined);
          return;
        }
        if (position < log.low || position > log.end) session.positions.set(partition, log.low);
        const from = session.positions.get(partition) ?? position;
        const to = Math.min(log.stable, from + scheduler.random.between(1, fetchMessagesMax));
        if (from < to) {
          this.#idle.delete(partition);
          const batch = new Batch(log, from, to);
          const label = `${name} is given ${this.topic}/${partition}@${from}-${to - 1}`;
          scheduler.ready(this.process, label, () => resolve(batch));
          return;
        }
        log.onGrowth(ask);
      };
      const ask = (): void => {
        if (asked) return;
        asked = true;
        scheduler.ready(this.process, `${name} fetches ${this.topic}/${partition}@${position}`, attempt);
      };
      this.#idle.set(partition, ask);
      ask();
    });
  }
}

/** As kafkajs makes it of one fetch: messages of committed transactions; first and last offset count markers too. */
class Batch {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: string;
  /** In kafkajs, but not in its types. */
  readonly fetchedOffset: string;
  readonly messages: readonly KafkaMessage[];
  readonly #last: number;

  constructor(log: PartitionLog, from: number, to: number) {
    this.topic = log.topic;
    this.partition = log.partition;
    this.highWatermark = String(log.end);
    this.fetchedOffset = String(from);
    this.messages = [...log.committed(from, to)].map(toKafkaMessage);
    this.#last = to - 1;
  }

  firstOffset(): string {
    return this.fetchedOffset;
  }

  lastOffset(): string {
    return String(this.#last);
  }
}

function toKafkaMessage(entry: Entry): KafkaMessage {
  return {
    key: entry.key,
    value: entry.value,
    timestamp: '0',
    attributes: 0,
    offset: String(entry.offset),
    headers: { ...entry.headers },
  };
}

class Rebalancing extends Error {}

function rebalancing(): Error {
  return new Rebalancing('the group is rebalancing');
}
