import { setMaxListeners } from 'node:events';
import { assert, OperationalError } from '#shared/base/errors.ts';
import type { ClaimEvent, Evidence } from '#shared/domain/claims/claim.ts';
import { DeadLetterRun, type Sign } from '#shared/runtime/dead-letter-run.ts';
import type { Delivery, InMessage, PartitionControl, PartitionWorker } from '#shared/runtime/stage.ts';
import { bySerial, type EntriesBySerial, evidenceOf, noEvidence, questionOf } from './evidence.ts';
import type { Answer, LedgerQuestions } from './questions.ts';

/** What one message of `claims.submitted` becomes. */
export interface Gathered {
  readonly message: InMessage;
  readonly claim: ClaimEvent;
  readonly evidence: Evidence;
}

export interface GatherPorts {
  readonly questions: Pick<LedgerQuestions, 'ask'>;
  /** Partitions of the serials. */
  readonly serialPartitions: number;
  /** The longest that the claims of one chunk wait; then the partition starts again where it stands, and asks again. */
  readonly waitMsMax: number;
  readonly deadLettersInRowMax: number;
  decode(message: InMessage): ClaimEvent | undefined;
  /** Publishes to `claims.evidenced` in order; resolves when all are acknowledged (K1). */
  publish(gathered: readonly Gathered[]): Promise<void>;
  /** Keeps the original bytes; resolves when they are safe. */
  deadLetter(message: InMessage): Promise<void>;
  counted(kind: string): void;
  readonly now: () => number;
}

/** Claims of one partition that are asked about at the same time. */
const chunkMessagesMax = 256;

interface Pending {
  readonly message: InMessage;
  /** Undefined: the bytes cannot be decoded. */
  readonly claim: ClaimEvent | undefined;
  readonly answer: Promise<Answer | undefined>;
  settled: boolean;
}

/**
 * One partition of `claims.submitted`: appends evidence to each claim. Many claims are asked about at once, and
 * published in the order in which they came: nothing overtakes a claim that waits (C1).
 */
export class GatherPartition implements PartitionWorker {
  readonly #partition: number;
  readonly #ports: GatherPorts;
  readonly #control: PartitionControl;
  readonly #deadLetters: DeadLetterRun;
  readonly #stopped = new AbortController();
  #inFlight: Promise<unknown> = Promise.resolve();
  #indexed: { readonly answer: Answer['entries']; readonly entries: EntriesBySerial } | undefined;

  constructor(partition: number, ports: GatherPorts, control: PartitionControl) {
    this.#partition = partition;
    this.#ports = ports;
    this.#control = control;
    this.#deadLetters = new DeadLetterRun({
      stage: 'gather',
      max: ports.deadLettersInRowMax,
      inRow: control.deadInRow ?? 0,
    });
  }

  async handle(messages: readonly InMessage[], _delivery: Delivery): Promise<void> {
    const work = this.#handle(messages);
    this.#inFlight = work.catch(() => undefined);
    return work;
  }

  /** A claim may wait for hours: whoever drains does not. Nothing of it was published, so it is gathered again. */
  async settled(): Promise<void> {
    this.#stopped.abort(behind('the service drains'));
    await this.#inFlight;
  }

  async #handle(messages: readonly InMessage[]): Promise<void> {
    for (let from = 0; from < messages.length; from += chunkMessagesMax)
      await this.#withinTime((signal) =>
        this.#handleChunk(messages.slice(from, from + chunkMessagesMax), signal),
      );
  }

  async #withinTime(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(behind(`the ledger did not catch up in ${this.#ports.waitMsMax} ms`)),
      this.#ports.waitMsMax,
    );
    const signal = AbortSignal.any([timeout.signal, this.#stopped.signal]);
    // Every claim of the chunk listens to it.
    setMaxListeners(0, signal);
    try {
      await work(signal);
    } finally {
      clearTimeout(timer);
      // After a failure nobody waits for the other answers any more.
      timeout.abort(behind('the partition starts again'));
    }
  }

  /** Publishes the longest prefix that is answered, again and again: what waits holds up only what came after it. */
  async #handleChunk(messages: readonly InMessage[], signal: AbortSignal): Promise<void> {
    const read = messages.map((message) => ({ message, claim: this.#ports.decode(message) }));
    const admitted = this.#deadLetters.admitted(read.map(signOf));
    const pending = read.slice(0, admitted).map((one) => this.#ask(one, signal));
    for (let from = 0; from < pending.length; ) {
      await pending[from]!.answer;
      let to = from + 1;
      while (pending[to]?.settled) to += 1;
      await this.#publish(pending.slice(from, to));
      from = to;
    }
    if (admitted < messages.length) throw this.#deadLetters.tooMany();
  }

  #ask({ message, claim }: Pick<Pending, 'message' | 'claim'>, signal: AbortSignal): Pending {
    const question = claim ? questionOf(claim, this.#ports.serialPartitions) : { serials: [], models: [] };
    const needsNone = question.serials.length === 0 && question.models.length === 0;
    const answer = needsNone ? Promise.resolve(undefined) : this.#ports.questions.ask(question, signal);
    const pending: Pending = { message, claim, answer, settled: needsNone };
    // A failure is met when its turn comes; until then it must not count as unhandled.
    answer.then(
      () => {
        pending.settled = true;
      },
      () => undefined,
    );
    return pending;
  }

  async #publish(pending: readonly Pending[]): Promise<void> {
    const gathered: Gathered[] = [];
    for (const { message, claim, answer } of pending) {
      if (claim) gathered.push({ message, claim, evidence: this.#evidence(message, claim, await answer) });
      else await this.#ports.deadLetter(message);
    }
    if (gathered.length > 0) await this.#ports.publish(gathered);
    for (const { claim } of gathered) this.#ports.counted(claim.kind);
    const last = pending.at(-1);
    assert(last, 'at least the awaited claim is published');
    this.#deadLetters.handled(pending.map(signOf));
    this.#control.commit(last.message.offset + 1, this.#deadLetters.inRow);
  }

  #evidence(message: InMessage, claim: ClaimEvent, answer: Answer | undefined): Evidence {
    const source = { partition: this.#partition, offset: message.offset, at: this.#ports.now() };
    if (!answer) return noEvidence(claim, source);
    if (this.#indexed?.answer !== answer.entries)
      this.#indexed = { answer: answer.entries, entries: bySerial(answer.entries) };
    return evidenceOf(claim, source, answer, this.#indexed.entries);
  }
}

function signOf({ claim }: Pick<Pending, 'claim'>): Sign {
  return claim ? 'good' : 'dead';
}

function behind(why: string): OperationalError {
  return new OperationalError('ledger_behind', `claims wait for the ledger: ${why}`, { retryable: true });
}
