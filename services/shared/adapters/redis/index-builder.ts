import { OperationalError } from '#shared/base/errors.ts';
import type { Applied, Bytes, Read, Scope, Write } from '#shared/runtime/state-store.ts';
import { type RedisClient, translated } from './client.ts';
import { buildingKey, defineScript, generationKey, RedisStateStore, stateKey } from './state-store.ts';

type Switching = RedisClient &
  Record<'ledgerSwitch', (...args: (string | number)[]) => Promise<'switched' | 'superseded' | 'lost'>>;

/**
 * Builds a generation of an index beside the current one, and switches to it last (R1). Every write is a step. Its number
 * is the position until the last one (negative, so that no position is taken for a step), and a step is refused unless
 * the one before it is there: Redis that was emptied or lost its last writes meanwhile is noticed, and a half-built
 * generation never becomes the current one.
 */
export class IndexBuilder {
  readonly scope: Scope;
  readonly #redis: Switching;
  readonly #prefix: string;
  readonly #store: RedisStateStore;
  #step = -2;

  constructor(redis: RedisClient, prefix: string, scope: Scope) {
    defineScript(redis, 'switch');
    this.scope = scope;
    this.#redis = redis as Switching;
    this.#prefix = prefix;
    this.#store = new RedisStateStore(redis, prefix, { building: true });
  }

  async begin(): Promise<void> {
    const begun = this.#redis
      .multi()
      .set(this.#key(buildingKey), this.scope.generation)
      .hset(this.#key('position'), { position: this.#step, seek: 0 })
      .exec();
    for (const [error] of (await translated(begun, 'beginning to build an index')) ?? [])
      if (error) await translated(Promise.reject(error), 'beginning to build an index');
  }

  async read(reads: readonly Read[]): Promise<readonly (readonly (Bytes | null)[])[]> {
    const values = await this.#store.read(this.scope, this.#step, reads);
    if (values === 'moved' || values === 'no_index') throw lost(this.scope);
    return values;
  }

  async write(writes: readonly Write[]): Promise<void> {
    if (writes.length > 0)
      await this.#apply({ position: this.#step - 1, seekOffset: 0, writes, journal: [] });
  }

  /** The last step: from here on the generation has its position, and may be switched to. */
  async finish(position: number, seekOffset: number, writes: readonly Write[] = []): Promise<void> {
    await this.#apply({ position, seekOffset, writes, journal: [] });
  }

  /** `superseded`: a higher generation became the current one meanwhile. */
  async switch(): Promise<'switched' | 'superseded'> {
    const keys = [generationKey(this.#prefix, this.scope), this.#key('position'), this.#key(buildingKey)];
    const answer = await translated(
      this.#redis.ledgerSwitch(keys.length, ...keys, this.scope.generation, this.#step),
      'switching to the index that was built',
    );
    if (answer === 'lost') throw lost(this.scope);
    return answer;
  }

  async #apply(applied: Applied): Promise<void> {
    const answer = await this.#store.apply(this.scope, this.#step, applied);
    // After a reconnect the client sends a step again that had been taken: then it is there, and all before it.
    if (answer !== 'applied' && !(answer === 'moved' && (await this.#isAt(applied.position))))
      throw lost(this.scope);
    this.#step = applied.position;
  }

  async #isAt(position: number): Promise<boolean> {
    const started = await this.#store.start(this.scope);
    return started !== 'no_index' && started.position === position;
  }

  #key(name: string): string {
    return stateKey(this.#prefix, this.scope, name);
  }
}

function lost({ name, generation }: Scope): OperationalError {
  return new OperationalError(
    'build_lost',
    `Redis lost what was built of generation ${generation} of {${name}}, or a part of it: rebuild it again`,
    { retryable: false },
  );
}
