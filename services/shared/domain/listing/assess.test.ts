import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assessListing, bothEndsInside, listedOn, rowsOn } from './assess.ts';
import { type Listing, type ListingRow, listingKey, listingKeysOf } from './listing.ts';

function row(approved: string, expires: string, other: Partial<ListingRow> = {}): ListingRow {
  return {
    holder: 'Vorlune Solar Co Ltd',
    brand: '',
    series: '',
    model: 'VLN-440 (IEC 61215-2021)',
    approved,
    expires,
    current: true,
    nominalKwh: '',
    usableKwh: '',
    acPowerKw: '',
    ...other,
  };
}

const record = { holder: 'Vorlune Solar Co Ltd', model: 'VLN-440 (IEC 61215-2021)' };
const otherCase = { holder: 'VORLUNE SOLAR CO LTD', model: 'VLN-440 (IEC 61215-2021)' };
const otherSpace = { holder: 'Vorlune Solar Co Ltd', model: 'VLN-440  (IEC 61215-2021)' };

const one = [row('2024-04-16', '2027-04-16')];
const gapped = [row('2020-01-01', '2025-11-24'), row('2026-03-05', '2028-03-05')];
const overlapping = [row('2024-04-16', '2027-04-16'), row('2024-04-16', '2028-12-09')];
const vanished = [row('2024-04-16', '2027-04-16', { current: false })];
const renewed = [row('2020-01-01', '2024-12-31', { current: false }), row('2025-01-01', '2028-01-01')];
const reversed = [row('2026-01-01', '2025-01-01')];

describe('at upload: the precedence of what is remarked', () => {
  test.each<[string, typeof record, Listing | undefined, string, string, string]>([
    ['WIN-6: in no snapshot', record, undefined, '2026-05-01', 'not_listed', ''],
    ['WIN-1: inside the window', record, one, '2026-05-01', 'listed', ''],
    ['WIN-2: the first day', record, one, '2024-04-16', 'listed', ''],
    ['the day before it', record, one, '2024-04-15', 'listed', 'listing_not_yet_approved'],
    ['WIN-2: the last day', record, one, '2027-04-16', 'listed', ''],
    ['the day after it', record, one, '2027-04-17', 'listed', 'listing_expired'],
    ['WIN-3: in the longer of two windows', record, overlapping, '2028-01-01', 'listed', ''],
    ['WIN-4: the last day before a gap', record, gapped, '2025-11-24', 'listed', ''],
    ['WIN-4: in the gap', record, gapped, '2025-11-25', 'listed', 'listing_gap'],
    ['WIN-4: the first day after it', record, gapped, '2026-03-05', 'listed', ''],
    [
      'WIN-5: a row that vanished while in force',
      record,
      vanished,
      '2026-05-01',
      'listed',
      'listing_withdrawn',
    ],
    ['a row that vanished after it expired', record, vanished, '2027-05-01', 'listed', 'listing_expired'],
    [
      'WIN-5: in a window only earlier snapshots have',
      record,
      renewed,
      '2024-06-01',
      'listed',
      'listing_withdrawn',
    ],
    ['in the window that replaced it', record, renewed, '2026-06-01', 'listed', ''],
    [
      'a row that expires before it is approved',
      record,
      reversed,
      '2025-06-01',
      'listed',
      'listing_not_yet_approved',
    ],
    ['SER-4: another case', otherCase, one, '2026-05-01', 'listed', 'listed_with_other_case'],
    ['SER-4: other spaces', otherSpace, one, '2026-05-01', 'listed', 'listed_with_other_case'],
    ['the window goes before the case', otherCase, one, '2027-05-01', 'listed', 'listing_expired'],
    ['withdrawal goes before the case', otherCase, vanished, '2026-05-01', 'listed', 'listing_withdrawn'],
  ])('%s', (_, given, listing, day, finding, note) => {
    expect(assessListing(given, listing, day)).toEqual({ finding, note });
  });

  test('DIRT-7: a model listed under two spellings of its holder is exact under both, and under no mixture', () => {
    const shouting = 'VORLUNE SOLAR CO LTD';
    const spellings = [
      row('2024-01-01', '2027-01-01'),
      row('2024-01-01', '2027-01-01', { holder: shouting }),
    ];
    expect(assessListing(record, spellings, '2026-05-01').note).toBe('');
    expect(assessListing(otherCase, spellings, '2026-05-01').note).toBe('');
    const mixed = { holder: 'Vorlune SOLAR Co Ltd', model: record.model };
    expect(assessListing(mixed, spellings, '2026-05-01').note).toBe('listed_with_other_case');
  });

  test('exact means holder and model of one row, not of two', () => {
    const rows = [
      row('2024-01-01', '2027-01-01', { holder: 'A', model: 'x1' }),
      row('2024-01-01', '2027-01-01', { holder: 'a', model: 'X1' }),
    ];
    expect(assessListing({ holder: 'A', model: 'X1' }, rows, '2026-05-01').note).toBe(
      'listed_with_other_case',
    );
  });
});

describe('on the day of installation', () => {
  test.each<[string, Listing | undefined, string, string]>([
    ['in no snapshot', undefined, '2026-05-01', 'model_not_listed'],
    ['the day before approval', one, '2024-04-15', 'model_not_approved_yet'],
    ['the first day', one, '2024-04-16', 'listed'],
    ['the last day', one, '2027-04-16', 'listed'],
    ['the day after expiry', one, '2027-04-17', 'model_expired'],
    ['in a gap', gapped, '2026-01-15', 'model_in_gap'],
    ['WIN-5: in a window that only earlier snapshots have', vanished, '2026-05-01', 'listed'],
    ['no day is inside a reversed window', reversed, '2025-06-01', 'model_not_approved_yet'],
    ['nor after its approval', reversed, '2026-06-01', 'model_expired'],
  ])('%s', (_, listing, day, expected) => {
    expect(listedOn(listing, day)).toBe(expected);
  });

  test('WIN-2 is a switch: each end can be left out', () => {
    const without = (ends: Partial<typeof bothEndsInside>) => ({ ...bothEndsInside, ...ends });
    expect(listedOn(one, '2024-04-16', without({ firstDayCounts: false }))).toBe('model_not_approved_yet');
    expect(listedOn(one, '2024-04-17', without({ firstDayCounts: false }))).toBe('listed');
    expect(listedOn(one, '2027-04-16', without({ lastDayCounts: false }))).toBe('model_expired');
    expect(listedOn(one, '2027-04-15', without({ lastDayCounts: false }))).toBe('listed');
    const touching = [row('2024-01-01', '2025-01-01'), row('2025-01-01', '2026-01-01')];
    expect(listedOn(touching, '2025-01-01', { firstDayCounts: false, lastDayCounts: false })).toBe(
      'model_in_gap',
    );
  });

  test('the rows in force come with those of the latest snapshot first', () => {
    const old = row('2024-01-01', '2027-01-01', { current: false, usableKwh: '9.5' });
    const now = row('2024-06-01', '2027-06-01', { usableKwh: '10' });
    const rows = rowsOn([old, row('2020-01-01', '2021-01-01'), now], '2026-01-01');
    expect(rows.map(({ usableKwh }) => usableKwh)).toEqual(['10', '9.5']);
  });
});

/** Days as numbers, so that the reference below needs no comparison of texts. */
const dayText = (day: number): string => new Date(Date.UTC(2024, 0, day)).toISOString().slice(0, 10);
const windows = fc.array(
  fc.record({
    approved: fc.integer({ min: 1, max: 60 }),
    length: fc.integer({ min: 0, max: 20 }),
    current: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);
type Windows = readonly { readonly approved: number; readonly length: number; readonly current: boolean }[];
const listingOf = (list: Windows): Listing =>
  list.map(({ approved, length, current }) =>
    row(dayText(approved), dayText(approved + length), { current }),
  );

describe('windows are a union', () => {
  const anyDay = fc.integer({ min: 0, max: 90 });

  test('listed on the days of the windows and on no other (against a set of days)', () => {
    fc.assert(
      fc.property(windows, anyDay, (list, day) => {
        const days = new Set(
          list.flatMap(({ approved, length }) => Array.from({ length: length + 1 }, (_, i) => approved + i)),
        );
        const first = Math.min(...days);
        const last = Math.max(...days);
        const place = day < first ? 'model_not_approved_yet' : day > last ? 'model_expired' : 'model_in_gap';
        expect(listedOn(listingOf(list), dayText(day))).toBe(days.has(day) ? 'listed' : place);
      }),
    );
  });

  test('a further row never takes a day away', () => {
    fc.assert(
      fc.property(windows, windows, anyDay, (list, more, day) => {
        const before = listedOn(listingOf(list), dayText(day));
        const after = listedOn([...listingOf(list), ...listingOf(more)], dayText(day));
        if (before === 'listed') expect(after).toBe('listed');
      }),
    );
  });

  test('the order of rows does not matter', () => {
    fc.assert(
      fc.property(windows, anyDay, (list, day) => {
        const listing = listingOf(list);
        const other = [...listing].reverse();
        expect(assessListing(record, other, dayText(day))).toEqual(
          assessListing(record, listing, dayText(day)),
        );
      }),
    );
  });

  test('upload and installation agree about one day', () => {
    const notes = {
      listed: ['', 'listing_withdrawn'],
      model_not_approved_yet: ['listing_not_yet_approved'],
      model_expired: ['listing_expired'],
      model_in_gap: ['listing_gap'],
      model_not_listed: [],
    };
    fc.assert(
      fc.property(windows, anyDay, (list, day) => {
        const listing = listingOf(list);
        expect(notes[listedOn(listing, dayText(day))]).toContain(
          assessListing(record, listing, dayText(day)).note,
        );
      }),
    );
  });
});

describe('keys', () => {
  test('fold what SER-4 folds, and nothing else', () => {
    expect(listingKey('Vorlune  Solar', ' vln-440 ')).toBe(listingKey('VORLUNE SOLAR', 'VLN-440'));
    expect(listingKey('Vorlune', 'VLN-440')).not.toBe(listingKey('Vorlune', 'VLN-440 (IEC 61215-2021)'));
    expect(listingKey('Vorlune', 'VLN/440')).not.toBe(listingKey('Vorlune', 'VLN-440'));
  });

  test('holder and model cannot run together', () => {
    expect(listingKey('A', 'B-C')).not.toBe(listingKey('A-B', 'C'));
    expect(listingKey('A:1', 'B')).not.toBe(listingKey('A', '1:B'));
  });

  test('of many records: each its own, in order', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.record({ holder: text, model: text })), (records) => {
        expect(listingKeysOf(records)).toEqual(records.map(({ holder, model }) => listingKey(holder, model)));
      }),
    );
  });
});

describe('C10: a series that is not the list’s is remarked', () => {
  const listing = [row('2024-04-16', '2027-04-16', { series: 'SW Plus' })];
  test.each<[string, string | undefined, string]>([
    ['the same', 'SW Plus', ''],
    ['written otherwise', 'sw  plus', 'listed_with_other_case'],
    ['another', 'SW', 'listing_series_differs'],
    ['none, as of panels', '', ''],
    ['not asked about', undefined, ''],
  ])('%s', (_, series, note) => {
    const given = series === undefined ? record : { ...record, series };
    expect(assessListing(given, listing, '2026-05-01')).toEqual({ finding: 'listed', note });
  });

  test('the window comes first, and any row of the model will do', () => {
    const asked = { ...record, series: 'SW' };
    expect(assessListing(asked, listing, '2028-01-01').note).toBe('listing_expired');
    expect(
      assessListing(asked, [...listing, row('2025-01-01', '2027-01-01', { series: 'SW' })], '2026-05-01')
        .note,
    ).toBe('');
  });
});
