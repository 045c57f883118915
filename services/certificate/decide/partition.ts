import { assert, OperationalError } from '#shared/base/errors.ts';
import { type Decided, type EvidencedClaim, serialsOf } from '#shared/domain/claims/index.ts';
import { DeadLetterRun, type Sign } from '#shared/runtime/dead-letter-run.ts';
import { noIndex } from '#shared/runtime/index-probe.ts';
import {
  type Delivery,
  type InMessage,
  type PartitionControl,
  type PartitionWorker,
  Restart,
} from '#shared/runtime/stage.ts';
import type { JournalEntry, Read, Refusal, Scope, Started, StateStore } from '#shared/runtime/state-store.ts';
import { ClaimsDecider, type Event } from './decider.ts';

/** What is published for one event: the bytes received, and the decision's behind them. */
export interface Result {
  readonly message: InMessage;
  readonly tail: Buffer;
}

/** No engine is named here. */
export interface DecidePorts {
  readonly store: StateStore;
  readonly deadLettersInRowMax: number;
  /** Offsets that became dead letters here before: read again, after a rebuild or a rollback, they still are (R2). */
  readonly deadBefore: ReadonlySet<number>;
  decode(message: InMessage): EvidencedClaim | undefined;
  encode(message: InMessage, decided: Decided): Buffer;
  /** Publishes to `claims.decided` in order; resolves when all are acknowledged (K1). */
  publish(results: readonly Result[]): Promise<void>;
  /** Keeps the original bytes; resolves when they are safe. Until then the position stays. */
  deadLetter(message: InMessage): Promise<void>;
  counted(decision: string): void;
}

interface Incoming {
  readonly message: InMessage;
  /** Undefined: the bytes cannot be decoded. */
  readonly claim: EvidencedClaim | undefined;
}

/** Events of one script call; well below the journal's 64 entries. Serials: keys of that call. */
const chunkEventsMax = 24;
const chunkSerialsMax = 4_000;

/**
 * The one partition of `claims.evidenced`: a single order of all claims. State, position and journal move together;
 * rules D1, D2, D4, D6, D7, D9 hold as in dedup, with the offset in `claims.evidenced` as origin (C2).
 */
export class DecidePartition implements PartitionWorker {
  readonly #scope: Scope;
  readonly #ports: DecidePorts;
  readonly #control: PartitionControl;
  readonly #journal: Map<number, JournalEntry>;
  readonly #deadLetters: DeadLetterRun;
  #position: number;
  #inFlight: Promise<unknown> = Promise.resolve();
  #trimming: Promise<unknown> = Promise.resolve();

  private constructor(scope: Scope, started: Started, ports: DecidePorts, control: PartitionControl) {
    this.#scope = scope;
    this.#ports = ports;
    this.#control = control;
    this.#deadLetters = new DeadLetterRun({
      stage: 'decide',
      max: ports.deadLettersInRowMax,
      inRow: control.deadInRow ?? 0,
    });
    this.#position = started.position;
    this.#journal = new Map(started.journal.map((entry) => [entry.origin, entry]));
  }

  /** Begins where the store says: at the seek offset, or at the lowest journalled offset when that is lower (D6). */
  static async start(
    scope: Scope,
    ports: DecidePorts,
    control: PartitionControl,
  ): Promise<{ worker: DecidePartition; offset: number }> {
    const started = await ports.store.start(scope);
    if (started === 'no_index') throw refused('no_index', scope);
    const offset = Math.min(started.seekOffset, started.journal[0]?.offset ?? started.seekOffset);
    return { worker: new DecidePartition(scope, started, ports, control), offset };
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
    const { decode, deadBefore } = this.#ports;
    const incoming = messages.map((message) => ({
      message,
      claim: deadBefore.has(message.offset) ? undefined : decode(message),
    }));
    for (const chunk of chunks(incoming)) {
      const signs = chunk.map((one) => this.#signOf(one));
      const admitted = this.#deadLetters.admitted(signs);
      if (admitted > 0) await this.#handleChunk(chunk.slice(0, admitted), signs.slice(0, admitted));
      if (admitted < chunk.length) throw this.#deadLetters.tooMany();
    }
  }

  #signOf({ message, claim }: Incoming): Sign {
    if (message.offset <= this.#position || this.#ports.deadBefore.has(message.offset)) return 'neither';
    return claim ? 'good' : 'dead';
  }

  async #handleChunk(chunk: readonly Incoming[], signs: readonly Sign[]): Promise<void> {
    const { replayed, fresh } = this.#split(chunk);
    const results = [...replayed, ...(await this.#decide(fresh))];
    if (results.length > 0) await this.#ports.publish(results);
    this.#deadLetters.handled(signs);
    this.#control.commit(chunk.at(-1)!.message.offset + 1, this.#deadLetters.inRow);
    await this.#trimming;
    this.#trimming = this.#trim(results);
    this.#trimming.catch(() => undefined);
  }

  /** D2: what was applied before is published again only if it is journalled. C2: nothing may be missing in between. */
  #split(chunk: readonly Incoming[]): { replayed: Result[]; fresh: Incoming[] } {
    const replayed: Result[] = [];
    const fresh: Incoming[] = [];
    let next = this.#position + 1;
    for (const incoming of chunk) {
      const { message } = incoming;
      if (message.offset < next) {
        const entry = this.#journal.get(message.offset);
        if (entry) replayed.push({ message, tail: entry.payload });
        continue;
      }
      assert(
        message.offset === next,
        `hole in claims.evidenced: offset ${message.offset} follows position ${next - 1} of {${this.#scope.name}}`,
      );
      fresh.push(incoming);
      next += 1;
    }
    return { replayed, fresh };
  }

  async #decide(fresh: readonly Incoming[]): Promise<Result[]> {
    if (fresh.length === 0) return [];
    const events: Event[] = [];
    for (const { message, claim } of fresh)
      if (claim) events.push({ offset: message.offset, claim });
      else if (!this.#ports.deadBefore.has(message.offset)) await this.#ports.deadLetter(message);
    const decider = await ClaimsDecider.load(events, (reads) => this.#read(reads));
    const { verdicts, writes } = decider.decide();
    const decisions = verdicts.filter((verdict) => verdict.kind === 'decided');
    const messages = new Map(fresh.map(({ message }) => [message.offset, message]));
    const results = decisions.map(({ offset, decided }): Result => {
      const message = messages.get(offset)!;
      return { message, tail: this.#ports.encode(message, decided) };
    });
    await this.#apply(fresh.at(-1)!.message.offset, writes, results);
    for (const { decided } of decisions) this.#ports.counted(decided.decision);
    return results;
  }

  async #read(reads: readonly Read[]) {
    const values = await this.#ports.store.read(this.#scope, this.#position, reads);
    if (values === 'no_index' || values === 'moved') throw refused(values, this.#scope);
    return values;
  }

  async #apply(
    position: number,
    writes: Parameters<StateStore['apply']>[2]['writes'],
    results: readonly Result[],
  ): Promise<void> {
    const applied = await this.#ports.store.apply(this.#scope, this.#position, {
      position,
      seekOffset: position + 1,
      writes,
      journal: results.map(({ message, tail }) => ({
        origin: message.offset,
        offset: message.offset,
        payload: tail,
      })),
    });
    if (applied !== 'applied') throw refused(applied, this.#scope);
    this.#position = position;
  }

  async #trim(results: readonly Result[]): Promise<void> {
    if (results.length === 0) return;
    const origins = results.map(({ message }) => message.offset);
    if ((await this.#ports.store.trim(this.#scope, origins)) === 'no_index')
      throw refused('no_index', this.#scope);
    for (const origin of origins) this.#journal.delete(origin);
  }
}

function* chunks(incoming: readonly Incoming[]): Generator<readonly Incoming[]> {
  let chunk: Incoming[] = [];
  let serials = 0;
  for (const one of incoming) {
    const more = one.claim ? serialsOf(one.claim).length : 0;
    if (chunk.length > 0 && (chunk.length >= chunkEventsMax || serials + more > chunkSerialsMax)) {
      yield chunk;
      chunk = [];
      serials = 0;
    }
    chunk.push(one);
    serials += more;
  }
  if (chunk.length > 0) yield chunk;
}

function refused(why: Refusal | 'full', scope: Scope): Error {
  switch (why) {
    case 'moved':
      return new Restart(`the state of {${scope.name}} is no longer where this worker left it`);
    case 'no_index':
      return noIndex(scope);
    case 'full':
      return new OperationalError('journal_full', `the journal of {${scope.name}} is full`, {
        retryable: true,
      });
  }
}
