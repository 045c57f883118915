import type { BatteryCase, UnitCase } from './checks.ts';
import type { InputColumn } from './columns.ts';
import { compare } from './decimal.ts';
import type { Facts, UnitFacts } from './facts.ts';
import { isTransitionContract, scheduledMultiplier } from './multiplier.ts';
import type { Reason } from './reasons.ts';
import type { Assumption } from './result.ts';
import type { TimeLimit } from './time-limit.ts';

/** What was taken for a column that is empty. The list is what a claim would still have to state. */
class Assumptions {
  readonly list: Assumption[] = [];
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** Adds the column when it was left empty, once. */
  add(field: InputColumn, value: string, rule: string): void {
    if (this.#facts.given[field] !== undefined) return;
    if (this.list.some((known) => known.field === field)) return;
    this.list.push({ field, value, rule });
  }
}

function timeAssumption(assumptions: Assumptions, limit: TimeLimit | undefined): void {
  if (limit === undefined || limit.months === null) return;
  assumptions.add('created_on', `within ${limit.months} months`, limit.rule);
}

function periodAssumptions(assumptions: Assumptions, { facts, deeming }: UnitCase): void {
  if (deeming.years > 0)
    assumptions.add('deeming_years', String(deeming.years), deeming.rules[0] ?? 'DEEM-3');
  if (facts.kind === 'solar' && deeming.isMaximum) assumptions.add('accredited_installer', 'yes', 'DEEM-7');
  if (facts.yearsAlreadyDeemed !== 0) assumptions.add('still_installed', 'yes', 'DEEM-8');
}

function capacityAssumptions(assumptions: Assumptions, facts: UnitFacts): void {
  assumptions.add('installation_type', 'New', 'ADD-3');
  if (facts.installationType === 'Extension') assumptions.add('existing_kw', 'within the limits', 'ADD-2');
  if (facts.installationType === 'Replacement') assumptions.add('complete_unit', 'yes', 'ADD-3');
  if (facts.kind === 'solar') return;
  assumptions.add('resource_hours', String(facts.hours), 'HOURS-1');
  if (facts.hours > facts.defaultHours) assumptions.add('hours_audited', 'yes', 'HOURS-2');
}

const solarCreditsFacts: readonly Assumption[] = [
  { field: 'new_unit', value: 'yes', rule: 'SC-9' },
  { field: 'complete_unit', value: 'yes', rule: 'SC-9' },
  { field: 'metered', value: 'yes', rule: 'SC-9' },
  { field: 'premises', value: 'eligible', rule: 'PREM-1' },
  { field: 'unit_programmes', value: 'none', rule: 'SC-7' },
  { field: 'premises_programmes', value: 'none', rule: 'SC-8' },
  { field: 'multiplied_before', value: 'no', rule: 'SC-10' },
];

function solarCreditsAssumptions(assumptions: Assumptions, { facts, multiplier }: UnitCase): void {
  if (scheduledMultiplier(facts) > 1) assumptions.add('solar_credits', 'no', 'SC-11');
  if (multiplier.factor === 1) return;
  for (const { field, value, rule } of solarCreditsFacts) assumptions.add(field, value, rule);
  if (compare(facts.kw, multiplier.firstKw) > 0) assumptions.add('off_grid', 'no', 'SC-6');
  if (isTransitionContract(facts)) assumptions.add('statutory_declaration', 'yes', 'SC-4');
}

/** What a reason refuses was not taken for granted: an extension too large with whatever was there before, say. */
function withoutRefused(list: readonly Assumption[], refusals: readonly Reason[]): readonly Assumption[] {
  return list.filter(({ field }) => !refusals.some((refusal) => refusal.field === field));
}

export function unitAssumptions(subject: UnitCase, refusals: readonly Reason[]): readonly Assumption[] {
  const assumptions = new Assumptions(subject.facts);
  timeAssumption(assumptions, subject.timeLimit);
  periodAssumptions(assumptions, subject);
  capacityAssumptions(assumptions, subject.facts);
  solarCreditsAssumptions(assumptions, subject);
  return withoutRefused(assumptions.list, refusals);
}

export function batteryAssumptions(
  { facts, timeLimit }: BatteryCase,
  refusals: readonly Reason[],
): readonly Assumption[] {
  const assumptions = new Assumptions(facts);
  timeAssumption(assumptions, timeLimit);
  assumptions.add('nominal_kwh', 'within the limits', 'BAT-3');
  assumptions.add('with_solar', 'yes', 'BAT-7');
  if (facts.given.off_grid !== true) assumptions.add('vpp_ready', 'yes', 'BAT-7');
  assumptions.add('earlier_battery_claim', 'no', 'BAT-7');
  return withoutRefused(assumptions.list, refusals);
}
