import type { Kafka } from 'kafkajs';
import { Recent } from '#gateway/recent.ts';
import { type FollowedLog, followLog } from '#shared/adapters/kafka/follow.ts';
import { joinKey } from '#shared/base/keys.ts';
import type { Codec } from '#shared/codec/codec.ts';
import type { SubmissionManifest } from './log.ts';
import type { Remembered } from './status.ts';
import type { Earlier } from './submission.ts';

/** How far a stream is committed: all rows up to `committedRow` are, since its parts are written in order. */
export interface StreamState {
  readonly account: string;
  readonly product: string;
  readonly action: string;
  readonly committedRow: number;
  /** Receipt of its first and its last part, as far as they are known. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** A part of a stream that is committed. */
export interface KnownPart {
  readonly submission: string;
  readonly firstRow: number;
  readonly rows: number;
  readonly bodySha256: string;
}

/** What is followed of a manifest; the bytes of the file are skipped, not built. */
export type FollowedManifest = Pick<
  SubmissionManifest,
  | 'submission'
  | 'account'
  | 'product'
  | 'action'
  | 'file_name'
  | 'rows'
  | 'received_at'
  | 'idempotency_key'
  | 'body_sha256'
  | 'stream'
  | 'first_row'
>;

const view = {
  submission: true,
  account: true,
  product: true,
  action: true,
  file_name: true,
  rows: true,
  received_at: true,
  idempotency_key: true,
  body_sha256: true,
  stream: true,
  first_row: true,
} as const;

const rememberedMax = 100_000;
const streamsMax = 10_000;

/**
 * The submissions that the ledger may not have yet, of every instance: what is accepted is never denied, and a second
 * body under one Idempotency-Key is found although the first is still on its way (A2).
 */
export class RecentSubmissions {
  readonly #byId = new Recent<string, Remembered>(rememberedMax);
  readonly #byKey = new Recent<string, readonly Earlier[]>(rememberedMax);
  /** The last submission of each account, and of all. */
  readonly #last = new Recent<string, string>(rememberedMax);
  readonly #streams = new Recent<string, StreamState>(streamsMax);
  readonly #parts = new Recent<string, KnownPart>(rememberedMax);

  get(id: string): Remembered | undefined {
    return this.#byId.get(id);
  }

  /** The last submission that is known of an account, or of all. */
  last(account?: string): string | undefined {
    return this.#last.get(account ?? '');
  }

  /** Submissions of this account under this Idempotency-Key, oldest first. */
  withKey(account: string, idempotencyKey: string): readonly Earlier[] {
    return this.#byKey.get(joinKey(account, idempotencyKey)) ?? [];
  }

  /** How far a stream is committed, as far as its last parts say. */
  stream(id: string): StreamState | undefined {
    return this.#streams.get(id);
  }

  /** The part of a stream that begins with a row. */
  part(stream: string, firstRow: number): KnownPart | undefined {
    return this.#parts.get(joinKey(stream, String(firstRow)));
  }

  /** `acceptedMs`: milliseconds from receipt to commit, where this instance has written it. The first copy counts (K4). */
  add(manifest: FollowedManifest, acceptedMs: number | null): void {
    const { submission: id, account, product, action, file_name, rows, received_at } = manifest;
    if (this.#byId.get(id)) return;
    this.#byId.set(id, { account, product, action, file_name, rows, received_at, acceptedMs });
    for (const whose of [account, '']) this.#last.set(whose, id);
    const { stream, body_sha256: bodySha256 } = manifest;
    if (stream !== '') this.#addPart(manifest);
    if (manifest.idempotency_key === '') return;
    const place = joinKey(account, manifest.idempotency_key);
    const others = this.#byKey.get(place) ?? [];
    // All parts of a stream have its key; one of them tells that it is taken.
    if (stream !== '' && others.some((other) => other.stream === stream)) return;
    this.#byKey.set(place, [...others, { id, product, action, bodySha256, rows, stream }]);
  }

  #addPart({ stream, submission, first_row: firstRow, rows, ...rest }: FollowedManifest): void {
    const { account, product, action, received_at: at, body_sha256: bodySha256 } = rest;
    this.#parts.set(joinKey(stream, String(firstRow)), { submission, firstRow, rows, bodySha256 });
    const before = this.#streams.get(stream);
    const committedRow = Math.max(before?.committedRow ?? 0, firstRow + rows - 1);
    const firstAt = Math.min(before?.firstAt ?? at, at);
    this.#streams.set(stream, { account, product, action, committedRow, firstAt, lastAt: at });
  }
}

/**
 * Follows the log of submissions from where the ledger's own rows end, and resolves once all is known that was in the
 * log by then. `watermark`: the last manifest that the ledger has, -1 for none.
 */
export async function followSubmissions(options: {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly codec: Codec;
  readonly recent: RecentSubmissions;
  readonly watermark: number;
}): Promise<FollowedLog> {
  const decoder = options.codec.decoder<FollowedManifest>('SubmissionManifest', view);
  const end = Promise.withResolvers<void>();
  const followed = await followLog({
    kafka: options.kafka,
    topic: options.topic,
    from: options.watermark + 1,
    read(message) {
      const manifest = decoder.decode(message.value);
      if (manifest) options.recent.add(manifest, null);
    },
    endReached: end.resolve,
  });
  await Promise.race([end.promise, followed.failed]);
  return followed;
}
