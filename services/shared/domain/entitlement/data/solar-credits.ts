import type { Day } from '../calendar.ts';
import { type Decimal, decimal } from '../decimal.ts';

export const scheduleNames = ['regulated', 'guide'] as const;
export type ScheduleName = (typeof scheduleNames)[number];

export interface MultiplierRow {
  readonly from: Day;
  readonly multiplier: number;
}

/** First and last day of installation with Solar Credits (SC-5). */
export const solarCreditsWindow = { from: '2009-06-09', to: '2015-06-30' } as const;

export const schedules: Readonly<
  Record<ScheduleName, { readonly rule: string; readonly rows: readonly MultiplierRow[] }>
> = {
  regulated: {
    rule: 'SC-2',
    rows: [
      { from: '2009-06-09', multiplier: 5 },
      { from: '2011-07-01', multiplier: 3 },
      { from: '2012-07-01', multiplier: 2 },
      { from: '2013-01-01', multiplier: 1 },
    ],
  },
  guide: {
    rule: 'SC-1',
    rows: [
      { from: '2009-06-09', multiplier: 5 },
      { from: '2012-07-01', multiplier: 4 },
      { from: '2013-07-01', multiplier: 3 },
      { from: '2014-07-01', multiplier: 2 },
      { from: '2015-07-01', multiplier: 1 },
    ],
  },
};

/** The part of the capacity that is multiplied (SC-5, SC-6). */
export const multipliedKw: Readonly<
  Record<'grid' | 'offGrid', readonly { readonly from: Day; readonly kw: Decimal; readonly rule: string }[]>
> = {
  grid: [{ from: '2009-06-09', kw: decimal('1.5'), rule: 'SC-5' }],
  offGrid: [{ from: '2009-06-09', kw: decimal('20'), rule: 'SC-6' }],
};

/** An earlier contract kept its multiplier, of the regulated schedule (SC-4). Days: installed from, and before; contract before. */
export const transition = {
  installedFrom: '2011-07-01',
  installedBefore: '2012-06-30',
  contractBefore: '2011-05-05',
  multiplier: 5,
  rule: 'SC-4',
} as const;

export const programmes = ['SHCP', 'PVRP', 'RRPGP', 'NSSP'] as const;
export type Programme = (typeof programmes)[number];

/** Which earlier assistance takes the multiplier away: for the unit itself (SC-7), for another unit at the premises (SC-8). */
export const excludingProgrammes: Readonly<Record<'unit' | 'premises', readonly Programme[]>> = {
  unit: ['SHCP', 'RRPGP', 'NSSP'],
  premises: ['SHCP', 'PVRP', 'RRPGP', 'NSSP'],
};
