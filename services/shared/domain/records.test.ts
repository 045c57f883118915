import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Codec, Encoder } from '#shared/codec/codec.ts';
import { carriedOn, grouped, plausible, type SentBatch, spelledOut } from './records.ts';
import type { BatchHeader, SerialRecord } from './serials.ts';

const few = fc.constantFrom('', 'a', 'b');
const texts = fc.record({
  supplier: few,
  holder: few,
  series: few,
  model: few,
  supplier_key: few,
  holder_key: few,
  status: few,
  reason: few,
  note: few,
  finding: few,
  column: few,
});
const serials = fc.constantFrom(
  { serial: 'AB1', serial_key: 'AB1' },
  { serial: 'ab 1', serial_key: 'AB1' },
  { serial: '???', serial_key: '' },
  { serial: '', serial_key: '' },
);
/** Rows of a file in its order, many of which say the same. */
const file: fc.Arbitrary<readonly SerialRecord[]> = fc
  .array(texts, { minLength: 1, maxLength: 4 })
  .chain((said) => fc.array(fc.tuple(fc.constantFrom(...said), serials), { maxLength: 30 }))
  .map((rows) => rows.map(([said, serial], i) => ({ ...said, ...serial, row: i + 1, line: i + 2 })));

const byRow = (a: SerialRecord, b: SerialRecord) => a.row - b.row;
const saidBy = ({ row: _, line: __, serial: ___, serial_key: ____, ...said }: SerialRecord) =>
  JSON.stringify(said);

describe('records that say the same', () => {
  test('are all there when they are spelled out', () => {
    fc.assert(
      fc.property(file, (records) => {
        expect(spelledOut(grouped(records)).toSorted(byRow)).toEqual(records);
      }),
    );
  });

  test('follow each other, and only the first of them says it', () => {
    fc.assert(
      fc.property(file, (records) => {
        const sent = grouped(records);
        const firsts = sent.filter(({ repeats }) => !repeats);
        expect(firsts).toHaveLength(new Set(records.map(saidBy)).size);
        for (const record of sent.filter(({ repeats }) => repeats))
          expect(JSON.parse(saidBy(record))).toEqual({
            ...Object.fromEntries(Object.keys(JSON.parse(saidBy(record))).map((text) => [text, ''])),
            repeats: true,
          });
      }),
    );
  });

  test('keep the order of the file among them', () => {
    fc.assert(
      fc.property(file, (records) => {
        const before = new Map<string, number>();
        for (const record of spelledOut(grouped(records))) {
          expect(record.row).toBeGreaterThan(before.get(saidBy(record)) ?? 0);
          before.set(saidBy(record), record.row);
        }
      }),
    );
  });

  test('share what is said beside them', () => {
    const records = [false, true, true, false, true].map((repeats) => ({ repeats }));
    expect(carriedOn(records, ['x', '', '', 'y', ''])).toEqual(['x', 'x', 'x', 'y', 'y']);
  });

  test('what no gateway writes is no batch', () => {
    const batchOf = (repeats: readonly boolean[], action = 'register') => ({
      action,
      records: repeats.map((repeats) => ({ repeats })),
    });
    const sound = () => true;
    for (const batch of [undefined, batchOf([]), batchOf([false, true]), batchOf([], 'tick')])
      expect(plausible(batch, sound)).toBe(batch);
    expect(plausible(batchOf([true]), sound)).toBeUndefined();
    expect(plausible(batchOf([false], 'registgr'), sound)).toBeUndefined();
    expect(plausible(batchOf([false, true]), ({ repeats }) => !repeats)).toBeUndefined();
  });
});

test('a message of version 1 has no record that repeats', async () => {
  const codec = await Codec.open({ register: async () => nextId++ }, { 'serials.submitted': 'SerialBatch' });
  const [first] = codec.versions('SerialBatch');
  const record = { ...emptyRecord, row: 1, line: 2, model: 'M', serial: 'ab1', serial_key: 'AB1' };
  const message = new Encoder(first!.type, first!.id).encode({
    ...header,
    records: [record, { ...record, row: 2 }],
  });
  const batch = codec.decoder<SentBatch>('SerialBatch').decode(message);
  expect(batch!.records.map(({ repeats }) => repeats)).toEqual([false, false]);
  expect(spelledOut(batch!.records)).toEqual([record, { ...record, row: 2 }]);
});

let nextId = 1;
const header: BatchHeader = {
  submission: 's',
  batch: 0,
  account: '',
  supplier: '',
  channel: 'csv',
  product: 'panel',
  action: 'register',
  received_at: 0,
};
const emptyRecord = {
  supplier: '',
  holder: '',
  series: '',
  supplier_key: '',
  holder_key: '',
  status: '',
  reason: '',
  note: '',
  finding: '',
  column: '',
};
