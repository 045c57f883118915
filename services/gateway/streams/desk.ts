import type { Readable } from 'node:stream';
import type { Identity } from '#gateway/accounts/book.ts';
import type { UploadPermit } from '#gateway/accounts/upload.ts';
import type { Catalogue } from '#gateway/changes/catalogue.ts';
import { bytesOf, type ContentEncoding } from '#gateway/http/body-bytes.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import type { Contents } from '#gateway/submissions/collect.ts';
import type { DocumentKind } from '#gateway/submissions/documents.ts';
import type { StreamState } from '#gateway/submissions/recent.ts';
import type { Sender } from '#gateway/submissions/rows.ts';
import type { EarlierSubmissions, Submission } from '#gateway/submissions/submission.ts';
import { isRetryable } from '#shared/base/errors.ts';
import { csvParts } from './csv-parts.ts';
import { KnownParts, merged, type RecentStreams, type StreamReads, streamState } from './known.ts';
import { ndjsonParts } from './ndjson-parts.ts';
import type { OpenStream, OpenStreams } from './open.ts';
import { type PartTold, type StreamRequest, type StreamResult, StreamRun, streamIdOf } from './run.ts';
import { type PaceOptions, paced } from './source.ts';

/** What a stream is made of. */
export const streamMediaTypes = ['text/csv', 'application/x-ndjson'] as const;
export type StreamMediaType = (typeof streamMediaTypes)[number];

export interface StreamGiven {
  readonly key: string;
  readonly document: DocumentKind;
  readonly mediaType: StreamMediaType;
  readonly encoding: ContentEncoding;
  readonly fileName: string;
  readonly fromRow: number;
}

export interface StreamDeskOptions {
  readonly open: OpenStreams;
  readonly reads: StreamReads;
  readonly recent: RecentStreams;
  readonly earlier: EarlierSubmissions;
  /** Whether whoever asks may upload now, also if that has changed since they asked. */
  permit(identity: Identity, document: DocumentKind): UploadPermit | Refusal;
  /** Whose rows the account sends, as it is now. */
  sender(identity: Identity): Sender;
  encode(submission: Submission, contents: Contents): Promise<() => Promise<void>>;
  rowsAllowed(account: string, rows: number, signal: AbortSignal): Promise<void>;
  failed(error: unknown): void;
  readonly partitions: number;
  readonly damageShareMax: number;
  /** What changes are called. */
  readonly catalogue: Catalogue;
  readonly pace: Omit<PaceOptions, 'signal'>;
  readonly now: () => number;
}

/** A stream that may come in. */
export interface AdmittedStream {
  readonly id: string;
  readonly committedRow: number;
  /** Takes what comes, to its end; tells of each part when it is committed. */
  take(body: Readable, told: (part: PartTold) => void | Promise<void>): Promise<StreamResult>;
  /** Whoever is told does not listen any more. */
  end(refusal: Refusal): void;
}

/** Takes streams: says whether one may begin, or go on where it begins. */
export class StreamDesk {
  readonly #options: StreamDeskOptions;

  constructor(options: StreamDeskOptions) {
    this.#options = options;
  }

  /** How far a stream is committed; undefined when nothing of it is. */
  state(id: string): Promise<StreamState | undefined> {
    return streamState(this.#options.reads, this.#options.recent, id);
  }

  isOpen(id: string): boolean {
    return this.#options.open.has(id);
  }

  async admit(given: StreamGiven, identity: Identity): Promise<AdmittedStream | Refusal> {
    const { open, reads, recent } = this.#options;
    const permit = this.#options.permit(identity, given.document);
    if (isRefusal(permit)) return permit;
    const id = streamIdOf(identity.account.id, given.key);
    const known = new KnownParts(id, reads, recent);
    const state = await this.#stateFor(id, given.fromRow);
    const refusal =
      (await this.#usedOtherwise(id, given, identity, state)) ?? (await positionRefusal(given, state, known));
    if (refusal) return refusal;
    const place = open.enter(id, identity.account.id);
    if (isRefusal(place)) return place;
    const request: StreamRequest = {
      ...given,
      id,
      channel: 'stream',
      account: { id: identity.account.id, name: identity.account.name },
      committedRow: state?.committedRow ?? 0,
    };
    return {
      id,
      committedRow: request.committedRow,
      end: place.end,
      take: (body, told) => this.#take(body, told, { given, identity, request, known, place }),
    };
  }

  async #take(
    body: Readable,
    told: (part: PartTold) => void | Promise<void>,
    of: {
      given: StreamGiven;
      identity: Identity;
      request: StreamRequest;
      known: KnownParts;
      place: OpenStream;
    },
  ): Promise<StreamResult> {
    const { given, identity, request, known, place } = of;
    const { partitions, damageShareMax, catalogue, pace } = this.#options;
    const { signal } = place;
    const ports = {
      permit: () => this.#options.permit(identity, given.document),
      known: (firstRow: number) => known.startingAt(firstRow).catch((error) => this.#unknown(error)),
      rowsAllowed: (rows: number) => this.#options.rowsAllowed(request.account.id, rows, signal),
      encode: this.#options.encode,
      failed: this.#options.failed,
      now: this.#options.now,
    };
    const bytes = paced(bytesOf(body, given.encoding), { ...pace, signal });
    const parts = (given.mediaType === 'text/csv' ? csvParts : ndjsonParts)(bytes, {
      document: given.document,
      fromRow: given.fromRow,
      collecting: () => ({ partitions, damageShareMax, catalogue, sender: this.#options.sender(identity) }),
    });
    try {
      return await new StreamRun(request, ports, told, place.end).run(parts);
    } finally {
      place.leave();
    }
  }

  /**
   * What is committed of a stream. Uploads do not depend on the ledger: a stream from its beginning goes on without its word,
   * since what is written again is the same submission (K4).
   */
  async #stateFor(id: string, fromRow: number): Promise<StreamState | undefined> {
    const recent = this.#options.recent.stream(id);
    try {
      return merged(await this.#options.reads.state(id), recent);
    } catch (error) {
      const isEnough = fromRow === 1 || (recent?.committedRow ?? 0) >= fromRow - 1;
      if (!isRetryable(error) || !isEnough) throw error;
      this.#options.failed(error);
      return recent;
    }
  }

  /** What the ledger does not tell is written again. */
  #unknown(error: unknown): [] {
    if (!isRetryable(error)) throw error;
    this.#options.failed(error);
    return [];
  }

  /** A2: whether the key was used for another stream, or for a submission of its own. */
  async #usedOtherwise(
    id: string,
    { key, document }: StreamGiven,
    { account }: Identity,
    state: StreamState | undefined,
  ): Promise<Refusal | undefined> {
    if (state)
      return state.product === document.product && state.action === document.action
        ? undefined
        : refuse(
            'idempotency_key_reused',
            `the stream is of the product ${state.product}, action ${state.action}`,
          );
    const earlier = await this.#options.earlier
      .withKey(account.id, key)
      .catch((error) => this.#unknown(error));
    return earlier.some(({ stream }) => stream !== id) ? refuse('idempotency_key_reused') : undefined;
  }
}

/** A stream goes on behind what is committed, or begins again where one of its submissions does: nothing is left out or cut anew. */
async function positionRefusal(
  { fromRow }: StreamGiven,
  state: StreamState | undefined,
  known: KnownParts,
): Promise<Refusal | undefined> {
  const committedRow = state?.committedRow ?? 0;
  if (fromRow === 1 || fromRow === committedRow + 1) return undefined;
  if (fromRow <= committedRow && (await known.startingAt(fromRow)).length > 0) return undefined;
  return refuse('stream_position', `row ${committedRow} is the last that is committed`, {
    committed_row: committedRow,
  });
}
