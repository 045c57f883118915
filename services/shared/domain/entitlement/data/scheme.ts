import type { Day } from '../calendar.ts';
import { type Decimal, decimal } from '../decimal.ts';
import type { GenerationKind, UnitKind, Zone } from '../kinds.ts';
import { type ZoneRange, zones2010, zones2020 } from './zone-ranges.ts';

/** When units of a kind earn certificates at all: first and last day of installation. */
export const scheme: Readonly<Record<UnitKind, { from: Day; to: Day; startRule: string; endRule: string }>> =
  {
    solar: { from: '2001-04-01', to: '2030-12-31', startRule: 'THR-5', endRule: 'DEEM-2' },
    wind: { from: '2001-04-01', to: '2030-12-31', startRule: 'THR-5', endRule: 'DEEM-2' },
    hydro: { from: '2001-04-01', to: '2030-12-31', startRule: 'THR-5', endRule: 'DEEM-2' },
    battery: { from: '2025-07-01', to: '2030-12-31', startRule: 'BAT-1', endRule: 'BAT-2' },
  };

export interface Limit {
  readonly from: Day;
  readonly kw: Decimal;
  readonly mwhAYear: Decimal;
  readonly rule: string;
}

const limit = (from: Day, kw: string, mwhAYear: string, rule: string): Limit => ({
  from,
  kw: decimal(kw),
  mwhAYear: decimal(mwhAYear),
  rule,
});

/** Above either limit a unit is a power station (THR-1 to THR-5); both are inclusive. */
export const limits: Readonly<Record<GenerationKind, readonly Limit[]>> = {
  solar: [limit('2001-04-01', '10', '25', 'THR-3'), limit('2005-11-14', '100', '250', 'THR-4')],
  wind: [limit('2001-04-01', '10', '25', 'THR-1')],
  hydro: [limit('2001-04-01', '6.4', '25', 'THR-2')],
};

export interface ZoneTable {
  readonly from: Day;
  readonly name: string;
  readonly ranges: readonly ZoneRange[];
  readonly rule: string;
}

export const zoneTables: readonly ZoneTable[] = [
  { from: '2001-04-01', name: '2010', ranges: zones2010, rule: 'ZONE-2' },
  { from: '2020-01-01', name: '2020', ranges: zones2020, rule: 'ZONE-3' },
];

/** Megawatt hours a year for each kW (ZONE-1). */
export const zoneRatings: readonly {
  readonly from: Day;
  readonly ratings: Readonly<Record<Zone, Decimal>>;
}[] = [
  {
    from: '2001-04-01',
    ratings: { 1: decimal('1.622'), 2: decimal('1.536'), 3: decimal('1.382'), 4: decimal('1.185') },
  },
];

/** Megawatt hours for each kW and resource hour (FORM-2, FORM-3). */
export const resourceFactors: readonly { readonly from: Day; readonly factor: Decimal }[] = [
  { from: '2001-04-01', factor: decimal('0.00095') },
];

/** Resource hours a year: what is taken when they are not known, and above what a site audit is needed (HOURS-1, HOURS-2). */
export const defaultHours: Readonly<
  Record<'wind' | 'hydro', readonly { readonly from: Day; readonly hours: number }[]>
> = {
  wind: [{ from: '2001-04-01', hours: 2000 }],
  hydro: [{ from: '2001-04-01', hours: 4000 }],
};

export const hoursMax = 8760;

/** The time limit of the first period, in months. Also what "any time" leaves open for the maximum (TIME-1, TIME-2). */
export const firstPeriodMonths = 12;

/** Months after installation within which the certificates of the first period are created; null: any time (TIME-1, TIME-2). */
export const creationMonths: Readonly<
  Record<
    'any_time' | 'twelve_months',
    readonly { readonly from: Day; readonly months: number | null; readonly rule: string }[]
  >
> = {
  any_time: [
    { from: '2001-04-01', months: null, rule: 'TIME-2' },
    { from: '2007-10-07', months: firstPeriodMonths, rule: 'TIME-1' },
  ],
  twelve_months: [
    { from: '2001-04-01', months: null, rule: 'TIME-2' },
    { from: '2007-10-06', months: firstPeriodMonths, rule: 'TIME-1' },
  ],
};
