import { OperationalError } from '#shared/base/errors.ts';
import type { Settings } from './config.ts';
import { repeatedly } from './repeatedly.ts';
import type { ServiceContext } from './service.ts';
import { type PartitionControl, Restart } from './stage.ts';
import type { Scope, StateStore } from './state-store.ts';

/** How often a worker without messages looks whether its index is still there. */
const intervalMs = 5_000;

/** A worker and the generation that it works with. It starts again when that is lost or was put back. */
export interface IndexUser {
  readonly scope: Scope;
  readonly worker: { /** Up to where it has applied. */ readonly position: number };
  readonly control: Pick<PartitionControl, 'owned' | 'fail'>;
}

/**
 * Whether the store still has what the workers of this process left in it. A worker meets a lost or older index with its
 * next message; who is idle would not know, neither that it was lost nor that there is a new one.
 */
export class IndexProbe {
  readonly #store: StateStore;
  readonly #users = new Map<string, IndexUser>();

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** From now on, in the place of the worker that had this scope before. */
  watch(user: IndexUser): void {
    this.#users.set(user.scope.name, user);
  }

  /** Checks again and again, until the service closes. */
  runUntilClose({ log, onClose }: Pick<ServiceContext<Settings>, 'log' | 'onClose'>): void {
    onClose(
      'probe of the index',
      repeatedly(intervalMs, () => this.check(), log),
    );
  }

  /** For `/readyz` too. @throws OperationalError `no_index` */
  async check(): Promise<void> {
    let missing: OperationalError | undefined;
    for (const user of [...this.#users.values()]) {
      if (user.control.owned?.() === false) {
        this.#users.delete(user.scope.name);
        continue;
      }
      // Read first: the store may be ahead of it by then, never behind.
      const { position } = user.worker;
      const started = await this.#store.start(user.scope);
      if (started === 'no_index') {
        missing ??= noIndex(user.scope);
        user.control.fail(noIndex(user.scope));
      } else if (started.position < position)
        user.control.fail(
          new Restart(
            `the index of {${user.scope.name}} was put back from ${position} to ${started.position}`,
          ),
        );
    }
    if (missing) throw missing;
  }
}

/** What a worker throws that finds its generation missing: it waits until somebody rebuilds it (D7). */
export function noIndex({ name, generation }: Scope): OperationalError {
  return new OperationalError(
    'no_index',
    `the index of {${name}} has not generation ${generation}: it waits to be rebuilt (npm run rebuild-index)`,
    { retryable: true },
  );
}
