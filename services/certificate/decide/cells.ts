import { assert } from '#shared/base/errors.ts';
import { joinKey } from '#shared/base/keys.ts';
import { type Bytes, type Read, utf8Bytes, type Write } from '#shared/runtime/state-store.ts';

/** A field of a hash of the scope. */
export interface Cell {
  readonly key: string;
  readonly field: string;
}

/**
 * The state that a chunk of events works on: cells are read once, events see what earlier ones of the chunk changed, and
 * what changed is written in one step with the position (D1). Reading a cell that was not loaded is our bug.
 */
export class Cells {
  readonly #values = new Map<string, { readonly cell: Cell; value: string | null }>();
  readonly #changed = new Set<string>();

  /** Of these cells, the ones not loaded yet, by key. */
  missing(cells: readonly Cell[]): readonly Read[] {
    const fields = new Map<string, Set<string>>();
    for (const cell of cells) {
      if (this.#values.has(nameOf(cell))) continue;
      const known = fields.get(cell.key) ?? new Set();
      fields.set(cell.key, known.add(cell.field));
    }
    return [...fields].map(([key, names]) => ({ kind: 'hash', key, fields: [...names] }));
  }

  /** Takes in what `missing` asked for. */
  load(reads: readonly Read[], values: readonly (readonly (Bytes | null)[])[]): void {
    reads.forEach((read, i) => {
      if (read.kind !== 'hash') return;
      read.fields.forEach((field, j) => {
        const cell = { key: read.key, field };
        this.#values.set(nameOf(cell), { cell, value: textOf(values[i]?.[j] ?? null) });
      });
    });
  }

  get(cell: Cell): string | null {
    const known = this.#values.get(nameOf(cell));
    assert(known, `cell ${cell.key} ${cell.field} was not loaded`);
    return known.value;
  }

  /** `null` removes the field. */
  set(cell: Cell, value: string | null): void {
    const name = nameOf(cell);
    const known = this.#values.get(name);
    assert(known, `cell ${cell.key} ${cell.field} was not loaded`);
    if (known.value === value) return;
    known.value = value;
    this.#changed.add(name);
  }

  writes(): readonly Write[] {
    const sets = new Map<string, [Bytes, Bytes][]>();
    const deletes = new Map<string, Bytes[]>();
    for (const name of this.#changed) {
      const { cell, value } = this.#values.get(name)!;
      if (value === null) push(deletes, cell.key, cell.field);
      else push(sets, cell.key, [cell.field, utf8Bytes(value)] as [Bytes, Bytes]);
    }
    return [
      ...[...sets].map(([key, fields]): Write => ({ kind: 'set', key, fields })),
      ...[...deletes].map(([key, fields]): Write => ({ kind: 'delete', key, fields })),
    ];
  }
}

function nameOf({ key, field }: Cell): string {
  return joinKey(key, field);
}

function textOf(value: Bytes | null): string | null {
  return value === null ? null : Buffer.from(value, 'latin1').toString('utf8');
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const known = lists.get(key);
  if (known) known.push(item);
  else lists.set(key, [item]);
}
