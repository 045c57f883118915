import { assert } from '#shared/base/errors.ts';
import type { Day } from './calendar.ts';
import { type BatteryFactor, batteryFactors, batteryTiers } from './data/battery.ts';
import { resourceFactors, zoneRatings } from './data/scheme.ts';
import { inForce, inForceOrFirst } from './dated.ts';
import {
  compare,
  type Decimal,
  decimal,
  floor,
  minus,
  plus,
  smaller,
  times,
  wholeNumber,
  zero,
} from './decimal.ts';
import type { BatteryFacts, UnitFacts } from './facts.ts';
import type { Zone } from './kinds.ts';
import type { Multiplier } from './multiplier.ts';

const one = decimal('1');
const half = decimal('0.5');

/** MWh for each kW and year (ZONE-1). */
export function zoneRating(zone: Zone, installedOn: Day): Decimal {
  return inForceOrFirst(zoneRatings, installedOn).ratings[zone];
}

/** MWh for each kW and resource hour (FORM-2, FORM-3). */
export function resourceFactor(installedOn: Day): Decimal {
  return inForceOrFirst(resourceFactors, installedOn).factor;
}

/** One year's output of a capacity, no multiplier (FORM-1 to FORM-3, THR-6). */
export function annualOutput(facts: UnitFacts, kw: Decimal): Decimal {
  return facts.kind === 'solar'
    ? times(zoneRating(facts.zone, facts.installedOn), kw)
    : times(times(resourceFactor(facts.installedOn), kw), wholeNumber(facts.hours));
}

/** A part of the capacity, and what it earns over the whole period. */
export interface CapacityPart {
  readonly kw: Decimal;
  readonly multiplier: number;
  readonly product: Decimal;
}

/** The multiplied first kW and the rest (FORM-4, FORM-5); one part when nothing is multiplied. */
export function capacityParts(
  facts: UnitFacts,
  years: number,
  multiplier: Multiplier,
): readonly CapacityPart[] {
  const part = (kw: Decimal, factor: number): CapacityPart => ({
    kw,
    multiplier: factor,
    product: times(annualOutput(facts, kw), wholeNumber(years * factor)),
  });
  if (multiplier.factor === 1) return [part(facts.kw, 1)];
  const first = smaller(facts.kw, multiplier.firstKw);
  const rest = minus(facts.kw, first);
  return rest.units === 0n
    ? [part(first, multiplier.factor)]
    : [part(first, multiplier.factor), part(rest, 1)];
}

export function sum(values: readonly Decimal[]): Decimal {
  return values.reduce(plus, zero);
}

export interface Rounded {
  readonly stcs: number;
  readonly rule: string;
}

/** The one rounding, at the very end (ROUND-1): from 1 down, from 0.5 up to 1, below nothing (ROUND-2 to ROUND-4). */
export function roundProduct(product: Decimal): Rounded {
  if (compare(product, one) >= 0) return { stcs: Number(floor(product)), rule: 'ROUND-2' };
  return compare(product, half) >= 0 ? { stcs: 1, rule: 'ROUND-3' } : { stcs: 0, rule: 'ROUND-4' };
}

/** A slice of the usable capacity, weighted. */
export interface TierPart {
  readonly fromKwh: Decimal;
  readonly toKwh: Decimal;
  readonly kwh: Decimal;
  readonly weight: Decimal;
  readonly counted: Decimal;
}

export interface BatteryProduct {
  readonly factor: BatteryFactor;
  readonly tierRule: string;
  readonly parts: readonly TierPart[];
  readonly counted: Decimal;
  readonly product: Decimal;
}

function tierParts(
  usable: Decimal,
  installedOn: Day,
): { readonly rule: string; readonly parts: readonly TierPart[] } {
  const row = inForce(batteryTiers, installedOn);
  assert(row !== undefined, `no battery tiers on ${installedOn}`);
  const parts: TierPart[] = [];
  let fromKwh = zero;
  for (const { upToKwh, weight } of row.tiers) {
    const kwh = minus(smaller(usable, upToKwh), fromKwh);
    if (kwh.units <= 0n) break;
    parts.push({ fromKwh, toKwh: upToKwh, kwh, weight, counted: times(kwh, weight) });
    fromKwh = upToKwh;
  }
  return { rule: row.rule, parts };
}

/** Weighted usable kWh times the factor of the day (BAT-4, BAT-5); undefined outside the battery scheme. */
export function batteryProduct(facts: BatteryFacts): BatteryProduct | undefined {
  const factor = inForce(batteryFactors, facts.installedOn);
  if (factor === undefined) return undefined;
  const { rule, parts } = tierParts(facts.usableKwh, facts.installedOn);
  const counted = sum(parts.map((part) => part.counted));
  return { factor, tierRule: rule, parts, counted, product: times(counted, factor.factor) };
}
