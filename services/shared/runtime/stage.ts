/**
 * The one loop that drives every worker: take a batch, decide, emit, wait for the acknowledgement, store the position.
 * A stage says how one partition starts and what it does with messages; where they come from is the adapter's business.
 */
export interface InMessage {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Kafka's timestamp: ingest time, epoch milliseconds. */
  readonly timestamp: number;
}

export interface Delivery {
  /** Messages in the log behind the ones delivered: how far the stage lags. */
  readonly backlog: number;
}

export interface PartitionControl {
  /**
   * Stores `nextOffset` as the group's position, soon. Called only for what is acknowledged, contiguous, in order (L6).
   * `deadInRow`: dead letters in a row up to there, stored with it; 0 when absent.
   */
  commit(nextOffset: number, deadInRow?: number): void;
  /** Dead letters in a row up to the stored position; 0 when absent. */
  readonly deadInRow?: number;
  /** False once the partition belongs to somebody else. */
  readonly owned?: () => boolean;
  /** For what fails after `handle` returned: drops what is held and starts the partition again. */
  fail(error: unknown): void;
}

export interface PartitionWorker {
  /**
   * Handles messages in the order of the log and resolves when more may be delivered. Throws OperationalError (the
   * world, retryable) or Restart to start the partition again from its stored position; anything else stops the process.
   */
  handle(messages: readonly InMessage[], delivery: Delivery): Promise<void>;
  /** Resolves when nothing of this worker is in flight any more, whatever became of it. */
  settled(): Promise<void>;
}

export interface Started {
  readonly worker: PartitionWorker;
  /** Where to read on; `committed` leaves it to the group's stored position, or the beginning. */
  readonly offset: number | 'committed';
}

export interface Stage {
  start(partition: number, control: PartitionControl): Promise<Started>;
}

/** The stored position is not where this worker believes it is (D4): not an error, the partition starts again. */
export class Restart extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Restart';
  }
}
