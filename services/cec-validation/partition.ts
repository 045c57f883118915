import { OperationalError } from '#shared/base/errors.ts';
import { type MessageHeaders, readHeaders } from '#shared/codec/headers.ts';
import type { ListedTail } from '#shared/domain/batches.ts';
import { carriedOn } from '#shared/domain/records.ts';
import type { Listing } from '#shared/domain/serials.ts';
import { DeadLetterRun, type Sign } from '#shared/runtime/dead-letter-run.ts';
import type { Delivery, InMessage, PartitionControl, PartitionWorker } from '#shared/runtime/stage.ts';

/** What cec-validation reads of a SerialBatch. */
export interface SubmittedView {
  readonly product: string;
  readonly action: string;
  readonly received_at: number;
  readonly records: readonly RecordView[];
}

export interface RecordView {
  readonly holder: string;
  readonly series: string;
  readonly model: string;
  readonly finding: string;
  /** Says the same as the record before it; its texts are empty. */
  readonly repeats: boolean;
}

/** What the lists say of the records of some batches, all by one snapshot. */
export interface ListAnswer {
  readonly snapshot: string;
  listingOf(record: RecordView, receivedAt: number): Listing;
}

export interface ListingPorts {
  decode(message: InMessage): SubmittedView | undefined;
  /** Asks one snapshot of a product's list about holders and models. Unavailable is the world, never "not listed" (V2). */
  ask(product: string, records: readonly RecordView[]): Promise<ListAnswer | 'unavailable'>;
  append(message: InMessage, tail: ListedTail): Buffer;
  /** A ListedBatch without records, in a dead letter's place. */
  standIn(headers: MessageHeaders, origin: number): Buffer;
  publish(results: readonly Listed[]): Promise<void>;
  deadLetter(message: InMessage, headers: MessageHeaders): Promise<void>;
  counted(finding: string, rows: number): void;
}

export interface Listed {
  readonly headers: MessageHeaders;
  readonly value: Buffer;
}

/** A message with what was decoded of it; without readable headers or body it is a dead letter. */
interface Incoming {
  readonly message: InMessage;
  readonly batch: SubmittedView | undefined;
}

const chunkMessagesMax = 64;
const notChecked: Listing = { finding: 'not_checked', note: '' };
/** Of a record that repeats the one before it. */
const asBefore: Listing = { finding: '', note: '' };

/**
 * One partition of cec-validation: gives each message its origin and link (V1), asks the lists, appends what they say.
 * Every message that was read appears in the output; one that can not be read leaves a stand-in.
 */
export class ListingPartition implements PartitionWorker {
  readonly #ports: ListingPorts;
  readonly #control: PartitionControl;
  readonly #deadLetters: DeadLetterRun;
  #previous: number | undefined;
  #inFlight: Promise<unknown> = Promise.resolve();

  constructor(ports: ListingPorts, control: PartitionControl, deadLettersInRowMax: number) {
    this.#ports = ports;
    this.#control = control;
    this.#deadLetters = new DeadLetterRun({
      stage: 'cec-validation',
      max: deadLettersInRowMax,
      inRow: control.deadInRow ?? 0,
    });
  }

  async handle(messages: readonly InMessage[], _delivery: Delivery): Promise<void> {
    const work = this.#handle(messages);
    this.#inFlight = work.catch(() => undefined);
    return work;
  }

  async settled(): Promise<void> {
    await this.#inFlight;
  }

  async #handle(messages: readonly InMessage[]): Promise<void> {
    for (let from = 0; from < messages.length; from += chunkMessagesMax)
      await this.#handleChunk(messages.slice(from, from + chunkMessagesMax));
  }

  async #handleChunk(messages: readonly InMessage[]): Promise<void> {
    const incoming = messages.map((message) => ({ message, batch: this.#ports.decode(message) }));
    const signs = incoming.map(signOf);
    const admitted = this.#deadLetters.admitted(signs);
    if (admitted > 0) await this.#list(incoming.slice(0, admitted), signs.slice(0, admitted));
    if (admitted < messages.length) throw this.#deadLetters.tooMany();
  }

  async #list(incoming: readonly Incoming[], signs: readonly Sign[]): Promise<void> {
    const answers = await this.#ask(incoming.flatMap(({ batch }) => batch ?? []));
    const results: Listed[] = [];
    let previous = this.#previous;
    for (const { message, batch } of incoming) {
      const headers = readHeaders(message.headers);
      const placed = withCoordinates(headers ?? unreadable, message.offset, previous);
      previous = message.offset;
      if (batch && headers) results.push(this.#listed(message, batch, placed, answers));
      else results.push(await this.#dead(message, placed));
    }
    await this.#ports.publish(results);
    this.#previous = previous;
    this.#deadLetters.handled(signs);
    this.#control.commit(incoming.at(-1)!.message.offset + 1, this.#deadLetters.inRow);
  }

  /** One question per product: all batches of a chunk are answered by the same snapshot. */
  async #ask(batches: readonly SubmittedView[]): Promise<ReadonlyMap<string, ListAnswer>> {
    const questions = new Map<string, RecordView[]>();
    for (const batch of batches) {
      if (!asksLists(batch)) continue;
      const records = questions.get(batch.product) ?? [];
      for (const record of batch.records) if (record.finding === '' && !record.repeats) records.push(record);
      questions.set(batch.product, records);
    }
    const answers = new Map<string, ListAnswer>();
    for (const [product, records] of questions) {
      const answer = await this.#ports.ask(product, records);
      if (answer === 'unavailable')
        throw new OperationalError(
          'lists_unavailable',
          `the approved list of the product ${product} is not in Redis whole: import or publish it`,
          { retryable: true },
        );
      answers.set(product, answer);
    }
    return answers;
  }

  #listed(
    message: InMessage,
    batch: SubmittedView,
    headers: MessageHeaders,
    answers: ReadonlyMap<string, ListAnswer>,
  ): Listed {
    const answer = asksLists(batch) ? answers.get(batch.product) : undefined;
    const listings = batch.records.map((record) => {
      if (record.repeats) return asBefore;
      return answer && record.finding === '' ? answer.listingOf(record, batch.received_at) : notChecked;
    });
    this.#count(carriedOn(batch.records, listings));
    const tail = { origin: message.offset, snapshot: answer?.snapshot ?? '', listings };
    return { headers, value: this.#ports.append(message, tail) };
  }

  #count(listings: readonly Listing[]): void {
    const counts = new Map<string, number>();
    for (const { finding } of listings) counts.set(finding, (counts.get(finding) ?? 0) + 1);
    for (const [finding, rows] of counts) this.#ports.counted(finding, rows);
  }

  async #dead(message: InMessage, headers: MessageHeaders): Promise<Listed> {
    await this.#ports.deadLetter(message, headers);
    return {
      headers: { ...headers, rows: 0, deadRows: headers.rows, deadStage: 'cec-validation' },
      value: this.#ports.standIn(headers, message.offset),
    };
  }
}

/** Without readable headers the number of lost rows is unknown: the bytes are kept, and the stand-in says 0. */
const unreadable: MessageHeaders = { submission: '', batch: 0, rows: 0, deadRows: 0, receivedAt: 0 };

/** Ticks show nothing: a deployment that reads no batch may well read them. */
function signOf({ message, batch }: Incoming): Sign {
  if (!batch || !readHeaders(message.headers)) return 'dead';
  return batch.records.length > 0 ? 'good' : 'neither';
}

function asksLists(batch: SubmittedView): boolean {
  return batch.action === 'register' && batch.records.length > 0;
}

/**
 * V1: origin is the offset; link is the origin of the message before it, absent for the first after a start. They take
 * the place of whatever the message says of itself: a replayed one may still carry its first coordinates.
 */
function withCoordinates(
  { link: _, ...headers }: MessageHeaders,
  origin: number,
  link: number | undefined,
): MessageHeaders {
  return { ...headers, origin, ...(link === undefined ? {} : { link }) };
}
