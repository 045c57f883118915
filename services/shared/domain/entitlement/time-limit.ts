import { addMonths, type Day } from './calendar.ts';
import { creationMonths } from './data/scheme.ts';
import { inForce } from './dated.ts';
import type { Facts } from './facts.ts';
import type { Policy } from './kinds.ts';

/** Until when the certificates of the first period may be created. */
export interface TimeLimit {
  /** The same day of the last month, usually a year later; whether it still counts is a reading (TIME-3). Undefined: any time. */
  readonly anniversary: Day | undefined;
  /** Null: any time. */
  readonly months: number | null;
  readonly rule: string;
}

/** Undefined for a later period, about which the rules say nothing (TIME-1). */
export function timeLimit(facts: Facts, policy: Policy): TimeLimit | undefined {
  if (facts.kind !== 'battery' && facts.yearsAlreadyDeemed !== 0) return undefined;
  const row = inForce(creationMonths[policy.october2007], facts.installedOn);
  if (row === undefined) return undefined;
  return {
    anniversary: row.months === null ? undefined : addMonths(facts.installedOn, row.months),
    months: row.months,
    rule: row.rule,
  };
}

export function isAfter(day: Day, anniversary: Day, policy: Policy): boolean {
  return policy.anniversary === 'included' ? day > anniversary : day >= anniversary;
}
