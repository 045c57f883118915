import { type Day, yearOf } from './calendar.ts';
import { solarMaximum, solarShortPeriods, windHydroPeriods } from './data/deeming.ts';
import { scheme } from './data/scheme.ts';
import { inForce } from './dated.ts';
import type { ResourceFacts, SolarFacts, UnitFacts } from './facts.ts';
import type { Policy } from './kinds.ts';
import { type Reason, reason } from './reasons.ts';

/** The period that counts. `years` is 0 when none does; `reasons` then say why, unless the dates of the scheme do. */
export interface Deeming {
  readonly years: number;
  readonly isMaximum: boolean;
  readonly rules: readonly string[];
  readonly reasons: readonly Reason[];
}

function offered(years: number, isMaximum: boolean, ...rules: readonly string[]): Deeming {
  return { years, isMaximum, rules, reasons: [] };
}

function refused(rule: string, message: string): Deeming {
  const reasons = [reason('deeming_not_offered', rule, 'deeming_years', message)];
  return { years: 0, isMaximum: false, rules: [], reasons };
}

/** The same day, as many years later as earlier claims covered: only its year matters, so 29 February may stay. */
function periodStart(installedOn: Day, yearsAlreadyDeemed: number): Day {
  return `${String(yearOf(installedOn) + yearsAlreadyDeemed).padStart(4, '0')}${installedOn.slice(4)}`;
}

export function inYears(count: number): string {
  return count === 1 ? '1 year' : `${count} years`;
}

function fiveYears(left: number): Deeming {
  const { five } = solarShortPeriods;
  if (left >= five) return offered(five, false, 'DEEM-3');
  const message = `${inYears(five)} chosen and ${inYears(left)} left: ${inYears(left)} count`;
  const reasons = [reason('deeming_lowered', 'DEEM-5', 'deeming_years', message)];
  return { years: left, isMaximum: false, rules: ['DEEM-1', 'DEEM-5'], reasons };
}

function solarDeeming(facts: SolarFacts, start: Day, isFirst: boolean): Deeming {
  const left = inForce(solarMaximum, start)?.years ?? 0;
  if (left === 0) return refused('DEEM-2', `no years are left for a period that starts in ${yearOf(start)}`);
  const { single, five } = solarShortPeriods;
  // A later period is 1 or 5 years: only the first one may take the maximum (DEEM-7, DEEM-8).
  const most = isFirst ? left : Math.min(five, left);
  const choice = facts.deemingChoice ?? 'max';
  if (choice === 'max') return offered(most, isFirst, 'DEEM-1', isFirst ? 'DEEM-3' : 'DEEM-8');
  if (choice === single) return offered(single, false, 'DEEM-3');
  if (choice === five) return fiveYears(left);
  if (choice === most) return offered(most, isFirst, 'DEEM-1', 'DEEM-3');
  const periods = [...new Set([single, Math.min(five, left), most])].join(', ');
  return refused(
    'DEEM-3',
    `${inYears(choice)} is not offered to solar for a period from ${yearOf(start)}: choose from ${periods}`,
  );
}

function windHydroDeeming(facts: ResourceFacts, start: Day, policy: Policy): Deeming {
  const row = inForce(windHydroPeriods[policy.windHydroPeriods], start);
  const longest = row?.options.at(-1);
  if (row === undefined || longest === undefined) {
    return refused('DEEM-2', `no years are left for a period that starts in ${yearOf(start)}`);
  }
  const choice = facts.deemingChoice ?? 'max';
  if (choice === 'max') return offered(longest, false, row.rule);
  if (row.options.includes(choice)) return offered(choice, false, row.rule);
  const periods = row.options.join(' or ');
  return refused(
    row.rule,
    `${inYears(choice)} is not offered to ${facts.kind} for a period from ${yearOf(start)}: choose ${periods}`,
  );
}

/** Which years count for the chosen period (DEEM-1 to DEEM-8). */
export function decideDeeming(facts: UnitFacts, policy: Policy): Deeming {
  const { from, to } = scheme[facts.kind];
  // Outside the scheme the dates are the reason; "no years left" would only say it twice.
  if (facts.installedOn < from || facts.installedOn > to) return offered(0, false);
  const already = facts.yearsAlreadyDeemed;
  if (already === 'max')
    return refused('DEEM-7', 'the maximum period was taken before: no later period follows');
  const start = periodStart(facts.installedOn, already);
  return facts.kind === 'solar'
    ? solarDeeming(facts, start, already === 0)
    : windHydroDeeming(facts, start, policy);
}
