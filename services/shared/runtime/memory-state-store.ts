import {
  type Applied,
  type Bytes,
  type JournalEntry,
  journalEntriesMax,
  type Read,
  type Refusal,
  type Scope,
  type Started,
  type StateStore,
} from './state-store.ts';

interface State {
  position: number;
  seekOffset: number;
  readonly journal: Map<number, JournalEntry>;
  readonly hashes: Map<string, Map<Bytes, Bytes>>;
  readonly scores: Map<string, Map<Bytes, number>>;
}

/** The state store in memory, for unit tests and the simulation. It passes the contract suite of the real one. */
export class MemoryStateStore implements StateStore {
  readonly #generations = new Map<string, string>();
  readonly #states = new Map<string, State>();

  async start(scope: Scope): Promise<Started | 'no_index'> {
    if (!this.#current(scope)) return 'no_index';
    const { position, seekOffset, journal } = this.#state(scope);
    return { position, seekOffset, journal: [...journal.values()].sort((a, b) => a.offset - b.offset) };
  }

  async read(
    scope: Scope,
    expected: number,
    reads: readonly Read[],
  ): Promise<readonly (readonly (Bytes | null)[])[] | Refusal> {
    if (!this.#current(scope)) return 'no_index';
    const state = this.#state(scope);
    if (state.position !== expected) return 'moved';
    return reads.map((read) =>
      read.kind === 'hash'
        ? read.fields.map((field) => state.hashes.get(read.key)?.get(field) ?? null)
        : read.members.map((member) => {
            const score = state.scores.get(read.key)?.get(member);
            return score === undefined ? null : String(score);
          }),
    );
  }

  async apply(scope: Scope, expected: number, applied: Applied): Promise<'applied' | Refusal | 'full'> {
    if (!this.#current(scope)) return 'no_index';
    const state = this.#state(scope);
    if (state.position !== expected) return 'moved';
    if (state.journal.size + applied.journal.length > journalEntriesMax) return 'full';
    state.position = applied.position;
    state.seekOffset = applied.seekOffset;
    for (const entry of applied.journal) state.journal.set(entry.origin, entry);
    for (const write of applied.writes) this.#write(state, write);
    return 'applied';
  }

  async trim(scope: Scope, origins: readonly number[]): Promise<'trimmed' | 'no_index'> {
    if (!this.#current(scope)) return 'no_index';
    for (const origin of origins) this.#state(scope).journal.delete(origin);
    return 'trimmed';
  }

  async activate(scope: Scope): Promise<'activated' | 'superseded'> {
    if (Number(this.#generations.get(scope.name) ?? 0) > Number(scope.generation)) return 'superseded';
    this.#generations.set(scope.name, scope.generation);
    return 'activated';
  }

  /** A copy of everything, to be put back by `restore`: how the simulation loses the last writes. */
  snapshot(): () => void {
    const generations = new Map(this.#generations);
    const states = structuredClone([...this.#states]) as [string, State][];
    return () => {
      this.#generations.clear();
      for (const [name, generation] of generations) this.#generations.set(name, generation);
      this.#states.clear();
      for (const [key, state] of structuredClone(states) as [string, State][])
        this.#states.set(key, restoreBuffers(state));
    };
  }

  #current(scope: Scope): boolean {
    return this.#generations.get(scope.name) === scope.generation;
  }

  #state(scope: Scope): State {
    const key = JSON.stringify([scope.name, scope.generation]);
    const known = this.#states.get(key);
    if (known) return known;
    const state: State = {
      position: -1,
      seekOffset: 0,
      journal: new Map(),
      hashes: new Map(),
      scores: new Map(),
    };
    this.#states.set(key, state);
    return state;
  }

  #write(state: State, write: Applied['writes'][number]): void {
    switch (write.kind) {
      case 'set': {
        const hash = inner(state.hashes, write.key);
        for (const [field, value] of write.fields) hash.set(field, value);
        return;
      }
      case 'delete':
        for (const field of write.fields) state.hashes.get(write.key)?.delete(field);
        return;
      case 'score': {
        const scores = inner(state.scores, write.key);
        for (const [score, member] of write.members) scores.set(member, score);
        return;
      }
      case 'expire': {
        const scores = inner(state.scores, write.key);
        for (const [member, score] of scores) if (score < write.below) scores.delete(member);
        return;
      }
    }
  }
}

function inner<V>(outer: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const known = outer.get(key);
  if (known) return known;
  const created = new Map<string, V>();
  outer.set(key, created);
  return created;
}

/** A structured clone turns the buffers of the journal into plain byte arrays. */
function restoreBuffers(state: State): State {
  for (const [origin, entry] of state.journal)
    state.journal.set(origin, { ...entry, payload: Buffer.from(entry.payload) });
  return state;
}
