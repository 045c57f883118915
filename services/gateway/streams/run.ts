import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { UploadPermit } from '#gateway/accounts/upload.ts';
import { ClientGone } from '#gateway/http/body-bytes.ts';
import { derivedId } from '#gateway/ids.ts';
import { isRefusal, type Refusal, RefusedError, refuse } from '#gateway/refusal.ts';
import type { Contents } from '#gateway/submissions/collect.ts';
import type { DocumentKind } from '#gateway/submissions/documents.ts';
import type { KnownPart } from '#gateway/submissions/recent.ts';
import type { Submission } from '#gateway/submissions/submission.ts';
import { isRetryable } from '#shared/base/errors.ts';
import { batchingVersion } from '#shared/domain/normalise.ts';
import type { Channel } from '#shared/domain/serials.ts';
import type { Part } from './parts.ts';

export interface StreamRequest {
  readonly id: string;
  readonly account: { readonly id: string; readonly name: string };
  readonly key: string;
  readonly document: DocumentKind;
  readonly channel: Channel;
  readonly mediaType: string;
  readonly fileName: string;
  readonly fromRow: number;
  /** Rows that were committed when this request came. */
  readonly committedRow: number;
}

export interface StreamPorts {
  /** Whether the account may upload now: asked for every part, a stream can take hours. */
  permit(): UploadPermit | Refusal;
  /** Parts that are committed already, by their first row. */
  known(firstRow: number): Promise<readonly KnownPart[]>;
  /** Resolves when the account may send so many more rows. */
  rowsAllowed(rows: number): Promise<void>;
  /** Makes it ready; what comes back writes it in one transaction, and again after an error that may pass. */
  encode(submission: Submission, contents: Contents): Promise<() => Promise<void>>;
  /** Told of a failure that ends the stream and is nobody's fault. */
  failed(error: unknown): void;
  now(): number;
}

/** Where a part stands in its stream. */
export type PartPlace = Pick<Part, 'firstRow' | 'rows' | 'firstLine' | 'lastLine'>;

/** What is told of a part: it is committed. */
export interface PartTold {
  readonly id: string;
  readonly part: PartPlace;
  /** Whether it was committed before this request. */
  readonly repeated: boolean;
  /** Rows by what the gateway found in them; of a part that is repeated nothing is said. */
  readonly findings: ReadonlyMap<string, number>;
  readonly committedRow: number;
}

export interface StreamResult {
  readonly refusal?: Refusal;
  /** Rows of this request that are committed, those that were so before included. */
  readonly rows: number;
  readonly submissions: number;
  readonly repeated: number;
  readonly findings: ReadonlyMap<string, number>;
  readonly committedRow: number;
}

/** A part that is encoded, or was committed before: then there is nothing to write. */
interface ReadyPart {
  readonly id: string;
  readonly place: PartPlace;
  readonly findings: ReadonlyMap<string, number>;
  readonly write: (() => Promise<void>) | undefined;
}

const compress = promisify(gzip);
const attemptsMax = 3;

/**
 * Commits the parts of a stream one after another, in their order, so that what is committed is always all up to some row.
 * While one is written the next is read and encoded, and no more than that: when the log does not take what is written,
 * nothing is read.
 * The id of a submission follows from stream, first row and bytes, so that whoever sends a part again sends the same (K4).
 */
export class StreamRun {
  readonly #request: StreamRequest;
  readonly #ports: StreamPorts;
  readonly #told: (part: PartTold) => void | Promise<void>;
  /** Ends the reading when a part was not committed: whoever has nothing more to send would else wait for ever. */
  readonly #end: (refusal: Refusal) => void;
  readonly #findings = new Map<string, number>();
  #committedRow: number;
  #rows = 0;
  #submissions = 0;
  #repeated = 0;

  constructor(
    request: StreamRequest,
    ports: StreamPorts,
    told: (part: PartTold) => void | Promise<void>,
    end: (refusal: Refusal) => void,
  ) {
    this.#request = request;
    this.#ports = ports;
    this.#told = told;
    this.#end = end;
    this.#committedRow = request.committedRow;
  }

  /** @throws ClientGone when there is nobody to tell any more; what was committed stays. */
  async run(parts: AsyncIterable<Part | Refusal>): Promise<StreamResult> {
    let settling: Promise<Refusal | undefined> = Promise.resolve(undefined);
    let refusal: Refusal | undefined;
    try {
      for await (const next of parts) {
        // Nothing is read before the rows are encoded: of what waits to be written only the bytes are in memory.
        const ready = isRefusal(next) ? next : await this.#prepare(next);
        if (isRefusal(ready)) refusal = ready;
        if ((await settling) || isRefusal(ready)) break;
        settling = this.#settle(ready);
        void settling.then((failed) => failed && this.#end(failed));
      }
    } catch (error) {
      if (error instanceof ClientGone) await settling;
      if (!(error instanceof RefusedError)) throw error;
      refusal = error.refusal;
    }
    const result = (await settling) ?? refusal ?? this.#nothing();
    return {
      ...(result ? { refusal: result } : {}),
      rows: this.#rows,
      submissions: this.#submissions,
      repeated: this.#repeated,
      findings: this.#findings,
      committedRow: this.#committedRow,
    };
  }

  #nothing(): Refusal | undefined {
    return this.#rows === 0 && this.#request.fromRow === 1 ? refuse('file_empty') : undefined;
  }

  /** What there is to do for a part, or why it is the end of the stream. Never rejects. */
  async #prepare(part: Part): Promise<ReadyPart | Refusal> {
    try {
      const known = await this.#knownPart(part);
      if (known === undefined) return await this.#encode(part);
      return isRefusal(known)
        ? known
        : { id: known.submission, place: placeOf(part), findings: new Map(), write: undefined };
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Commits a part and tells of it, or says why it is the end of the stream. Never rejects. */
  async #settle(ready: ReadyPart): Promise<Refusal | undefined> {
    try {
      if (ready.write) await this.#write(ready, ready.write);
      else this.#repeated += 1;
      this.#rows += ready.place.rows;
      this.#submissions += 1;
      this.#committedRow = Math.max(this.#committedRow, ready.place.firstRow + ready.place.rows - 1);
      const { id, place, findings, write } = ready;
      const committedRow = this.#committedRow;
      await this.#told({ id, part: place, repeated: write === undefined, findings, committedRow });
      return undefined;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): Refusal {
    this.#ports.failed(error);
    return refuse(isRetryable(error) ? 'temporarily_unavailable' : 'internal_error');
  }

  /** The part as it was committed before; undefined for a new one. With other rows, the key was used before. */
  async #knownPart(part: Part): Promise<KnownPart | Refusal | undefined> {
    if (part.firstRow > this.#request.committedRow) return undefined;
    const known = await this.#ports.known(part.firstRow);
    const same = known.find(({ rows, bodySha256 }) => rows === part.rows && bodySha256 === part.bodySha256);
    if (same || known.length === 0) return same;
    const detail = `the rows from ${part.firstRow} on were committed with other contents, or up to another row`;
    return refuse('idempotency_key_reused', detail, { row: part.firstRow, line: part.firstLine });
  }

  async #encode(part: Part): Promise<ReadyPart | Refusal> {
    const permit = this.#ports.permit();
    if (isRefusal(permit)) return permit;
    const contents = part.contents();
    if (isRefusal(contents)) return located(contents, part);
    const submission = await this.#submissionOf(part, permit, contents);
    const write = await this.#ports.encode(submission, contents);
    return { id: submission.id, place: placeOf(part), findings: contents.findings, write };
  }

  async #write({ place, findings }: ReadyPart, write: () => Promise<void>): Promise<void> {
    await this.#ports.rowsAllowed(place.rows);
    for (let attempt = 1; ; attempt++) {
      try {
        await write();
        break;
      } catch (error) {
        // A commit that was not answered may have happened: the same again is the same submission (K4).
        if (!isRetryable(error) || attempt === attemptsMax) throw error;
      }
    }
    for (const [finding, rows] of findings)
      if (finding !== '') this.#findings.set(finding, (this.#findings.get(finding) ?? 0) + rows);
  }

  async #submissionOf(part: Part, permit: UploadPermit, contents: Contents): Promise<Submission> {
    const { id, account, key, document, channel, mediaType, fileName } = this.#request;
    const { firstRow, body, bodySha256 } = part;
    return {
      id: derivedId('part', id, String(firstRow), bodySha256, String(batchingVersion)),
      account: account.id,
      supplier: account.name,
      channel,
      product: document.product,
      action: document.action,
      receivedAt: this.#ports.now(),
      fileName,
      declaration: permit.declaration,
      declaredBy: permit.declaredBy,
      idempotencyKey: key,
      bodySha256,
      bodyGzip: await compress(body, { level: 1 }),
      bodyBytes: body.length,
      rows: contents.rows,
      batches: contents.batches,
      stream: { id, firstRow, mediaType },
    };
  }
}

/** Without what the part holds: it is told long after its rows were encoded. */
function placeOf({ firstRow, rows, firstLine, lastLine }: Part): PartPlace {
  return { firstRow, rows, firstLine, lastLine };
}

/** A refusal of a part as a whole, with where the part stands. */
function located(refusal: Refusal, { firstRow, rows, firstLine, lastLine }: Part): Refusal {
  const where = `rows ${firstRow} to ${firstRow + rows - 1}, lines ${firstLine} to ${lastLine}`;
  return {
    ...refusal,
    detail: refusal.detail === undefined ? where : `${where}: ${refusal.detail}`,
    facts: { ...refusal.facts, row: firstRow, line: firstLine },
  };
}

/** The id of the stream that an account sends with a key. */
export function streamIdOf(account: string, key: string): string {
  return derivedId('stream', account, key);
}
