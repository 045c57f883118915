import { describe, expect, test } from 'vitest';
import type { Product } from '#shared/domain/serials.ts';
import { parseList, parseListDate } from './parse.ts';
import { compareModels, dayInFileName, snapshotId } from './snapshot.ts';

const panel = [
  'Licensee/Certificate Holder',
  'Model Number',
  'CEC Approved Date',
  'Expiry Date',
  'Fire Tested',
];
const battery = [
  'Manufacturer/Certificate Holder Account',
  'Brand Name',
  'Series',
  'Model Number',
  'Nominal Battery Capacity (kWh)',
  'Usable Capacity (kWh)',
  'CEC Approved Date',
  'CEC Expiry Date',
];
const inverter = ['Manufacturer', 'Series', 'Model Number', 'AC Power (kW)', 'Approval Date', 'Expiry date'];

function parse(product: Product, ...rows: readonly (readonly string[])[]) {
  return parseList(
    product,
    rows.map((cells, index) => ({ line: index + 1, cells })),
  );
}

function faultsOf(product: Product, ...rows: readonly (readonly string[])[]): string[] {
  const list = parse(product, ...rows);
  return 'faults' in list ? list.faults.map(({ line, text }) => `${line}: ${text}`) : [];
}

function rowsOf(product: Product, ...rows: readonly (readonly string[])[]) {
  const list = parse(product, ...rows);
  if ('faults' in list) throw new Error(JSON.stringify(list.faults));
  return list.rows;
}

const good = ['Vorlune', 'VLN-440', '3/08/2023', '31/03/2025', 'Yes'];

describe('columns', () => {
  test('CEC-1: a panel', () => {
    expect(rowsOf('panel', panel, good)).toEqual([
      {
        line: 2,
        holder: 'Vorlune',
        brand: '',
        series: '',
        model: 'VLN-440',
        approved: '2023-08-03',
        expires: '2025-03-31',
        nominalKwh: '',
        usableKwh: '',
        acPowerKw: '',
        fireTested: 'Yes',
      },
    ]);
  });

  test('CEC-2, DIRT-13: a battery; capacities are numbers, exact', () => {
    const cells = ['Vorlune', 'Brand', 'NA', 'B-1', '05.760', '5.7600', '10/04/2024', '10/04/2027'];
    const [row] = rowsOf('battery', battery, cells);
    expect(row).toMatchObject({ brand: 'Brand', series: 'NA', nominalKwh: '5.76', usableKwh: '5.76' });
    const [tenth] = rowsOf('battery', battery, cells.with(4, '100.000').with(5, '0.010'));
    expect(tenth).toMatchObject({ nominalKwh: '100', usableKwh: '0.01' });
  });

  test('CEC-3: an inverter', () => {
    const cells = ['Vorlune', 'S', 'I-5', '4.999', '24/11/2022', '24/11/2025'];
    expect(rowsOf('inverter', inverter, cells)).toMatchObject([
      { model: 'I-5', acPowerKw: '4.999', expires: '2025-11-24' },
    ]);
  });

  test('CEC-4: names without case, in any order; each of the three names of a date', () => {
    const shuffled = [
      'fire tested',
      'EXPIRY  DATE',
      ' model number ',
      'approval date',
      'Licensee/Certificate holder',
    ];
    const cells = ['Yes', '31/03/2025', 'VLN-440', '3/08/2023', 'Vorlune'];
    expect(rowsOf('panel', shuffled, cells)).toEqual(rowsOf('panel', panel, good));
  });

  test.each([
    ['a missing column', panel.slice(0, 4), '1: column "fire tested" is missing'],
    ['a new column', [...panel, 'Country'], '1: column "Country" is not known in a list of kind panel'],
    ['a doubled column', [...panel, 'CEC Expiry Date'], '1: column "CEC Expiry Date" repeats an earlier one'],
    ['another product', inverter, '1: column "Manufacturer" is not known in a list of kind panel'],
  ])('CEC-4: %s stops', (_, headings, fault) => {
    expect(faultsOf('panel', headings, good)).toContain(fault);
  });

  test('an empty file, and headings without rows, are refused: a list is never empty', () => {
    expect(parseList('panel', [])).toHaveProperty('faults');
    expect(faultsOf('panel', panel)).toEqual(['1: there is no row below the headings']);
  });
});

describe('rows', () => {
  test('a ragged row stops with its line', () => {
    expect(faultsOf('panel', panel, good, good.slice(1))).toEqual(['3: 4 cells instead of 5']);
  });

  test.each([
    ['month first', '04/25/2026', 'approved "04/25/2026" has the month first; d/mm/yyyy is expected'],
    ['an unpadded month', '25/4/2026', 'approved "25/4/2026" is not a date as d/mm/yyyy'],
    ['no day of the calendar', '31/04/2026', 'approved "31/04/2026" is not a day of the calendar'],
    ['29 February of a common year', '29/02/2026', 'approved "29/02/2026" is not a day of the calendar'],
    ['day 0', '0/04/2026', 'approved "0/04/2026" is not a day of the calendar'],
    ['month 0', '1/00/2026', 'approved "1/00/2026" is not a day of the calendar'],
    ['ISO', '2026-04-25', 'approved "2026-04-25" is not a date as d/mm/yyyy'],
    ['two-digit year', '25/04/26', 'approved "25/04/26" is not a date as d/mm/yyyy'],
    ['a year nobody means', '25/04/2206', 'approved "25/04/2206" is outside the years 2000 to 2100'],
    ['an empty cell', '', 'approved is empty'],
  ])('CEC-5: %s stops with its line', (_, date, fault) => {
    expect(faultsOf('panel', panel, good, good.with(2, date))).toEqual([`3: ${fault}`]);
  });

  test('CEC-5: the day padded or not', () => {
    expect(parseListDate('9/04/2026')).toBe('2026-04-09');
    expect(parseListDate('09/04/2026')).toBe('2026-04-09');
    expect(parseListDate('29/02/2024')).toBe('2024-02-29');
  });

  test('a capacity that is no number stops', () => {
    const cells = ['V', 'B', 'S', 'M', '5,76', '5', '10/04/2024', '10/04/2027'];
    expect(faultsOf('battery', battery, cells)).toEqual(['2: nominalKwh "5,76" is not a number']);
  });

  test('one fault refuses the list, and all faults are told', () => {
    expect(faultsOf('panel', panel, good, good.with(0, ''), good, good.with(1, ' '))).toEqual([
      '3: holder is empty',
      '5: model is empty',
    ]);
  });

  test('DIRT-3: exact repeats are counted and dropped; what differs in anything is kept', () => {
    const list = parse('panel', panel, good, good.with(3, '1/04/2026'), good, good.with(4, 'No'));
    expect(list).toMatchObject({ read: 4, repeated: 1 });
    expect('rows' in list && list.rows.map(({ line }) => line)).toEqual([2, 3, 5]);
    expect('models' in list && list.models.size).toBe(1);
  });

  test('a row that expires before it is approved is kept and told', () => {
    const list = parse('panel', panel, good, good.with(2, '1/04/2026'));
    expect('reversed' in list && list.reversed.map(({ line }) => line)).toEqual([3]);
  });
});

describe('snapshots', () => {
  test.each([
    ['cec_pv_modules_20260423.csv', '2026-04-23'],
    ['list 2026-04-23.csv', '2026-04-23'],
    ['list_20260431.csv', undefined],
    ['list_20260423_20260424.csv', undefined],
    ['list_120260423.csv', undefined],
    ['list.csv', undefined],
  ])('the day in the name %s is %s', (name, day) => {
    expect(dayInFileName(name)).toBe(day);
  });

  test('an id changes with product, day and content', () => {
    const ids = [
      snapshotId('panel', '2026-04-23', 'a'.repeat(64)),
      snapshotId('battery', '2026-04-23', 'a'.repeat(64)),
      snapshotId('panel', '2026-04-24', 'a'.repeat(64)),
      snapshotId('panel', '2026-04-23', 'b'.repeat(64)),
    ];
    expect(new Set(ids).size).toBe(4);
    expect(ids[0]).toBe('panel-20260423-aaaaaaaaaaaa');
  });

  test('CEC-7: what is lost counts, also when the list grew', () => {
    const before = new Set(['a', 'b', 'c', 'd']);
    expect(compareModels(before, new Set(['a', 'x', 'y', 'z', 'w']))).toEqual({
      added: 4,
      lost: 3,
      lostShare: 0.75,
    });
    expect(compareModels(before, before)).toEqual({ added: 0, lost: 0, lostShare: 0 });
    expect(compareModels(new Set(), before)).toEqual({ added: 4, lost: 0, lostShare: 0 });
  });
});
