/**
 * The port behind dedup and the certificate service: the state of one scope (a partition of serials, or all claims),
 * its position in the log and its decision journal, which move together or not at all (D1).
 *
 * Deciding is split in two so that the rule itself is a pure function in TypeScript: `read` returns what a decision
 * needs, `apply` writes what was decided. Both carry `expected`, the position that the caller believes in (D4), and the
 * index generation (D7). State changes only together with the position, and is a function of generation and position;
 * so when `apply` finds the position that `read` found, it finds the state that `read` found.
 */
/** Binary text: one character per byte (latin1). Cheap as a map key and for the wire; `utf8Bytes` makes it of any text. */
export type Bytes = string;

export function utf8Bytes(text: string): Bytes {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export interface Scope {
  /** Hash tag of every key of this scope: the partition's number, or `claims`. */
  readonly name: string;
  /** Index generation: comes from ClickHouse and is never used twice (D7). */
  readonly generation: string;
}

export type Read =
  | { readonly kind: 'hash'; readonly key: string; readonly fields: readonly Bytes[] }
  | { readonly kind: 'score'; readonly key: string; readonly members: readonly Bytes[] };

export type Write =
  | {
      readonly kind: 'set';
      readonly key: string;
      readonly fields: readonly (readonly [field: Bytes, value: Bytes])[];
    }
  | { readonly kind: 'delete'; readonly key: string; readonly fields: readonly Bytes[] }
  | {
      readonly kind: 'score';
      readonly key: string;
      readonly members: readonly (readonly [score: number, member: Bytes])[];
    }
  /** Removes members whose score is lower than `below`. */
  | { readonly kind: 'expire'; readonly key: string; readonly below: number };

/** D6: published only with the message at `offset`, the offset in the stage's own input that it was decided from. */
export interface JournalEntry {
  readonly origin: number;
  readonly offset: number;
  readonly payload: Buffer;
}

export interface Started {
  /** Highest origin applied; -1 before the first (D2). */
  readonly position: number;
  /** Where to read on: the offset after the last applied message; 0 before the first (D6). */
  readonly seekOffset: number;
  /** In the order of their offsets. */
  readonly journal: readonly JournalEntry[];
}

export interface Applied {
  readonly position: number;
  readonly seekOffset: number;
  readonly writes: readonly Write[];
  readonly journal: readonly JournalEntry[];
}

/** `no_index`: the generation is missing or another one (D7). `moved`: the position is not the expected one (D4). */
export type Refusal = 'no_index' | 'moved';

export const journalEntriesMax = 64;

export interface StateStore {
  start(scope: Scope): Promise<Started | 'no_index'>;
  /** One array of values per read, one value per field or member; null where there is none. Scores come as text. */
  read(
    scope: Scope,
    expected: number,
    reads: readonly Read[],
  ): Promise<readonly (readonly (Bytes | null)[])[] | Refusal>;
  /** All of it or nothing. `full`: the journal would hold more than `journalEntriesMax` entries; nothing is written. */
  apply(scope: Scope, expected: number, applied: Applied): Promise<'applied' | Refusal | 'full'>;
  /** Forgets journal entries after one's own acknowledgement (D6). Obeys D7. */
  trim(scope: Scope, origins: readonly number[]): Promise<'trimmed' | 'no_index'>;
  /** Begins a generation before the first message. `superseded`: a higher one is current, and stays. */
  activate(scope: Scope): Promise<'activated' | 'superseded'>;
}
