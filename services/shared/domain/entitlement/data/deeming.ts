import type { Day } from '../calendar.ts';

/** Solar: the most years, by the day the period starts (DEEM-1). */
export const solarMaximum: readonly { readonly from: Day; readonly years: number }[] = [
  { from: '2001-04-01', years: 15 },
  { from: '2017-01-01', years: 14 },
  { from: '2018-01-01', years: 13 },
  { from: '2019-01-01', years: 12 },
  { from: '2020-01-01', years: 11 },
  { from: '2021-01-01', years: 10 },
  { from: '2022-01-01', years: 9 },
  { from: '2023-01-01', years: 8 },
  { from: '2024-01-01', years: 7 },
  { from: '2025-01-01', years: 6 },
  { from: '2026-01-01', years: 5 },
  { from: '2027-01-01', years: 4 },
  { from: '2028-01-01', years: 3 },
  { from: '2029-01-01', years: 2 },
  { from: '2030-01-01', years: 1 },
  { from: '2031-01-01', years: 0 },
];

/** Solar: the periods besides the maximum (DEEM-3). */
export const solarShortPeriods = { single: 1, five: 5 } as const;

export interface PeriodOptions {
  readonly from: Day;
  /** Ascending. */
  readonly options: readonly number[];
  readonly rule: string;
}

/** Wind and hydro: the periods offered, by the day the period starts (DEEM-4, DEEM-6). */
export const windHydroPeriods: Readonly<Record<'shortened' | 'unshortened', readonly PeriodOptions[]>> = {
  shortened: [
    { from: '2001-04-01', options: [1, 5], rule: 'DEEM-4' },
    { from: '2027-01-01', options: [1, 4], rule: 'DEEM-6' },
    { from: '2028-01-01', options: [1, 3], rule: 'DEEM-6' },
    { from: '2029-01-01', options: [1, 2], rule: 'DEEM-6' },
    { from: '2030-01-01', options: [1], rule: 'DEEM-6' },
    { from: '2031-01-01', options: [], rule: 'DEEM-2' },
  ],
  unshortened: [
    { from: '2001-04-01', options: [1, 5], rule: 'DEEM-4' },
    { from: '2031-01-01', options: [], rule: 'DEEM-2' },
  ],
};
