import { claimsScope } from '#certificate/decide/claims-state.ts';
import { beginGeneration } from '#shared/adapters/clickhouse/index-generations.ts';
import { indexPrefix } from '#shared/adapters/kafka/topics.ts';
import type { RedisClient } from '#shared/adapters/redis/client.ts';
import { IndexBuilder } from '#shared/adapters/redis/index-builder.ts';
import type { Scope } from '#shared/runtime/state-store.ts';
import { decideAgain } from '../rebuild-index/claims.ts';
import { indexScope, unlinkGeneration } from '../rebuild-index/generation.ts';
import type { RecoveryContext } from '../recovery/context.ts';

/**
 * The state of all claims as the ledger makes it, built beside the one in use and freed afterwards: for comparing. It is
 * never switched to. Kept in Redis and not here, because it is as large as all claims together.
 */
export class ScratchClaims {
  readonly #context: RecoveryContext;
  readonly #builder: IndexBuilder;
  #cut = -1;
  #events = 0;

  private constructor(context: RecoveryContext, builder: IndexBuilder) {
    this.#context = context;
    this.#builder = builder;
  }

  static async begin(context: RecoveryContext): Promise<ScratchClaims> {
    const layout = { hashKey: '', buckets: 0 };
    const { generation } = await beginGeneration(context.clickhouse, indexScope(claimsScope), layout);
    const builder = new IndexBuilder(context.redis, indexPrefix, { name: claimsScope, generation });
    await builder.begin();
    return new ScratchClaims(context, builder);
  }

  get scope(): Scope {
    return this.#builder.scope;
  }

  get events(): number {
    return this.#events;
  }

  /** The offset in `claims.evidenced` up to which events are in it. */
  get cut(): number {
    return this.#cut;
  }

  async advance(cut: number): Promise<void> {
    if (cut <= this.#cut) return;
    this.#events += await decideAgain(this.#context, this.#builder, { after: this.#cut, cut });
    this.#cut = cut;
  }

  read(...reads: Parameters<IndexBuilder['read']>): ReturnType<IndexBuilder['read']> {
    return this.#builder.read(...reads);
  }

  async free(redis: RedisClient): Promise<void> {
    await unlinkGeneration(redis, claimsScope, { generation: this.scope.generation, buckets: 0 });
  }
}
