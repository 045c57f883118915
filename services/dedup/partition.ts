import { assert, OperationalError } from '#shared/base/errors.ts';
import { type OriginHeaders, readOriginHeaders } from '#shared/codec/headers.ts';
import type { Decision } from '#shared/domain/serials.ts';
import { DeadLetterRun, type Sign } from '#shared/runtime/dead-letter-run.ts';
import { noIndex } from '#shared/runtime/index-probe.ts';
import type { Delivery, InMessage, PartitionControl, PartitionWorker } from '#shared/runtime/stage.ts';
import { Restart } from '#shared/runtime/stage.ts';
import type { JournalEntry, Scope, Started, StateStore } from '#shared/runtime/state-store.ts';
import { type BatchView, Decider } from './decider.ts';
import type { IndexLayout } from './layout.ts';

/** A message of `serials.listed` on its way: bytes, coordinates, and what dedup reads of it. */
export interface Incoming {
  readonly offset: number;
  readonly headers: OriginHeaders;
  readonly value: Buffer | null;
  readonly raw: InMessage;
  /** Undefined when the bytes can not be decoded: wrong data, a dead letter. */
  readonly batch: BatchView | undefined;
}

/** How the machine reads and writes bytes, and where its results go. No engine is named here. */
export interface DedupPorts {
  readonly store: StateStore;
  readonly deadLettersInRowMax: number;
  /** Origins that became dead letters here before: read again, after a rebuild or a rollback, they still are (R1). */
  readonly deadBefore: ReadonlySet<number>;
  decode(message: InMessage): BatchView | undefined;
  /** Bytes of the decisions, as they follow those of the message. */
  encodeDecisions(message: Incoming, decisions: readonly Decision[]): Buffer;
  /** Publishes to the partition of `serials.decided`, in order; resolves when all are acknowledged (K1). */
  publish(results: readonly Result[]): Promise<void>;
  /** Keeps the original bytes; resolves when they are safe. Until then the position stays. */
  deadLetter(message: Incoming): Promise<void>;
  counted(outcome: string, rows: number): void;
}

/** What is published for one message: its bytes with the decisions, or a stand-in without records. */
export type Result =
  | { readonly kind: 'decided'; readonly message: Incoming; readonly tail: Buffer }
  | { readonly kind: 'copy'; readonly message: Incoming }
  | { readonly kind: 'dead'; readonly message: Incoming };

/** Messages of one script call; well below the journal's 64 entries. */
const chunkMessagesMax = 24;
/**
 * The more rows in a call, the more of them share a bucket, and a bucket costs more than its rows; but nobody else is
 * answered meanwhile, for about 20 ms with so many.
 */
const chunkRowsMax = 12_000;

/**
 * One partition of dedup: decides messages against the index, keeps state, position and journal together, publishes
 * what is journalled. Rules D1 to D9 in the order D7, D4 (in the store's scripts), D2, D5, D3, decide.
 */
export class DedupPartition implements PartitionWorker {
  readonly #scope: Scope;
  readonly #ports: DedupPorts;
  readonly #control: PartitionControl;
  readonly #decider: Decider;
  readonly #journal: Map<number, JournalEntry>;
  readonly #deadLetters: DeadLetterRun;
  #position: number;
  #inFlight: Promise<unknown> = Promise.resolve();
  #trimming: Promise<unknown> = Promise.resolve();

  private constructor(
    scope: Scope,
    layout: IndexLayout,
    started: Started,
    ports: DedupPorts,
    control: PartitionControl,
  ) {
    this.#scope = scope;
    this.#ports = ports;
    this.#control = control;
    this.#decider = new Decider(layout);
    this.#deadLetters = new DeadLetterRun({
      stage: 'dedup',
      max: ports.deadLettersInRowMax,
      inRow: control.deadInRow ?? 0,
    });
    this.#position = started.position;
    this.#journal = new Map(started.journal.map((entry) => [entry.origin, entry]));
  }

  /** Begins where the store says: at the seek offset, or at the lowest journalled offset when that is lower (D6). */
  static async start(
    scope: Scope,
    layout: IndexLayout,
    ports: DedupPorts,
    control: PartitionControl,
  ): Promise<{ worker: DedupPartition; offset: number }> {
    const started = await ports.store.start(scope);
    if (started === 'no_index') throw noIndex(scope);
    const offset = Math.min(started.seekOffset, started.journal[0]?.offset ?? started.seekOffset);
    return { worker: new DedupPartition(scope, layout, started, ports, control), offset };
  }

  /** The highest origin that it has applied. */
  get position(): number {
    return this.#position;
  }

  async handle(messages: readonly InMessage[], _delivery: Delivery): Promise<void> {
    const work = this.#handle(messages);
    this.#inFlight = work.catch(() => undefined);
    return work;
  }

  async settled(): Promise<void> {
    await this.#inFlight;
    await this.#trimming.catch(() => undefined);
  }

  async #handle(messages: readonly InMessage[]): Promise<void> {
    for (const chunk of chunks(messages)) {
      const incoming = chunk.map((message) => this.#incoming(message));
      const signs = incoming.map((message) => this.#signOf(message));
      const admitted = this.#deadLetters.admitted(signs);
      if (admitted > 0) await this.#handleChunk(incoming.slice(0, admitted), signs.slice(0, admitted));
      if (admitted < chunk.length) throw this.#deadLetters.tooMany();
    }
  }

  #incoming(message: InMessage): Incoming {
    const headers = readOriginHeaders(message.headers, message.offset);
    return {
      offset: message.offset,
      headers,
      value: message.value,
      raw: message,
      batch: this.#ports.deadBefore.has(headers.origin) ? undefined : this.#ports.decode(message),
    };
  }

  /** What was applied, or set aside, before shows nothing of the deployment; nor do ticks. */
  #signOf({ headers: { origin }, batch }: Incoming): Sign {
    if (origin <= this.#position || this.#ports.deadBefore.has(origin)) return 'neither';
    if (!batch) return 'dead';
    return batch.records.length > 0 ? 'good' : 'neither';
  }

  async #handleChunk(chunk: readonly Incoming[], signs: readonly Sign[]): Promise<void> {
    const { replayed, fresh } = this.#split(chunk);
    const results = [...replayed, ...(await this.#decide(fresh))];
    await this.#ports.publish(results);
    this.#deadLetters.handled(signs);
    this.#control.commit(chunk.at(-1)!.offset + 1, this.#deadLetters.inRow);
    await this.#trimming;
    this.#trimming = this.#trim(results);
    this.#trimming.catch(() => undefined);
  }

  /** D2: what was applied before is published again only if it is journalled, from this very offset (D6). D5: no holes. */
  #split(chunk: readonly Incoming[]): { replayed: Result[]; fresh: Incoming[] } {
    const replayed: Result[] = [];
    const fresh: Incoming[] = [];
    let position = this.#position;
    for (const message of chunk) {
      const { origin, link } = message.headers;
      if (origin <= position) {
        const entry = this.#journal.get(origin);
        if (entry?.offset === message.offset) replayed.push(fromJournal(message, entry.payload));
        continue;
      }
      assert(
        link === undefined || link <= position,
        `hole before origin ${origin}: it follows ${link}, but the index of {${this.#scope.name}} is at ${position}`,
      );
      fresh.push(message);
      position = origin;
    }
    // A chunk is in the order of the log, and everything journalled lies before everything fresh.
    return { replayed, fresh };
  }

  async #decide(fresh: readonly Incoming[]): Promise<Result[]> {
    if (fresh.length === 0) return [];
    for (const message of fresh)
      if (!message.batch && !this.#ports.deadBefore.has(message.headers.origin))
        await this.#ports.deadLetter(message);
    const plan = this.#decider.plan(fresh);
    const values = await this.#ports.store.read(this.#scope, this.#position, plan.reads);
    if (values === 'no_index') throw noIndex(this.#scope);
    if (values === 'moved') throw moved(this.#scope, this.#position);

    const { results: verdicts, writes } = this.#decider.decide(plan, values);
    const results = verdicts.map((verdict): Result => {
      if (verdict.kind !== 'decided') return verdict;
      const tail = this.#ports.encodeDecisions(verdict.message, verdict.decisions);
      return { kind: 'decided', message: verdict.message, tail };
    });
    const last = fresh.at(-1)!;
    const applied = await this.#ports.store.apply(this.#scope, this.#position, {
      position: last.headers.origin,
      seekOffset: last.offset + 1,
      writes,
      journal: results.map(toJournal),
    });
    if (applied === 'no_index') throw noIndex(this.#scope);
    if (applied === 'moved') throw moved(this.#scope, this.#position);
    if (applied === 'full')
      throw new OperationalError('journal_full', `the journal of {${this.#scope.name}} is full`, {
        retryable: true,
      });
    this.#position = last.headers.origin;
    for (const verdict of verdicts)
      if (verdict.kind === 'decided')
        for (const decision of verdict.decisions) this.#ports.counted(decision.outcome, 1);
    return results;
  }

  async #trim(results: readonly Result[]): Promise<void> {
    if (results.length === 0) return;
    const origins = results.map(({ message }) => message.headers.origin);
    if ((await this.#ports.store.trim(this.#scope, origins)) === 'no_index') throw noIndex(this.#scope);
    for (const origin of origins) this.#journal.delete(origin);
  }
}

function* chunks(messages: readonly InMessage[]): Generator<readonly InMessage[]> {
  let chunk: InMessage[] = [];
  let rows = 0;
  for (const message of messages) {
    const messageRows = Number(message.headers.rows ?? 0);
    if (chunk.length > 0 && (chunk.length >= chunkMessagesMax || rows + messageRows > chunkRowsMax)) {
      yield chunk;
      chunk = [];
      rows = 0;
    }
    chunk.push(message);
    rows += messageRows;
  }
  if (chunk.length > 0) yield chunk;
}

/** The journal keeps what a result adds to its message: one byte of kind, then the decisions. */
const journalKinds = { decided: 1, copy: 2, dead: 3 } as const;

function toJournal(result: Result): JournalEntry {
  const kind = Buffer.from([journalKinds[result.kind]]);
  const { headers, offset } = result.message;
  return {
    origin: headers.origin,
    offset,
    payload: result.kind === 'decided' ? Buffer.concat([kind, result.tail]) : kind,
  };
}

function fromJournal(message: Incoming, payload: Buffer): Result {
  switch (payload[0]) {
    case journalKinds.decided:
      return { kind: 'decided', message, tail: payload.subarray(1) };
    case journalKinds.copy:
      return { kind: 'copy', message };
    default:
      return { kind: 'dead', message };
  }
}

function moved(scope: Scope, position: number): Restart {
  return new Restart(`the index of {${scope.name}} is no longer at ${position}`);
}
