import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Batch, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { AssertionError, isRetryable } from '#shared/base/errors.ts';
import { backoffMs } from '#shared/runtime/backoff.ts';
import { inRowOf, noteOf } from '#shared/runtime/dead-letter-run.ts';
import type { FailurePoint } from '#shared/runtime/failure-points.ts';
import { FetchGate } from '#shared/runtime/gate.ts';
import { Load } from '#shared/runtime/load.ts';
import { type InMessage, type PartitionWorker, Restart, type Stage } from '#shared/runtime/stage.ts';
import { type KafkaLog, toInMessage, translateKafkaError } from './client.ts';

export interface ConsumerOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topic: string;
  readonly stage: Stage;
  readonly log: KafkaLog;
  readonly sessionTimeoutMs: number;
  /** Bytes of one partition in one fetch. */
  readonly fetchBytesMax: number;
  /** Around the storing of positions, under this stage's name. */
  readonly failurePoint?: FailurePoint;
  /** Called each time the loop turns: `/healthz` tells a live loop from a stuck one. */
  readonly onTurn?: () => void;
  readonly onBacklog?: (partition: number, messages: number) => void;
  readonly onRestart?: (partition: number) => void;
}

const commitIntervalMs = 500;
const fetchWaitMs = 250;
/** At this rate, about 20,000 rows a second, the full pause between two fetches is used. */
const fullRateBytes = 4 * 1024 * 1024;
const pauseMsMax = 100;

/**
 * Consumes one topic with one stage until `stop`. Every assigned partition is started before its first message, and
 * again after each rebalance, MOVED or failure of the world; a batch is handled only when the gate admits it.
 * `failed` rejects on our own bugs and on positions outside the log (K6): the process must end.
 */
export class StageConsumer {
  readonly failed: Promise<never>;
  readonly #options: ConsumerOptions;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #partitions = new Map<number, PartitionRun>();
  /**
   * What earlier assignments left under way: a partition that comes back begins when all of it has ended, also that of an
   * assignment before the last, in between which the partition was somebody else's.
   */
  readonly #ending = new Map<number, Promise<void>>();
  #reject!: (error: unknown) => void;
  readonly #load = new Load(fullRateBytes);
  #stopping = false;
  #committing: NodeJS.Timeout | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.failed.catch(() => undefined);
    this.#admin = options.kafka.admin();
    this.#consumer = options.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: Math.floor(options.sessionTimeoutMs / 10),
      rebalanceTimeout: options.sessionTimeoutMs * 2,
      maxBytesPerPartition: options.fetchBytesMax,
      minBytes: 1,
      maxWaitTimeInMs: fetchWaitMs,
      readUncommitted: false,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 8, restartOnFailure: async () => true },
    });
  }

  async start(): Promise<void> {
    const { topic } = this.#options;
    const { GROUP_JOIN, START_BATCH_PROCESS, CRASH, FETCH_START } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({ payload }) => this.#assigned(payload.memberAssignment[topic] ?? []));
    this.#consumer.on(FETCH_START, () => this.#options.onTurn?.());
    this.#consumer.on(CRASH, ({ payload }) => {
      if (!payload.restart) this.#reject(translateKafkaError(payload.error, 'consume'));
    });
    // Fetches that hold nothing but transaction markers never reach eachBatch; the gate must know of them.
    this.#consumer.on(START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0)
        this.#partitions
          .get(payload.partition)
          ?.gate?.skipped(Number(payload.firstOffset), Number(payload.lastOffset));
    });
    try {
      await this.#admin.connect();
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topic, fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 64,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
    } catch (error) {
      throw translateKafkaError(error, `consume ${topic}`);
    }
    this.#committing = setInterval(() => void this.#commit(), commitIntervalMs);
  }

  /** Resolves when a broker answers. */
  async ping(): Promise<void> {
    try {
      await this.#admin.listTopics();
    } catch (error) {
      throw translateKafkaError(error, 'answer');
    }
  }

  /** Partitions whose messages are worked on. */
  get working(): number {
    let working = 0;
    for (const run of this.#partitions.values()) if (run.working) working += 1;
    return working;
  }

  /** For `/readyz`: resolves when every assigned partition runs, and else says why the first that waits does. */
  async requireRunning(): Promise<void> {
    for (const { partition, waiting } of this.#partitions.values())
      if (waiting !== undefined) throw new Error(`${this.#options.topic}/${partition} waits: ${waiting}`);
  }

  /** Stops fetching, waits for what is in flight, commits, leaves the group. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#committing);
    for (const run of this.#partitions.values()) run.stop();
    await Promise.all([...this.#partitions.values()].map((run) => run.worker?.settled()));
    await this.#commit();
    await this.#consumer.disconnect().catch(() => undefined);
    await this.#admin.disconnect().catch(() => undefined);
  }

  #assigned(partitions: readonly number[]): void {
    this.#options.log.info({ partitions }, 'partitions assigned');
    for (const run of this.#partitions.values()) {
      run.stop();
      this.#ending.set(run.partition, bothSettled(this.#ending.get(run.partition), run));
    }
    this.#partitions.clear();
    for (const partition of partitions) {
      const run = new PartitionRun(partition, {
        open: async (current) => {
          await this.#ending.get(partition);
          return this.#open(current);
        },
        seek: (offset) => {
          this.#seek(partition, offset);
          this.#consumer.resume([{ topic: this.#options.topic, partitions: [partition] }]);
        },
        fatal: (error) => this.#reject(error),
        restarting: (error, delayMs) => {
          this.#options.onRestart?.(partition);
          this.#options.log.warn(
            { partition, delayMs, reason: (error as Error).message, err: error },
            'partition starts again from its stored position',
          );
        },
      });
      this.#partitions.set(partition, run);
      run.begin();
    }
  }

  /** Asks the stage to start, and makes sure that its position lies inside the log (K6). */
  async #open(run: PartitionRun): Promise<{ worker: PartitionWorker; offset: number }> {
    const { stage, topic } = this.#options;
    const stored = await this.#stored(run.partition);
    const started = await stage.start(run.partition, {
      commit: (nextOffset, deadInRow) => run.commit(nextOffset, deadInRow),
      deadInRow: stored.deadInRow,
      owned: () => !run.stopped,
      fail: (error) => run.fail(error),
    });
    const range = await this.#range(run.partition);
    const offset = started.offset === 'committed' ? stored.offset : started.offset;
    if (offset < range.low || offset > range.high)
      throw new AssertionError(
        `position ${offset} of ${topic}/${run.partition} lies outside the log (${range.low} to ${range.high}): ` +
          'the topic was recreated, retention has passed, or a store was restored from an old copy. ' +
          'Restore the matching stores, or rebuild the index, before starting again.',
      );
    return { worker: started.worker, offset };
  }

  async #range(partition: number): Promise<{ low: number; high: number }> {
    try {
      const offsets = await this.#admin.fetchTopicOffsets(this.#options.topic);
      const found = offsets.find((entry) => entry.partition === partition);
      return { low: Number(found?.low ?? 0), high: Number(found?.high ?? 0) };
    } catch (error) {
      throw translateKafkaError(error, 'read the offsets of the log');
    }
  }

  /** The group's position, from the beginning when there is none, and the count beside it. */
  async #stored(partition: number): Promise<{ offset: number; deadInRow: number }> {
    const { groupId, topic } = this.#options;
    try {
      const [entry] = await this.#admin.fetchOffsets({ groupId, topics: [topic] });
      const found = entry?.partitions.find((part) => part.partition === partition);
      return { offset: Math.max(Number(found?.offset ?? -1), 0), deadInRow: inRowOf(found?.metadata) };
    } catch (error) {
      throw translateKafkaError(error, 'read the committed offsets');
    }
  }

  #seek(partition: number, offset: number): void {
    this.#consumer.seek({ topic: this.#options.topic, partition, offset: String(offset) });
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const run = this.#partitions.get(batch.partition);
    if (!run || run.stopped) return;
    const runs = await withHeartbeats(payload, this.#options, run.runs());
    const gate = run.gate;
    if (run.stopped) return;
    // Until it is open again: a batch that is held here holds back the fetches of every other partition.
    if (!runs && !gate)
      return this.#consumer.pause([{ topic: this.#options.topic, partitions: [batch.partition] }]);
    if (!gate) return;
    // `fetchedOffset` is in kafkajs, but not in its types.
    const fetchedOffset = Number((batch as Batch & { fetchedOffset: string }).fetchedOffset);
    if (!gate.admits(fetchedOffset)) return this.#discard(run, gate);
    const lastOffset = Number(batch.lastOffset());
    const backlog = Math.max(Number(batch.highWatermark) - 1 - lastOffset, 0);
    this.#options.onBacklog?.(batch.partition, backlog);
    const handled = run.handle(batch.messages.map(toInMessage), lastOffset, backlog);
    if (!(await withHeartbeats(payload, this.#options, handled))) return;
    payload.resolveOffset(String(lastOffset));
    if (backlog === 0) await this.#gather(batch);
  }

  /**
   * With everything taken and more on its way, the next fetch pays for itself only when it brings more than a few messages:
   * each costs a request, and every stage a few more for what it finds. The pause follows the load, as a linger does.
   */
  async #gather({ messages }: Batch): Promise<void> {
    const now = Date.now();
    const bytes = messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    this.#load.arrived(now, bytes);
    const pauseMs = this.#load.waitMs(now, pauseMsMax);
    if (pauseMs >= 1 && !this.#stopping) await delay(pauseMs);
  }

  /** A stale fetch, or a position that kafkajs reset by itself: ask again for what this partition waits for. */
  async #discard(run: PartitionRun, gate: FetchGate): Promise<void> {
    try {
      const range = await this.#range(run.partition);
      if (gate.next < range.low || gate.next > range.high)
        return this.#reject(
          new AssertionError(
            `position ${gate.next} of ${this.#options.topic}/${run.partition} left the log (${range.low} to ${range.high})`,
          ),
        );
      if (!run.stopped) this.#seek(run.partition, gate.next);
    } catch (error) {
      run.fail(error);
    }
  }

  async #commit(): Promise<void> {
    const offsets = [...this.#partitions.values()].flatMap((run) => run.takeCommit());
    if (offsets.length === 0) return;
    const { topic, failurePoint } = this.#options;
    try {
      failurePoint?.('commit.before');
      await this.#consumer.commitOffsets(
        offsets.map(({ partition, offset, metadata }) => ({
          topic,
          partition,
          offset: String(offset),
          metadata,
        })),
      );
      failurePoint?.('commit.after');
    } catch (error) {
      // What was not committed is delivered again, to whoever owns the partition then.
      this.#options.log.warn({ err: error }, 'offsets not committed');
    }
  }
}

async function bothSettled(before: Promise<void> | undefined, run: PartitionRun): Promise<void> {
  await before;
  await run.settled();
}

interface RunHooks {
  open(run: PartitionRun): Promise<{ worker: PartitionWorker; offset: number }>;
  seek(offset: number): void;
  fatal(error: unknown): void;
  restarting(error: unknown, delayMs: number): void;
}

/** One partition during one assignment: starting, running, starting again, stopped. */
class PartitionRun {
  readonly partition: number;
  readonly #hooks: RunHooks;
  #opening: Promise<void> = Promise.resolve();
  /** Resolves when it waits for something that is not there. */
  #held = Promise.withResolvers<void>();
  #failures = 0;
  #uncommitted: { readonly offset: number; readonly deadInRow: number } | undefined;
  #handling: Promise<unknown> = Promise.resolve();
  stopped = false;
  working = false;
  /** Why this partition does not run; undefined while it does. */
  waiting: string | undefined;
  gate: FetchGate | undefined;
  worker: PartitionWorker | undefined;

  constructor(partition: number, hooks: RunHooks) {
    this.partition = partition;
    this.#hooks = hooks;
  }

  begin(): void {
    this.#opening = this.#open();
  }

  /** True when it runs. Resolves when it does, and at once when it waits for the world. */
  async runs(): Promise<boolean> {
    if (!this.gate) await Promise.race([this.#opening, this.#held.promise]);
    return this.gate !== undefined;
  }

  async settled(): Promise<void> {
    await this.#opening.catch(() => undefined);
    await this.#handling.catch(() => undefined);
    await this.worker?.settled();
  }

  stop(): void {
    this.stopped = true;
  }

  commit(nextOffset: number, deadInRow = 0): void {
    if (nextOffset >= (this.#uncommitted?.offset ?? 0)) this.#uncommitted = { offset: nextOffset, deadInRow };
  }

  takeCommit(): { partition: number; offset: number; metadata: string }[] {
    const taken = this.#uncommitted;
    this.#uncommitted = undefined;
    if (!taken) return [];
    return [{ partition: this.partition, offset: taken.offset, metadata: noteOf(taken.deadInRow) }];
  }

  /** True when everything up to `lastOffset` was taken over; false when the partition starts again. */
  async handle(messages: readonly InMessage[], lastOffset: number, backlog: number): Promise<boolean> {
    const { gate, worker } = this;
    if (!gate || !worker) return false;
    try {
      this.working = true;
      const handling = worker.handle(messages, { backlog });
      this.#handling = handling;
      await handling;
      this.#failures = 0;
    } catch (error) {
      this.fail(error);
    } finally {
      this.working = false;
    }
    if (this.stopped || this.gate !== gate) return false;
    gate.advance(lastOffset);
    return true;
  }

  fail(error: unknown): void {
    if (this.stopped || !this.gate) return;
    if (!(error instanceof Restart) && !isRetryable(error)) {
      this.stop();
      this.#hooks.fatal(error);
      return;
    }
    const former = this.worker;
    this.gate = undefined;
    this.worker = undefined;
    this.#opening = this.#delay(error)
      .then(() => former?.settled())
      .then(() => this.#open());
  }

  async #open(): Promise<void> {
    while (!this.stopped) {
      try {
        const { worker, offset } = await this.#hooks.open(this);
        if (this.stopped) return;
        this.worker = worker;
        this.waiting = undefined;
        this.#held = Promise.withResolvers();
        this.gate = new FetchGate(offset);
        this.#hooks.seek(offset);
        return;
      } catch (error) {
        if (!(error instanceof Restart) && !isRetryable(error)) {
          this.stop();
          return this.#hooks.fatal(error);
        }
        await this.#delay(error);
      }
    }
  }

  async #delay(error: unknown): Promise<void> {
    const delayMs = error instanceof Restart && this.#failures === 0 ? 0 : backoffMs(this.#failures);
    this.#failures += 1;
    this.waiting = (error as Error).message;
    this.#hooks.restarting(error, delayMs);
    if (delayMs > 0) this.#held.resolve();
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

/** Waits for `work` while the group hears from us. A rebalance is reported after `work` has come to its end. */
async function withHeartbeats<T>(
  payload: EachBatchPayload,
  options: ConsumerOptions,
  work: Promise<T>,
): Promise<T> {
  let lost: unknown;
  const timer = setInterval(
    () => {
      payload.heartbeat().catch((error) => {
        lost ??= error;
      });
    },
    Math.max(Math.floor(options.sessionTimeoutMs / 10), 500),
  );
  try {
    const result = await work;
    if (lost) throw lost;
    return result;
  } finally {
    clearInterval(timer);
  }
}
