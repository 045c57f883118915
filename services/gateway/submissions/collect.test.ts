import { expect, test } from 'vitest';
import { isRefusal } from '#gateway/refusal.ts';
import { catalogue } from '#test/support/catalogue.ts';
import { type CollectOptions, type Contents, RowCollector } from './collect.ts';
import { documentOf, panelRegistration } from './documents.ts';

const headings = { cellOf: [0, 1, 2, 3], width: 4 };
const options: CollectOptions = { partitions: 6, sender: { supplier: 'A', mayUploadFor: () => true } };

function collect(
  serials: readonly string[],
  more: Partial<CollectOptions> = {},
  model = (_: number) => 'M-1',
) {
  const collector = new RowCollector(panelRegistration, headings, { ...options, ...more });
  for (const [i, serial] of serials.entries()) collector.add(['A', 'H', model(i), serial], i + 2);
  return collector.finish();
}

function notes(contents: ReturnType<typeof collect>): (string | undefined)[] {
  expect(contents).not.toHaveProperty('refused');
  return (contents as Contents).records.map(({ note }) => note);
}

const counted = (count: number, make: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i));
const padded = (i: number) => String(i).padStart(12, '0');

test('a damaged row is an outcome of its own up to the share; above it nothing is taken, with a sample', () => {
  const good = counted(8, (i) => `SN${i}`);
  const taken = collect([...good, '1.23E+14', '12/05/2024']);
  expect(taken).toMatchObject({ rows: 10 });
  expect((taken as Contents).findings.get('serial_is_date')).toBe(1);
  const refused = collect([...good, '1.23E+14', '12/05/2024', '=A1']);
  expect(refused).toMatchObject({
    refused: 'file_damaged',
    facts: {
      count: 11,
      damaged: 3,
      limit: 0.2,
      sample: [
        {
          record: 9,
          line: 10,
          column: 'Serial number',
          value: '1.23E+14',
          code: 'serial_in_scientific_notation',
          sentence: expect.any(String),
          hint: expect.any(String),
        },
        { record: 10, code: 'serial_is_date' },
        { record: 11, code: 'cell_is_formula' },
      ],
    },
  });
  expect(collect([...good, '1.23E+14', '12/05/2024', '=A1'], { damageShareMax: 0.5 })).toMatchObject({
    rows: 11,
  });
});

test('the sample is short, whatever the file', () => {
  const refused = collect(counted(100, (i) => `${i % 9}.5E+${i}`));
  if (!isRefusal(refused)) throw new Error('was taken');
  expect(refused.facts?.sample).toHaveLength(10);
});

test('DMG-4: where numbers of one model have two lengths, the shorter ones lost zeros', () => {
  const stripped = counted(100, (i) => String(90_000_000_000 + i * 200_000_000));
  const refused = collect(stripped);
  expect(stripped.filter((serial) => serial.length === 11)).toHaveLength(50);
  expect(refused).toMatchObject({ refused: 'file_damaged', facts: { damaged: 50 } });
  // Most began with 0: the longest length counts, not the most frequent one.
  expect(collect(counted(100, (i) => String(10_000_000_000 + (i % 4 === 0 ? 9e10 : 0) + i)))).toMatchObject({
    refused: 'file_damaged',
    facts: { damaged: 75 },
  });
});

test('DMG-4: a few short numbers are remarked, and zeros that are there show that none were lost', () => {
  const few = [...counted(99, (i) => String(100_000_000_000 + i)), '99999999999'];
  expect(notes(collect(few)).filter((note) => note !== '')).toEqual(['serial_zeros_lost']);
  const zeros = [...counted(60, (i) => padded(i)), ...counted(40, (i) => String(10_000_000_000 + i))];
  expect(notes(collect(zeros)).every((note) => note === '')).toBe(true);
  const counters = counted(2_000, (i) => String(i + 1));
  expect(notes(collect(counters)).every((note) => note === '')).toBe(true);
  const twoModels = counted(100, (i) => (i % 2 ? '1' : '').padEnd(12, '5') + (i % 10));
  expect(notes(collect(twoModels, {}, (i) => `M-${i % 2}`)).every((note) => note === '')).toBe(true);
});

test('DMG-2: many zeros behind the fifteenth digit of one model are no chance, also in a mixed file', () => {
  const rounded = counted(30, (i) => `${String(123_456_789_012_345 + i)}0`);
  const mixed = [...rounded, ...counted(470, (i) => `SN${String(i).padStart(6, '0')}`)];
  const refused = collect(mixed, {}, (i) => (i < 30 ? 'M-1' : 'M-2'));
  expect(refused).toMatchObject({ refused: 'file_damaged', facts: { damaged: 30, count: 500 } });
  const chance = counted(1_000, (i) => `123456789012${String(i).padStart(4, '0')}`);
  const found = notes(collect(chance));
  expect(found.filter((note) => note === 'serial_digits_rounded')).toHaveLength(1);
});

test('DMG-11: look-alikes and unusual lengths are remarked', () => {
  const odd = [
    'LR7K2400000000O001',
    'LR7K2400000000I002',
    '1R7K24000000000003',
    'LR7K240',
    'XR7KZ4000000000004',
  ];
  const serials = [...counted(300, (i) => `LR7K24${padded(i)}`), ...odd];
  expect(notes(collect(serials)).slice(300)).toEqual([
    'serial_look_alike',
    'serial_look_alike',
    'serial_look_alike',
    'serial_length_unusual',
    '',
  ]);
});

test('remarks depend on the rows alone, not on what the account may do', () => {
  const serials = [...counted(99, (i) => String(100_000_000_000 + i)), '99999999999'];
  const nobody = collect(serials, { sender: { supplier: 'A', mayUploadFor: () => false } });
  expect(notes(nobody)).toEqual(notes(collect(serials)));
});

test('over the limit nothing is taken: limit, count and line are said, and reading ends at last', () => {
  const collector = new RowCollector(panelRegistration, headings, { ...options, rowsMax: 3 });
  for (let i = 0; i < 5; i++) expect(collector.add(['A', 'H', 'M', `S${i}`], i + 2)).toBeUndefined();
  expect(collector.finish()).toMatchObject({
    refused: 'too_many_rows',
    facts: { limit: 3, count: 5, line: 5 },
  });
  let refused = 0;
  for (let i = 5; i < 40; i++) if (collector.add(['A', 'H', 'M', `S${i}`], i + 2)) refused += 1;
  expect(refused).toBe(10);
});

test('serials that were registered damaged can be marked as invalid: of changes only what can be no serial counts', () => {
  const mark = (serials: readonly string[]) => {
    const invalidation = documentOf('panel', 'invalidate')!;
    const headings = { cellOf: [0, 1, 2, 3, 4, 5], width: 6 };
    const collector = new RowCollector(invalidation, headings, { ...options, catalogue });
    for (const [i, serial] of serials.entries())
      collector.add(['A', 'H', 'M-1', serial, 'serial_wrong', 'digits lost'], i + 2);
    return collector.finish();
  };
  const rounded = counted(20, (i) => `12345678901${i + 10}0000`);
  expect(collect(rounded)).toMatchObject({ refused: 'file_damaged' });
  expect(notes(mark(rounded))).toEqual(rounded.map(() => 'digits lost'));
  expect(mark(counted(20, (i) => `1.${i}E+14`))).toMatchObject({ refused: 'file_damaged' });
});
