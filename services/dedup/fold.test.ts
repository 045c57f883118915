import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRecord } from './decide.ts';
import { entryFaults, foldEntries, type LedgerEntry, type NamedSlot } from './fold.ts';
import type { Slot } from './slots.ts';

const action = fc.record({
  action: fc.constantFrom('register', 'invalidate'),
  holder: fc.integer({ min: 1, max: 3 }),
  supplier: fc.integer({ min: 1, max: 3 }),
});

/** What dedup decides about one serial, and what the ledger has of it afterwards. */
function lifeOf(actions: readonly { action: string; holder: number; supplier: number }[]) {
  let slots: readonly Slot[] = [];
  const entries: LedgerEntry[] = [];
  actions.forEach((candidate, i) => {
    const { decision, slots: changed } = decideRecord(slots, candidate);
    if (!changed) return;
    slots = changed;
    const { holder, supplier } = candidate;
    const names = { holder: `H${holder}`, supplier: `S${supplier}` };
    // Several rows of one message: the order within it counts.
    entries.push({ ...names, ...decision, origin: Math.floor(i / 3), row: i % 3 });
  });
  return { slots, entries };
}

function named({ holder, supplier, ...slot }: Slot): NamedSlot {
  return { ...slot, holder: `H${holder}`, supplier: `S${supplier}` };
}

describe('R1: the fold of the entries is the state that dedup had', () => {
  test('for any life of a serial, whatever order the entries are read in', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), fc.nat(), (actions, turn) => {
        const { slots, entries } = lifeOf(actions);
        const read = [
          ...entries.slice(turn % (entries.length + 1)),
          ...entries.slice(0, turn % (entries.length + 1)),
        ];
        expect(foldEntries(read)).toEqual(slots.map(named));
        expect(entryFaults(read)).toEqual([]);
      }),
    );
  });

  test('a change of status leaves holder, supplier and state', () => {
    const registered = { holder: 'H', supplier: 'S', entry: 1, outcome: 'registered', origin: 0, row: 1 };
    const status = { holder: 'H', supplier: 'VSP', entry: 2, outcome: 'status_updated', origin: 4, row: 1 };
    expect(foldEntries([registered, status])).toEqual([
      { holder: 'H', supplier: 'S', entry: 2, state: 'registered' },
    ]);
    expect(entryFaults([registered, status])).toEqual([]);
  });
});

describe('entries that cannot be', () => {
  const entry = (number: number, outcome: string): LedgerEntry => ({
    holder: 'H',
    supplier: 'S',
    entry: number,
    outcome,
    origin: number,
    row: 1,
  });

  test.each<[string, LedgerEntry[], string[]]>([
    [
      'the first is missing',
      [entry(2, 'invalidated')],
      ['entry 1 of H is missing before entry 2', 'entry 2 of H invalidates what is not registered'],
    ],
    [
      'one in between is missing',
      [entry(1, 'registered'), entry(3, 'registered')],
      ['entry 2 of H is missing before entry 3', 'entry 3 of H registers what is registered'],
    ],
    [
      'registered twice',
      [entry(1, 'registered'), entry(2, 'registered')],
      ['entry 2 of H registers what is registered'],
    ],
    [
      'one number twice',
      [entry(1, 'registered'), entry(1, 'registered')],
      ['entry 1 of H is there twice', 'entry 1 of H registers what is registered'],
    ],
    ['a good life', [entry(1, 'registered'), entry(2, 'invalidated'), entry(3, 'registered')], []],
  ])('%s', (_what, entries, faults) => {
    expect(entryFaults(entries)).toEqual(faults);
  });
});
