import type { Kafka } from 'kafkajs';
import { Recent } from '#gateway/recent.ts';
import { type FollowedLog, followLog } from '#shared/adapters/kafka/follow.ts';
import { joinKey } from '#shared/base/keys.ts';
import type { Codec } from '#shared/codec/codec.ts';
import type { SubmissionManifest } from './log.ts';
import type { Remembered } from './status.ts';
import type { Earlier } from './submission.ts';

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
} as const;

const rememberedMax = 100_000;

/**
 * The submissions that the ledger may not have yet, of every instance: what is accepted is never denied, and a second
 * body under one Idempotency-Key is found although the first is still on its way (A2).
 */
export class RecentSubmissions {
  readonly #byId = new Recent<string, Remembered>(rememberedMax);
  readonly #byKey = new Recent<string, readonly Earlier[]>(rememberedMax);

  get(id: string): Remembered | undefined {
    return this.#byId.get(id);
  }

  /** Submissions of this account under this Idempotency-Key, oldest first. */
  withKey(account: string, idempotencyKey: string): readonly Earlier[] {
    return this.#byKey.get(joinKey(account, idempotencyKey)) ?? [];
  }

  /** `acceptedMs`: milliseconds from receipt to commit, where this instance has written it. The first copy counts (K4). */
  add(manifest: FollowedManifest, acceptedMs: number | null): void {
    const { submission: id, account, product, action, file_name, rows, received_at } = manifest;
    if (this.#byId.get(id)) return;
    this.#byId.set(id, { account, product, action, file_name, rows, received_at, acceptedMs });
    if (manifest.idempotency_key === '') return;
    const earlier = { id, product, action, bodySha256: manifest.body_sha256, rows };
    const place = joinKey(account, manifest.idempotency_key);
    this.#byKey.set(place, [...(this.#byKey.get(place) ?? []), earlier]);
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
