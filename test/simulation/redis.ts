import type { ListedRow } from '#shared/adapters/redis/lists.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { listingKey } from '#shared/domain/listing/listing.ts';
import { MemoryStateStore } from '#shared/runtime/memory-state-store.ts';
import type { Applied, Read, Scope, StateStore } from '#shared/runtime/state-store.ts';
import type { Wire } from './wire.ts';

const copiesMax = 3;

/** Models by how the approved list treats them; `sometimes` comes and goes from one publication to the next. */
export const models = ['always', 'sometimes', 'never'] as const;

export function isListed(model: string, publication: number): boolean {
  return model === 'always' || (model === 'sometimes' && publication % 2 === 0);
}

/** Redis in memory: the state of dedup, the approved lists, and older copies of the state to fall back to. */
export class Redis {
  readonly memory = new MemoryStateStore();
  publication = 0;
  listsLost = false;
  readonly #wire: Wire;
  readonly #empty = this.memory.snapshot();
  #copies: (() => void)[] = [];

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Remembers the state as it is now. */
  copy(): void {
    this.#copies.push(this.memory.snapshot());
    if (this.#copies.length > copiesMax) this.#copies.shift();
  }

  forgetCopies(): void {
    this.#copies = [];
  }

  get copies(): readonly (() => void)[] {
    return this.#copies;
  }

  empty(): void {
    this.#empty();
  }

  store(): StateStore {
    const call = <T>(label: string, execute: () => Promise<T>): Promise<T> => this.#call(label, execute);
    const { memory } = this;
    return {
      start: (scope: Scope) => call(`start {${scope.name}}`, () => memory.start(scope)),
      read: (scope: Scope, expected: number, reads: readonly Read[]) =>
        call(`read {${scope.name}} at ${expected}`, () => memory.read(scope, expected, reads)),
      apply: (scope: Scope, expected: number, applied: Applied) =>
        call(`apply {${scope.name}} ${expected} to ${applied.position}`, () =>
          memory.apply(scope, expected, applied),
        ),
      trim: (scope: Scope, origins: readonly number[]) =>
        call(`trim {${scope.name}} ${origins.join(',')}`, () => memory.trim(scope, origins)),
      activate: (scope: Scope) =>
        call(`activate {${scope.name}} ${scope.generation}`, () => memory.activate(scope)),
    };
  }

  /** In the shape of ApprovedLists. A publication that was asked for lives on after the next one. */
  lists() {
    return {
      currentSnapshot: () =>
        this.#call('current list', () => (this.listsLost ? 'unavailable' : String(this.publication))),
      lookupListings: (_product: string, snapshot: string, keys: readonly string[]) =>
        this.#call('look up list', () =>
          this.listsLost
            ? ('unavailable' as const)
            : new Map(keys.flatMap((key) => this.#rowsOf(key, Number(snapshot)))),
        ),
    };
  }

  #rowsOf(key: string, publication: number): [string, readonly ListedRow[]][] {
    for (const model of models)
      if (isListed(model, publication))
        for (const holder of holders)
          if (listingKey(holder, model) === key) return [[key, [listedRow(holder, model)]]];
    return [];
  }

  #call<T>(label: string, execute: () => T | Promise<T>): Promise<T> {
    return this.#wire.call({ to: 'Redis', label, execute, unanswered, resent: true });
  }
}

export const holders = ['HOLDER A', 'HOLDER B'] as const;

function listedRow(holder: string, model: string): ListedRow {
  return {
    holder,
    brand: '',
    series: '',
    model,
    approved: '2020-01-01',
    expires: '2040-01-01',
    current: true,
    nominalKwh: '',
    usableKwh: '',
    acPowerKw: '',
  };
}

function unanswered(): OperationalError {
  return new OperationalError('redis_unavailable', 'the simulated Redis does not answer', {
    retryable: true,
  });
}
