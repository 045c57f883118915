import type { Slot } from './slots.ts';

/** An entry of a serial as the ledger has it. Names, where a slot has numbers. */
export interface LedgerEntry {
  readonly holder: string;
  readonly supplier: string;
  readonly entry: number;
  readonly outcome: string;
  /** Counts for a change of status only. */
  readonly status: string;
  readonly origin: number;
  readonly row: number;
}

/** A slot with names for numbers: what two generations, or index and ledger, are compared by. */
export interface NamedSlot extends Omit<Slot, 'holder' | 'supplier' | 'status'> {
  readonly holder: string;
  readonly supplier: string;
  /** Empty while none was set. */
  readonly status: string;
}

/**
 * The slots that dedup keeps of a serial after these entries (R1): the inverse of what `decideRecord` gave them, holders
 * in the order of their first entries. A change of status changes nothing else; the other entries end what it set.
 */
export function foldEntries(entries: readonly LedgerEntry[]): readonly NamedSlot[] {
  const slots = new Map<string, NamedSlot>();
  for (const { holder, supplier, entry, outcome, status } of inLogOrder(entries)) {
    const held = slots.get(holder);
    switch (outcome) {
      case 'registered':
        slots.set(holder, { holder, supplier, entry, state: 'registered', status: '' });
        break;
      case 'invalidated':
        slots.set(holder, {
          holder,
          supplier: held?.supplier ?? supplier,
          entry,
          state: 'invalid',
          status: '',
        });
        break;
      default:
        slots.set(holder, {
          holder,
          supplier: held?.supplier ?? supplier,
          entry,
          state: held?.state ?? 'registered',
          status,
        });
    }
  }
  return [...slots.values()];
}

/** By the names of the holders: slots of one serial in an order that does not depend on who came first. */
export function byName(a: NamedSlot, b: NamedSlot): number {
  if (a.holder === b.holder) return 0;
  return a.holder < b.holder ? -1 : 1;
}

/** In the order of the log: that of the messages, and of the rows of one message. */
export function inLogOrder<T extends { readonly origin: number; readonly row: number }>(
  items: readonly T[],
): readonly T[] {
  return [...items].sort((a, b) => a.origin - b.origin || a.row - b.row);
}

/**
 * What is wrong with the entries of one serial: each holder's numbers run from 1 without gap or repeat, and a serial is
 * registered only when it is not (SER-3).
 */
export function entryFaults(entries: readonly LedgerEntry[]): readonly string[] {
  const faults: string[] = [];
  const last = new Map<string, { readonly entry: number; readonly registered: boolean }>();
  const byNumber = [...entries].sort((a, b) => a.entry - b.entry);
  for (const { holder, entry, outcome } of byNumber) {
    const before = last.get(holder) ?? { entry: 0, registered: false };
    if (entry === before.entry) faults.push(`entry ${entry} of ${holder} is there twice`);
    else if (entry !== before.entry + 1)
      faults.push(`entry ${before.entry + 1} of ${holder} is missing before entry ${entry}`);
    if (outcome === 'registered' && before.registered)
      faults.push(`entry ${entry} of ${holder} registers what is registered`);
    if (outcome === 'invalidated' && !before.registered)
      faults.push(`entry ${entry} of ${holder} invalidates what is not registered`);
    if (outcome === 'status_updated' && !before.registered)
      faults.push(`entry ${entry} of ${holder} changes the status of what is not registered`);
    const registered = outcome === 'registered' || (before.registered && outcome !== 'invalidated');
    last.set(holder, { entry, registered });
  }
  return faults;
}
