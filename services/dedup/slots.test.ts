import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AssertionError } from '#shared/base/errors.ts';
import {
  entriesMax,
  namesMax,
  otherStatus,
  packName,
  packSlots,
  type Slot,
  slotBytes,
  statusesMax,
  unpackName,
  unpackSlots,
} from './slots.ts';

const name = fc.oneof(
  fc.integer({ min: 1, max: namesMax }),
  fc.constantFrom(1, 255, 256, 65_535, 65_536, namesMax),
);
const status = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: otherStatus }));
const slot: fc.Arbitrary<Slot> = fc
  .record(
    {
      holder: name,
      supplier: name,
      entry: fc.oneof(fc.integer({ min: 1, max: entriesMax }), fc.constantFrom(1, 31, 32, entriesMax)),
      state: fc.constantFrom('registered' as const, 'invalid' as const),
      status,
    },
    { noNullPrototype: true },
  )
  .map((any) => (any.state === 'invalid' ? { ...any, status: 0 } : any));

test('slots come back as they were packed, in 8 bytes each', () => {
  fc.assert(
    fc.property(fc.array(slot, { maxLength: 6 }), (slots) => {
      const packed = packSlots(slots);
      expect(packed.length).toBe(slots.length * slotBytes);
      expect(Buffer.from(packed, 'latin1').toString('latin1')).toBe(packed);
      expect(unpackSlots(packed)).toEqual(slots);
    }),
  );
});

test('two lists of slots that differ are packed differently', () => {
  fc.assert(
    fc.property(fc.array(slot, { maxLength: 3 }), fc.array(slot, { maxLength: 3 }), (one, other) => {
      fc.pre(JSON.stringify(one) !== JSON.stringify(other));
      expect(packSlots(one)).not.toBe(packSlots(other));
    }),
  );
});

test('nothing stored is no slot', () => {
  expect(unpackSlots(null)).toEqual([]);
});

test('statuses beyond those that a slot tells apart come back as one, and leave the entry alone', () => {
  const slots = [statusesMax, otherStatus, otherStatus + 1, namesMax].map((status) => ({ ...good, status }));
  expect(unpackSlots(packSlots(slots)).map(({ entry, status }) => [entry, status])).toEqual([
    [1, statusesMax],
    [1, otherStatus],
    [1, otherStatus],
    [1, otherStatus],
  ]);
});

const good: Slot = { holder: 1, supplier: 1, entry: 1, state: 'registered', status: 0 };

test.each<[string, Partial<Slot>]>([
  ['entry 0', { entry: 0 }],
  ['an entry beyond 11 bits', { entry: entriesMax + 1 }],
  ['holder 0', { holder: 0 }],
  ['a holder beyond 24 bits', { holder: namesMax + 1 }],
  ['supplier 0', { supplier: 0 }],
  ['a supplier beyond 24 bits', { supplier: namesMax + 1 }],
])('%s does not fit, and is not cut to fit', (_what, wrong) => {
  expect(() => packSlots([{ ...good, ...wrong }])).toThrow(AssertionError);
});

test('names of the dictionaries keep their number', () => {
  fc.assert(
    fc.property(name, (id) => {
      expect(unpackName(packName(id))).toBe(id);
    }),
  );
});
