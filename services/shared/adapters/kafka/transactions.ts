import type { Kafka, Producer } from 'kafkajs';
import { OperationalError } from '#shared/base/errors.ts';
import { type FailurePoint, noFailurePoint } from '#shared/runtime/failure-points.ts';
import { createPartitioner, translateKafkaError } from './client.ts';
import { type BaseOffsets, type OutMessage, toKafka } from './publisher.ts';

export interface Transaction {
  /** Writes within the transaction; readers see nothing of it before the commit. */
  send(topic: string, messages: readonly OutMessage[]): Promise<BaseOffsets>;
}

const transactionTimeoutMs = 30_000;

/**
 * Transactional producers of one process (K2, K3). A producer is used by one transaction at a time, the one idle
 * longest first: one reused at once is answered CONCURRENT_TRANSACTIONS. After any error it is thrown away.
 * `instance` must be stable across restarts of the same instance: connecting with the same ids aborts what a dead
 * process left open, which would otherwise hold back every reader until the transaction timeout.
 */
export class TransactionPool {
  readonly #kafka: Kafka;
  readonly #instance: string;
  readonly #idle: { slot: number; producer: Promise<Producer> }[] = [];
  readonly #waiting: ((entry: { slot: number; producer: Promise<Producer> }) => void)[] = [];
  readonly #at: FailurePoint;
  #closed = false;

  constructor(
    kafka: Kafka,
    options: { instance: string; producersMax: number; failurePoint?: FailurePoint },
  ) {
    this.#kafka = kafka;
    this.#instance = options.instance;
    this.#at = options.failurePoint ?? noFailurePoint;
    for (let slot = 0; slot < options.producersMax; slot++) this.#idle.push(this.#fresh(slot));
  }

  /** Resolves when every producer has fenced its predecessor; rejects when Kafka does not answer. */
  async ready(): Promise<void> {
    try {
      await Promise.all(this.#idle.map((entry) => entry.producer));
    } catch (error) {
      throw translateKafkaError(error, 'connect transactional producers');
    }
  }

  /**
   * Runs `work` in one transaction and commits it; any error aborts it. Waits at most `timeoutMs` for everything
   * together, then aborts and rejects with `not_written_in_time` (retryable).
   */
  async run<T>(work: (transaction: Transaction) => Promise<T>, timeoutMs = 10_000): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    const entry = await within(this.#take(), timeoutMs, (late) => this.#give(late));
    const attempt = this.#attempt(entry.producer, work, deadline);
    try {
      const result = await attempt;
      this.#give(entry);
      return result;
    } catch (error) {
      this.#throwAway(entry);
      throw translateKafkaError(error, 'commit a transaction');
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#idle.map(async (entry) => (await entry.producer).disconnect()));
  }

  async #attempt<T>(
    producer: Promise<Producer>,
    work: (transaction: Transaction) => Promise<T>,
    deadline: number,
  ): Promise<T> {
    const left = () => Math.max(deadline - Date.now(), 1);
    const transaction = await within(
      producer.then((connected) => connected.transaction()),
      left(),
      (late) => void late.abort().catch(() => undefined),
    );
    try {
      const result = await within(
        work({
          send: async (topic, messages) => {
            this.#at('write.before');
            const sent = await transaction.send({ topic, acks: -1, messages: messages.map(toKafka) });
            this.#at('write.after');
            return new Map(sent.map((part) => [part.partition, Number(part.baseOffset)]));
          },
        }),
        left(),
      );
      // From here on the outcome is Kafka's: a commit that is not answered may have happened, and is not "aborted".
      this.#at('commit.before');
      await transaction.commit();
      this.#at('commit.after');
      return result;
    } catch (error) {
      if (transaction.isActive()) await transaction.abort().catch(() => undefined);
      throw error;
    }
  }

  #fresh(slot: number): { slot: number; producer: Promise<Producer> } {
    const producer = this.#connect(slot);
    producer.catch(() => undefined);
    return { slot, producer };
  }

  async #connect(slot: number): Promise<Producer> {
    const producer = this.#kafka.producer({
      transactionalId: `${this.#instance}-${slot}`,
      transactionTimeout: transactionTimeoutMs,
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner,
      allowAutoTopicCreation: false,
      // Repeating is safe for an idempotent producer, and every wait for it is bounded by its caller.
      retry: { initialRetryTime: 20, maxRetryTime: 1_000, retries: Number.MAX_SAFE_INTEGER },
    });
    await producer.connect();
    // To connect says nothing to the coordinator of this id. The first transaction does, and that aborts what is left open.
    await (await producer.transaction()).abort();
    return producer;
  }

  #take(): Promise<{ slot: number; producer: Promise<Producer> }> {
    const entry = this.#idle.shift();
    if (entry) return Promise.resolve(entry);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #give(entry: { slot: number; producer: Promise<Producer> }): void {
    const next = this.#waiting.shift();
    if (next) next(entry);
    else this.#idle.push(entry);
  }

  #throwAway(entry: { slot: number; producer: Promise<Producer> }): void {
    entry.producer.then((producer) => producer.disconnect()).catch(() => undefined);
    if (!this.#closed) this.#give(this.#fresh(entry.slot));
  }
}

/** Settles as `promise` does, or rejects after `ms`; what comes too late is handed to `tooLate`. */
async function within<T>(promise: Promise<T>, ms: number, tooLate?: (late: T) => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let expired = false;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      expired = true;
      reject(
        new OperationalError('not_written_in_time', `Kafka did not take the data within ${ms} ms`, {
          retryable: true,
        }),
      );
    }, ms);
  });
  promise.then((late) => expired && tooLate?.(late)).catch(() => undefined);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
