import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRecord } from './decide.ts';
import { entryFaults, foldEntries, type LedgerEntry, type NamedSlot } from './fold.ts';
import type { Slot } from './slots.ts';

const action = fc.record({
  action: fc.constantFrom('register', 'invalidate', 'update_status'),
  holder: fc.integer({ min: 1, max: 3 }),
  supplier: fc.integer({ min: 1, max: 2 }),
  status: fc.integer({ min: 1, max: 3 }),
});
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** What dedup decides about one serial, and what the ledger has of it afterwards. */
function lifeOf(actions: readonly Action[]) {
  let slots: readonly Slot[] = [];
  const entries: LedgerEntry[] = [];
  actions.forEach((candidate, i) => {
    const status = candidate.action === 'update_status' ? candidate.status : 0;
    const { decision, slots: changed } = decideRecord(slots, { ...candidate, status });
    if (!changed) return;
    slots = changed;
    const { holder, supplier } = candidate;
    const names = { holder: `H${holder}`, supplier: `S${supplier}`, status: statusName(status) };
    // Several rows of one message: the order within it counts.
    entries.push({ ...names, ...decision, origin: Math.floor(i / 3), row: i % 3 });
  });
  return { slots, entries };
}

function named({ holder, supplier, status, ...slot }: Slot): NamedSlot {
  return { ...slot, holder: `H${holder}`, supplier: `S${supplier}`, status: statusName(status) };
}

function statusName(status: number): string {
  return status === 0 ? '' : `T${status}`;
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
    const of = { holder: 'H', row: 1 };
    const registered = { ...of, supplier: 'S', entry: 1, outcome: 'registered', status: '', origin: 0 };
    const status = { ...of, supplier: 'VSP', entry: 2, outcome: 'status_updated', status: 'SOLD', origin: 4 };
    expect(foldEntries([registered, status])).toEqual([
      { holder: 'H', supplier: 'S', entry: 2, state: 'registered', status: 'SOLD' },
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
    status: '',
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
    [
      'a status of what is not registered',
      [entry(1, 'registered'), entry(2, 'invalidated'), entry(3, 'status_updated')],
      ['entry 3 of H changes the status of what is not registered'],
    ],
    ['a good life', [entry(1, 'registered'), entry(2, 'invalidated'), entry(3, 'registered')], []],
    [
      'a good life with statuses',
      [
        entry(1, 'registered'),
        entry(2, 'status_updated'),
        entry(3, 'status_updated'),
        entry(4, 'invalidated'),
      ],
      [],
    ],
  ])('%s', (_what, entries, faults) => {
    expect(entryFaults(entries)).toEqual(faults);
  });
});
