import type { Day } from '../calendar.ts';
import { type Decimal, decimal } from '../decimal.ts';

export interface BatteryFactor {
  readonly from: Day;
  readonly factor: Decimal;
  readonly rule: string;
}

const factor = (from: Day, text: string, rule: string): BatteryFactor => ({
  from,
  factor: decimal(text),
  rule,
});

/** Certificates for each counted kWh, by the day of the certificate of compliance. */
export const batteryFactors: readonly BatteryFactor[] = [
  factor('2025-07-01', '9.3', 'BAT-1'),
  factor('2026-01-01', '8.4', 'BAT-1'),
  factor('2026-05-01', '6.8', 'BAT-2'),
  factor('2027-01-01', '5.7', 'BAT-2'),
  factor('2027-07-01', '5.2', 'BAT-2'),
  factor('2028-01-01', '4.6', 'BAT-2'),
  factor('2028-07-01', '4.1', 'BAT-2'),
  factor('2029-01-01', '3.6', 'BAT-2'),
  factor('2029-07-01', '3.1', 'BAT-2'),
  factor('2030-01-01', '2.6', 'BAT-2'),
  factor('2030-07-01', '2.1', 'BAT-2'),
];

export interface Tier {
  readonly upToKwh: Decimal;
  readonly weight: Decimal;
}

const tier = (upToKwh: string, weight: string): Tier => ({
  upToKwh: decimal(upToKwh),
  weight: decimal(weight),
});

/** How much of each usable kWh counts; marginal tiers, nothing above the last. */
export const batteryTiers: readonly {
  readonly from: Day;
  readonly tiers: readonly Tier[];
  readonly rule: string;
}[] = [
  { from: '2025-07-01', tiers: [tier('50', '1')], rule: 'BAT-4' },
  { from: '2026-05-01', tiers: [tier('14', '1'), tier('28', '0.6'), tier('50', '0.15')], rule: 'BAT-5' },
];

/** Nominal size, both ends inclusive (BAT-3). */
export const batteryNominalKwh: readonly {
  readonly from: Day;
  readonly least: Decimal;
  readonly most: Decimal;
}[] = [{ from: '2025-07-01', least: decimal('5'), most: decimal('100') }];
