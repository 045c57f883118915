import type { Refusal } from '#gateway/refusal.ts';
import type { Channel } from '#shared/domain/serials.ts';
import type { Batch } from './batches.ts';
import type { Contents } from './collect.ts';
import type { DocumentKind } from './documents.ts';

/** A file, or what stands for one, as it came in, and from whom. */
export interface Upload {
  readonly account: { readonly id: string; readonly name: string };
  readonly document: Pick<DocumentKind, 'product' | 'action'>;
  readonly channel: Channel;
  readonly fileName: string;
  /** Version of the declared text, and who declared it (DECL-3). */
  readonly declaration: string;
  readonly declaredBy: string;
  readonly body: Buffer;
  readonly idempotencyKey?: string;
  /** Reads the body to its end, or says why nothing of it is taken. */
  read(): Promise<Contents | Refusal>;
}

/** Where the rows of a submission stand in the stream that they came in. */
export interface StreamPlace {
  readonly id: string;
  /** Row of the stream that is row 1 of the submission. */
  readonly firstRow: number;
  readonly mediaType: string;
}

/** What is written to the log in one transaction. */
export interface Submission {
  readonly id: string;
  readonly account: string;
  /** Name under which the account acts. */
  readonly supplier: string;
  readonly channel: Channel;
  readonly product: string;
  readonly action: string;
  readonly receivedAt: number;
  readonly fileName: string;
  readonly declaration: string;
  readonly declaredBy: string;
  readonly idempotencyKey: string;
  readonly bodySha256: string;
  readonly bodyGzip: Buffer;
  readonly bodyBytes: number;
  readonly rows: number;
  readonly batches: readonly Batch[];
  readonly stream?: StreamPlace;
}

/** The answer to an upload: a function of id and bytes, so that a repetition gets it word for word. */
export interface Accepted {
  readonly id: string;
  readonly received: number;
}

/** What a manifest says of an earlier submission with the same Idempotency-Key. */
export interface Earlier {
  readonly id: string;
  readonly product: string;
  readonly action: string;
  readonly bodySha256: string;
  readonly rows: number;
  /** Of which stream it is a part; empty for a submission of its own. */
  readonly stream?: string;
}

/** A submission as it will be written: nothing else of it is kept. */
export interface EncodedSubmission {
  /** As `SubmissionLog.write`; may be called again after an attempt that failed. */
  write(): Promise<void>;
}

export interface SubmissionLog {
  /** Resolves when all of it is committed; whatever was written of it by an attempt that fails is never read. */
  write(submission: Submission): Promise<void>;
}

/** The log of whoever has something else to do while it is written. */
export interface EncodingLog extends SubmissionLog {
  encode(submission: Submission): Promise<EncodedSubmission>;
}

export interface EarlierSubmissions {
  /** Manifests in the ledger, or in the log on their way there (A2). */
  withKey(account: string, idempotencyKey: string): Promise<readonly Earlier[]>;
}
