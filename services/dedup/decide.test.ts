import { describe, expect, test } from 'vitest';
import { AssertionError } from '#shared/base/errors.ts';
import { decideRecord, outcomeBeforeIndex } from './decide.ts';
import { entriesMax, otherStatus, type Slot, statusesMax } from './slots.ts';

// One row per rule, in their order of precedence (SER-5); each with what nearly passes.
test.each<[finding: string, listing: string, outcome: string | undefined]>([
  ['supplier_not_authorised', 'not_checked', 'supplier_not_authorised'],
  ['supplier_not_authorised', 'not_listed', 'supplier_not_authorised'],
  ['field_missing', 'not_checked', 'malformed'],
  ['field_missing', 'not_listed', 'malformed'],
  ['any code that the gateway may have one day', '', 'malformed'],
  ['', 'not_listed', 'not_listed'],
  ['', 'listed', undefined],
  ['', 'not_checked', undefined],
])('gateway says %j, lists say %j: %s', (finding, listing, outcome) => {
  expect(outcomeBeforeIndex(finding, listing)).toBe(outcome);
});

const slot = (
  holder: number,
  supplier: number,
  entry: number,
  state: Slot['state'] = 'registered',
  status = 0,
): Slot => ({
  holder,
  supplier,
  entry,
  state,
  status,
});

const candidate = (action: string, holder = 1, supplier = 1, status = 0) => ({
  action,
  holder,
  supplier,
  status,
});

interface Row {
  readonly what: string;
  readonly before: readonly Slot[];
  readonly candidate: ReturnType<typeof candidate>;
  readonly outcome: string;
  readonly entry?: number;
  readonly note?: string;
  readonly after?: readonly Slot[];
}

const register = candidate('register');
const invalidate = candidate('invalidate');
const update = candidate('update_status', 1, 1, 3);
const updateToOther = candidate('update_status', 1, 1, otherStatus + 5);

const rows: readonly Row[] = [
  {
    what: 'a new serial',
    before: [],
    candidate: register,
    outcome: 'registered',
    entry: 1,
    after: [slot(1, 1, 1)],
  },
  { what: 'the same supplier again', before: [slot(1, 1, 1)], candidate: register, outcome: 'duplicate' },
  { what: 'another supplier', before: [slot(1, 2, 1)], candidate: register, outcome: 'conflict' },
  {
    what: 'another holder, whoever supplies',
    before: [slot(2, 1, 4)],
    candidate: register,
    outcome: 'registered',
    entry: 1,
    note: 'serial_shared_between_holders',
    after: [slot(2, 1, 4), slot(1, 1, 1)],
  },
  {
    what: 'another holder whose entry is invalid is not shared with',
    before: [slot(2, 1, 4, 'invalid')],
    candidate: register,
    outcome: 'registered',
    entry: 1,
    after: [slot(2, 1, 4, 'invalid'), slot(1, 1, 1)],
  },
  {
    what: 'again after it was marked invalid, by anyone',
    before: [slot(2, 2, 1), slot(1, 2, 2, 'invalid')],
    candidate: register,
    outcome: 'registered',
    entry: 3,
    note: 'serial_shared_between_holders',
    after: [slot(2, 2, 1), slot(1, 1, 3)],
  },
  {
    what: 'the last entry that a slot can count',
    before: [slot(1, 1, entriesMax - 1, 'invalid')],
    candidate: register,
    outcome: 'registered',
    entry: entriesMax,
    after: [slot(1, 1, entriesMax)],
  },
  {
    what: 'one more than a slot can count',
    before: [slot(1, 1, entriesMax, 'invalid')],
    candidate: register,
    outcome: 'too_many_changes',
  },
  {
    what: 'invalidating a serial that is not there',
    before: [],
    candidate: invalidate,
    outcome: 'not_found',
  },
  {
    what: 'invalidating one of another holder',
    before: [slot(2, 1, 1)],
    candidate: invalidate,
    outcome: 'not_found',
  },
  {
    what: 'invalidating one of another supplier',
    before: [slot(1, 2, 1)],
    candidate: invalidate,
    outcome: 'not_yours',
  },
  {
    what: 'invalidating one of another supplier that is invalid: not yours comes first',
    before: [slot(1, 2, 2, 'invalid')],
    candidate: invalidate,
    outcome: 'not_yours',
  },
  {
    what: 'invalidating twice',
    before: [slot(1, 1, 2, 'invalid')],
    candidate: invalidate,
    outcome: 'already_invalid',
  },
  {
    what: 'invalidating: the next entry, other holders untouched',
    before: [slot(2, 2, 7), slot(1, 1, 1)],
    candidate: invalidate,
    outcome: 'invalidated',
    entry: 2,
    after: [slot(2, 2, 7), slot(1, 1, 2, 'invalid')],
  },
  {
    what: 'invalidating ends the status',
    before: [slot(1, 1, 2, 'registered', 3)],
    candidate: invalidate,
    outcome: 'invalidated',
    entry: 3,
    after: [slot(1, 1, 3, 'invalid')],
  },
  {
    what: 'registering what has a status is a duplicate all the same',
    before: [slot(1, 1, 2, 'registered', 3)],
    candidate: register,
    outcome: 'duplicate',
  },
  { what: 'a status of a serial that is not there', before: [], candidate: update, outcome: 'not_found' },
  { what: 'one of another holder', before: [slot(2, 1, 1)], candidate: update, outcome: 'not_found' },
  { what: 'one of another supplier', before: [slot(1, 2, 1)], candidate: update, outcome: 'not_yours' },
  {
    what: 'one of another supplier that has the status: not yours comes first',
    before: [slot(1, 2, 2, 'registered', 3)],
    candidate: update,
    outcome: 'not_yours',
  },
  {
    what: 'a status of a serial that is invalid',
    before: [slot(1, 1, 2, 'invalid')],
    candidate: update,
    outcome: 'already_invalid',
  },
  {
    what: 'the first status: the next entry, other holders untouched',
    before: [slot(2, 1, 7, 'registered', 2), slot(1, 1, 1)],
    candidate: update,
    outcome: 'status_updated',
    entry: 2,
    after: [slot(2, 1, 7, 'registered', 2), slot(1, 1, 2, 'registered', 3)],
  },
  {
    what: 'another status',
    before: [slot(1, 1, 2, 'registered', 2)],
    candidate: update,
    outcome: 'status_updated',
    entry: 3,
    after: [slot(1, 1, 3, 'registered', 3)],
  },
  {
    what: 'the status that it has',
    before: [slot(1, 1, 2, 'registered', 3)],
    candidate: update,
    outcome: 'unchanged',
  },
  {
    what: 'the last status that a slot tells apart, again',
    before: [slot(1, 1, 2, 'registered', statusesMax)],
    candidate: candidate('update_status', 1, 1, statusesMax),
    outcome: 'unchanged',
  },
  {
    what: 'one of those that it does not tell apart, after one of them: never wrongly unchanged',
    before: [slot(1, 1, 2, 'registered', otherStatus)],
    candidate: updateToOther,
    outcome: 'status_updated',
    entry: 3,
    after: [slot(1, 1, 3, 'registered', otherStatus + 5)],
  },
  {
    what: 'the first of those, again',
    before: [slot(1, 1, 2, 'registered', otherStatus)],
    candidate: candidate('update_status', 1, 1, otherStatus),
    outcome: 'status_updated',
    entry: 3,
    after: [slot(1, 1, 3, 'registered', otherStatus)],
  },
  {
    what: 'a status beyond what a slot can count',
    before: [slot(1, 1, entriesMax)],
    candidate: update,
    outcome: 'too_many_changes',
  },
];

describe('the index decides', () => {
  test.each(rows)('$what: $outcome', ({ before, candidate: asked, outcome, entry = 0, note = '', after }) => {
    const kept = structuredClone(before);
    const decided = decideRecord(before, asked);
    expect(decided.decision).toEqual({ outcome, entry, note });
    expect(decided.slots).toEqual(after);
    expect(before).toEqual(kept);
  });

  test('an action without a rule is our bug: no outcome is made up for it', () => {
    expect(() => decideRecord([], candidate('tick'))).toThrow(AssertionError);
    expect(() => decideRecord([slot(1, 1, 1)], candidate(''))).toThrow(AssertionError);
  });

  test('a change of status to none is our bug: the gateway refuses such rows', () => {
    expect(() => decideRecord([slot(1, 1, 1)], candidate('update_status'))).toThrow(AssertionError);
  });
});
