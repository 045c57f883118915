import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type MessageHeaders, readHeaders, readOriginHeaders, writeHeaders } from './headers.ts';

const count = fc.integer({ min: 0, max: 999_999_999_999_999 });
const headers: fc.Arbitrary<MessageHeaders> = fc
  .record(
    {
      submission: fc.oneof(fc.uuid(), fc.constant('')),
      batch: count,
      rows: count,
      deadRows: count,
      receivedAt: count,
      deadStage: fc.constantFrom('dedup', 'cec-validation'),
      origin: count,
      link: count,
    },
    { requiredKeys: ['submission', 'batch', 'rows', 'deadRows', 'receivedAt'], noNullPrototype: true },
  )
  .map((value) => value as MessageHeaders);

test('what is written is read (K8)', () => {
  fc.assert(
    fc.property(headers, (value) => {
      expect(readHeaders(writeHeaders(value))).toEqual(value);
    }),
  );
});

const good = {
  submission: 's',
  batch: '1',
  rows: '2',
  dead_rows: '0',
  received_at: '3',
  origin: '4',
  link: '3',
};

test.each(['submission', 'batch', 'rows', 'dead_rows'])('without %s the headers are not ours', (name) => {
  expect(readHeaders(good)).toBeDefined();
  expect(readHeaders({ ...good, [name]: undefined as never })).toBeUndefined();
});

test.each(['', ' 1', '-1', '1.5', '1e3', '0x1', 'NaN', '1234567890123456', '١'])(
  'a count of %j is none, never a guess',
  (text) => {
    for (const name of ['batch', 'rows', 'dead_rows'])
      expect(readHeaders({ ...good, [name]: text })).toBeUndefined();
    expect(readHeaders({ ...good, origin: text })).not.toHaveProperty('origin');
  },
);

test('between our own stages a message without origin stops the process', () => {
  expect(readOriginHeaders(good, 9).origin).toBe(4);
  expect(() => readOriginHeaders({ ...good, origin: '' }, 9)).toThrow(
    'message at offset 9 carries no origin',
  );
  expect(() => readOriginHeaders({}, 9)).toThrow('no origin');
});
