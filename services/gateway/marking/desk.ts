import { actorOf } from '#gateway/accounts/actor.ts';
import type { AuthorityTest } from '#gateway/accounts/authority.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { requestMark } from '#gateway/accounts/request-mark.ts';
import type { Catalogue } from '#gateway/changes/catalogue.ts';
import { changeOf } from '#gateway/changes/change.ts';
import { derivedId } from '#gateway/ids.ts';
import { isRefusal, type Refusal, RefusedError, refuse } from '#gateway/refusal.ts';
import type { FoundEntry, Place, SearchQuery } from '#gateway/search/query.ts';
import { KnownParts, type RecentStreams, type StreamReads, streamState } from '#gateway/streams/known.ts';
import type { OpenStream, OpenStreams } from '#gateway/streams/open.ts';
import type { Part } from '#gateway/streams/parts.ts';
import { type PartTold, type StreamResult, StreamRun } from '#gateway/streams/run.ts';
import type { Contents } from '#gateway/submissions/collect.ts';
import { type DocumentKind, documentOf } from '#gateway/submissions/documents.ts';
import type { Sender } from '#gateway/submissions/rows.ts';
import type { EarlierSubmissions, Submission } from '#gateway/submissions/submission.ts';
import { assert } from '#shared/base/errors.ts';
import { normalise } from '#shared/domain/normalise.ts';
import type { Product } from '#shared/domain/serials.ts';
import { type ChosenSerial, chosenParts, lastPlaceOf, type MarkingReason } from './chosen.ts';
import { asPlanned, planOf } from './plan.ts';

/** A serial as a search shows it. */
export type ListedSerial = Omit<ChosenSerial, 'place' | 'sent'>;

/** Which serials: some that are named, or all that match a search, as many as were seen to match. */
export type Selection =
  | { readonly kind: 'listed'; readonly serials: readonly ListedSerial[] }
  | { readonly kind: 'matched'; readonly query: SearchQuery; readonly count: number };

export interface MarkingGiven {
  readonly key: string;
  readonly product: Product;
  /** As in the request. */
  readonly reason: string;
  readonly note: string;
  readonly selection: Selection;
}

export interface MarkingPorts {
  readonly catalogue: Catalogue;
  readonly open: OpenStreams;
  readonly streams: StreamReads;
  readonly recent: RecentStreams;
  readonly earlier: EarlierSubmissions;
  readonly partitions: number;
  /** Rows of a submission; as many as it can have unless said. */
  readonly partRows?: number;
  /** Whether whoever asks may mark serials of the product now, also if that has changed since they asked. */
  permit(identity: Identity, product: Product): Sender | Refusal;
  count(query: SearchQuery, identity: Identity): Promise<number>;
  /** Everything that matches and may be seen, behind a place, in the order of places. */
  matching(
    query: SearchQuery,
    identity: Identity,
    after: Place | undefined,
  ): AsyncIterable<readonly FoundEntry[]>;
  /** Latest entries at places. */
  latest(product: Product, places: readonly Place[]): Promise<readonly FoundEntry[]>;
  /** The bytes that were kept of a submission; undefined while they are on their way. */
  kept(submission: string): Promise<Buffer | undefined>;
  encode(submission: Submission, contents: Contents): Promise<() => Promise<void>>;
  rowsAllowed(account: string, rows: number, signal: AbortSignal): Promise<void>;
  failed(error: unknown): void;
  now(): number;
}

/** A marking that may begin, or go on. */
export interface AdmittedMarking {
  readonly id: string;
  /** Rows in all. */
  readonly rows: number;
  readonly committedRow: number;
  /** Marks what is not marked yet; tells of each part, also of those that were committed before. */
  take(told: Tell): Promise<StreamResult>;
}

type Tell = (part: PartTold) => void | Promise<void>;

interface Begun {
  readonly id: string;
  readonly given: MarkingGiven;
  readonly identity: Identity;
  readonly document: DocumentKind;
  readonly change: MarkingReason;
  readonly committedRow: number;
  readonly place: OpenStream;
}

/**
 * Marks chosen serials as invalid (INV-1), however many: in submissions that are committed one after another, as those of a
 * stream. A marking is named by account, Idempotency-Key and request: whoever repeats it goes on where it stands, and does
 * nothing twice. Of all that match a search nothing is marked unless it is what was seen to match.
 */
export class MarkingDesk {
  readonly #ports: MarkingPorts;

  constructor(ports: MarkingPorts) {
    this.#ports = ports;
  }

  async admit(given: MarkingGiven, identity: Identity): Promise<AdmittedMarking | Refusal> {
    const { open, streams, recent } = this.#ports;
    const { product, selection, key } = given;
    const permit = this.#ports.permit(identity, product);
    if (isRefusal(permit)) return permit;
    const change = this.#changeOf(given);
    if (isRefusal(change)) return change;
    const id = markingIdOf(identity.account.id, given);
    const state = await streamState(streams, recent, id);
    const committedRow = state?.committedRow ?? 0;
    const refusal =
      (await this.#usedOtherwise(id, key, identity)) ??
      (committedRow === 0 ? await this.#otherCount(selection, identity) : undefined);
    if (refusal) return refusal;
    const place = open.enter(id, identity.account.id);
    if (isRefusal(place)) return place;
    const document = documentOf(product, 'invalidate');
    assert(document, `no kind of document marks ${product} as invalid`);
    const begun = { id, given, identity, document, change, committedRow, place };
    return {
      id,
      rows: rowsOf(selection),
      committedRow,
      take: (told) => this.#take(begun, told),
    };
  }

  /** INV-2 */
  #changeOf({ reason, note }: MarkingGiven): MarkingReason | Refusal {
    const change = changeOf(this.#ports.catalogue, 'invalidate', { status: '', reason, note });
    if (!('fault' in change)) return { reason: change.reason, note };
    return refuse(change.fault === 'note_missing' ? 'marking_note_missing' : 'marking_reason_unknown');
  }

  /** A2: whether the key was used for something else. */
  async #usedOtherwise(id: string, key: string, { account }: Identity): Promise<Refusal | undefined> {
    const earlier = await this.#ports.earlier.withKey(account.id, key);
    return earlier.some(({ stream }) => stream !== id) ? refuse('idempotency_key_reused') : undefined;
  }

  async #otherCount(selection: Selection, identity: Identity): Promise<Refusal | undefined> {
    if (selection.kind === 'listed') return undefined;
    const count = await this.#ports.count(selection.query, identity);
    return count === selection.count ? undefined : otherCount(count, selection.count, 0);
  }

  async #take(begun: Begun, told: Tell): Promise<StreamResult> {
    const { id, given, identity, document, committedRow, place } = begun;
    const { key } = given;
    const { id: account, name } = identity.account;
    const request = {
      id,
      account: { id: account, name },
      key,
      document,
      channel: 'json' as const,
      mediaType: 'application/x-ndjson',
      fileName: '',
      fromRow: committedRow + 1,
      committedRow,
    };
    const ports = {
      permit: () => {
        const sender = this.#ports.permit(identity, given.product);
        // Nothing is declared of data that is taken back; who took it back is kept.
        return isRefusal(sender) ? sender : { sender, declaration: '', declaredBy: actorOf(identity) };
      },
      known: async () => [],
      rowsAllowed: (rows: number) => this.#ports.rowsAllowed(account, rows, place.signal),
      encode: this.#ports.encode,
      failed: this.#ports.failed,
      now: this.#ports.now,
    };
    try {
      const before = await this.#committed(begun, told);
      const run = new StreamRun(request, ports, told, place.end);
      const result = await run.run(this.#rest(begun, before.last));
      return {
        ...result,
        rows: result.rows + committedRow,
        submissions: result.submissions + before.submissions,
        repeated: before.submissions,
      };
    } finally {
      place.leave();
    }
  }

  /** Tells of what is committed already; and the id of the last of it. */
  async #committed(
    { id, committedRow }: Begun,
    told: Tell,
  ): Promise<{ readonly submissions: number; readonly last?: string }> {
    const known = new KnownParts(id, this.#ports.streams, this.#ports.recent);
    let submissions = 0;
    let last: string | undefined;
    for (let firstRow = 1; firstRow <= committedRow; submissions++) {
      const [part] = await known.startingAt(firstRow);
      if (!part) throw unknownPart(firstRow);
      const { submission, rows } = part;
      const place = { firstRow, rows, firstLine: 1, lastLine: rows };
      await told({ id: submission, part: place, repeated: true, findings: new Map(), committedRow });
      last = submission;
      firstRow += rows;
    }
    return { submissions, ...(last === undefined ? {} : { last }) };
  }

  /** The parts that are not committed yet. */
  async *#rest(begun: Begun, last: string | undefined): AsyncGenerator<Part | Refusal, void> {
    const { given, identity, committedRow } = begun;
    const { selection, product } = given;
    if (selection.kind === 'listed') {
      yield* this.#parts(begun, this.#listed(selection.serials.slice(committedRow), product, identity));
      return;
    }
    if (committedRow >= selection.count) return;
    const after = last === undefined ? undefined : await this.#placeBehind(last);
    const chosen = () => this.#parts(begun, this.#matched(begun, selection.query, after));
    const plan = await planOf(chosen());
    const all = committedRow + plan.rows;
    if (all !== selection.count) return yield otherCount(all, selection.count, committedRow);
    yield* asPlanned(chosen(), plan);
  }

  #parts(begun: Begun, blocks: AsyncIterable<readonly ChosenSerial[]>): AsyncGenerator<Part, void> {
    const { document, change, committedRow, given, identity } = begun;
    return chosenParts(blocks, {
      ...change,
      document,
      partitions: this.#ports.partitions,
      fromRow: committedRow + 1,
      ...(this.#ports.partRows === undefined ? {} : { rowsMax: this.#ports.partRows }),
      mayMark: () => {
        const sender = this.#ports.permit(identity, given.product);
        return isRefusal(sender) ? nobody : sender.mayUploadFor;
      },
    });
  }

  async *#matched(
    { identity, place }: Begun,
    query: SearchQuery,
    after: Place | undefined,
  ): AsyncGenerator<readonly ChosenSerial[], void> {
    for await (const block of this.#ports.matching(query, identity, after)) {
      place.signal.throwIfAborted();
      yield block.map((entry) => chosenOf(entry, identity));
    }
  }

  /** Of what is named only what the account has no authority for is looked for: it may have sent it (E7). */
  async *#listed(
    serials: readonly ListedSerial[],
    product: Product,
    identity: Identity,
  ): AsyncGenerator<readonly ChosenSerial[], void> {
    const sender = this.#ports.permit(identity, product);
    const may = isRefusal(sender) ? nobody : sender.mayUploadFor;
    for (let from = 0; from < serials.length; from += lookedUpAtOnce) {
      const block = serials.slice(from, from + lookedUpAtOnce).map((serial) => ({
        ...serial,
        place: [normalise(serial.supplier), normalise(serial.serial), normalise(serial.holder)] as const,
      }));
      const unsure = block.filter(
        ({ place: [supplier, , holder], model }) => !may(supplier, holder, normalise(model)),
      );
      const found =
        unsure.length === 0
          ? []
          : await this.#ports.latest(
              product,
              unsure.map(({ place }) => place),
            );
      const sent = new Set(
        found
          .filter(({ account }) => account === identity.account.id)
          .map((entry) => JSON.stringify(placeOf(entry))),
      );
      yield block.map((serial) => ({ ...serial, sent: sent.has(JSON.stringify(serial.place)) }));
    }
  }

  async #placeBehind(submission: string): Promise<Place> {
    const body = await this.#ports.kept(submission);
    if (!body)
      throw new RefusedError(refuse('temporarily_unavailable', 'the ledger does not have the last part yet'));
    return lastPlaceOf(body);
  }
}

const lookedUpAtOnce = 1_000;
const nobody: AuthorityTest = () => false;

function chosenOf(entry: FoundEntry, { account }: Identity): ChosenSerial {
  const { supplier, holder, series, model, serial } = entry;
  const sent = entry.account === account.id;
  return { supplier, holder, series, model, serial, place: placeOf(entry), sent };
}

function placeOf({ supplier_key, serial_key, holder_key }: FoundEntry): Place {
  return [supplier_key, serial_key, holder_key];
}

function rowsOf(selection: Selection): number {
  return selection.kind === 'listed' ? selection.serials.length : selection.count;
}

function otherCount(count: number, seen: number, committedRow: number): Refusal {
  const detail = `${count} match now, ${seen} were seen`;
  return refuse('selection_changed', detail, { count, seen, committed_row: committedRow });
}

function unknownPart(firstRow: number): RefusedError {
  return new RefusedError(refuse('temporarily_unavailable', `the ledger does not have row ${firstRow} yet`));
}

/** The same request with the same key is the same marking. */
export function markingIdOf(account: string, given: MarkingGiven): string {
  const { key, ...asked } = given;
  return derivedId('marking', account, key, requestMark(account, key, asked).sha256);
}
