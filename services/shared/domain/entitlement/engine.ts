import { batteryAssumptions, unitAssumptions } from './assumptions.ts';
import {
  type BatteryCase,
  batteryNotices,
  batteryRefusals,
  limitOf,
  type UnitCase,
  unitNotices,
  unitRefusals,
} from './checks.ts';
import type { EntitlementInput } from './columns.ts';
import { zoneTables } from './data/scheme.ts';
import { ruleSetVersion } from './data/version.ts';
import { inForce } from './dated.ts';
import { type Decimal, floor, times, toText, wholeNumber } from './decimal.ts';
import { decideDeeming } from './deeming.ts';
import { explainBattery, explainInvalid, explainUnit } from './explain.ts';
import { type BatteryFacts, type Facts, readFacts, type UnitFacts } from './facts.ts';
import { defaultPolicy, type Policy } from './kinds.ts';
import { decideMultiplier } from './multiplier.ts';
import {
  annualOutput,
  type BatteryProduct,
  batteryProduct,
  type CapacityPart,
  capacityParts,
  roundProduct,
  sum,
} from './quantities.ts';
import type { Reason } from './reasons.ts';
import type { Entitlement, EntitlementResult } from './result.ts';
import { policySuffix, ruleSetName } from './rule-set.ts';
import { timeLimit } from './time-limit.ts';

/** An entitlement together with what its working is written from. */
type Assessment =
  | { readonly kind: 'invalid'; readonly entitlement: Entitlement }
  | {
      readonly kind: 'unit';
      readonly entitlement: Entitlement;
      readonly subject: UnitCase;
      readonly parts: readonly CapacityPart[];
    }
  | {
      readonly kind: 'battery';
      readonly entitlement: Entitlement;
      readonly subject: BatteryCase;
      readonly product: BatteryProduct | undefined;
    };

function unique(ids: readonly string[]): readonly string[] {
  return [...new Set(ids)];
}

const rulesOf = (reasons: readonly Reason[]): readonly string[] => reasons.map(({ rule }) => rule);

/** A row that cannot be calculated: its reasons, and a rule set without kind or day. */
export function invalidEntitlement(reasons: readonly Reason[], policy: Policy = defaultPolicy): Entitlement {
  return {
    outcome: 'invalid',
    stcs: null,
    unrounded: null,
    annual_mwh: null,
    stcs_without_solar_credits: null,
    rule_set: ruleSetVersion + policySuffix(policy),
    rule_ids: unique(rulesOf(reasons)),
    reasons,
    notices: [],
    assumed: [],
  };
}

function unitCase(facts: UnitFacts, policy: Policy): UnitCase {
  return {
    facts,
    policy,
    annual: annualOutput(facts, facts.kw),
    limit: limitOf(facts),
    timeLimit: timeLimit(facts, policy),
    deeming: decideDeeming(facts, policy),
    multiplier: decideMultiplier(facts),
  };
}

function formulaRules(facts: UnitFacts): readonly string[] {
  if (facts.kind !== 'solar') {
    const hours = facts.hours > facts.defaultHours ? 'HOURS-2' : 'HOURS-1';
    return [hours, facts.kind === 'wind' ? 'FORM-2' : 'FORM-3'];
  }
  const table = facts.postcode === undefined ? undefined : inForce(zoneTables, facts.installedOn);
  return table === undefined ? ['ZONE-1', 'FORM-1'] : [table.rule, 'ZONE-1', 'FORM-1'];
}

function caseRules(
  { facts, limit, timeLimit: creation, deeming, multiplier }: UnitCase,
  parts: number,
): readonly string[] {
  const split = multiplier.factor === 1 ? [] : [parts === 1 ? 'FORM-4' : 'FORM-5'];
  return [
    ...(creation === undefined ? [] : [creation.rule]),
    ...(limit === undefined ? [] : [limit.rule]),
    ...deeming.rules,
    ...formulaRules(facts),
    ...multiplier.rules,
    ...split,
    ...(facts.installationType === 'Extension' ? ['ADD-1'] : []),
  ];
}

interface Outcome {
  readonly outcome: 'eligible' | 'ineligible';
  readonly stcs: number;
  readonly unrounded: string | null;
  readonly rules: readonly string[];
}

const nothing: Outcome = { outcome: 'ineligible', stcs: 0, unrounded: null, rules: [] };

function unitOutcome(product: Decimal, reasons: readonly Reason[]): Outcome {
  if (reasons.length > 0) return nothing;
  const { stcs, rule } = roundProduct(product);
  return { outcome: 'eligible', stcs, unrounded: toText(product), rules: ['ROUND-1', rule] };
}

function withoutMultiplier(
  { annual, deeming, multiplier }: UnitCase,
  reasons: readonly Reason[],
): number | null {
  if (multiplier.factor === 1 || reasons.length > 0) return null;
  return roundProduct(times(annual, wholeNumber(deeming.years))).stcs;
}

function assessUnit(facts: UnitFacts, policy: Policy): Assessment {
  const subject = unitCase(facts, policy);
  const parts = capacityParts(facts, subject.deeming.years, subject.multiplier);
  const reasons = unitRefusals(subject);
  const notices = unitNotices(subject);
  const { outcome, stcs, unrounded, rules } = unitOutcome(sum(parts.map(({ product }) => product)), reasons);
  const entitlement: Entitlement = {
    outcome,
    stcs,
    unrounded,
    annual_mwh: toText(subject.annual),
    stcs_without_solar_credits: withoutMultiplier(subject, reasons),
    rule_set: ruleSetName(facts.kind, facts.installedOn, policy),
    rule_ids: unique([
      ...caseRules(subject, parts.length),
      ...rules,
      ...rulesOf(reasons),
      ...rulesOf(notices),
    ]),
    reasons,
    notices,
    assumed: unitAssumptions(subject, reasons),
  };
  return { kind: 'unit', entitlement, subject, parts };
}

/** BAT-6 only ever rounds a battery down: the half that a generation unit gets is not said of it. */
function batteryOutcome(product: BatteryProduct | undefined, reasons: readonly Reason[]): Outcome {
  if (product === undefined || reasons.length > 0) return nothing;
  return {
    outcome: 'eligible',
    stcs: Number(floor(product.product)),
    unrounded: toText(product.product),
    rules: [product.factor.rule, 'BAT-3', product.tierRule, 'ROUND-1', 'BAT-6'],
  };
}

function assessBattery(facts: BatteryFacts, policy: Policy): Assessment {
  const subject: BatteryCase = { facts, policy, timeLimit: timeLimit(facts, policy) };
  const product = batteryProduct(facts);
  const reasons = batteryRefusals(subject);
  const notices = batteryNotices(subject);
  const { outcome, stcs, unrounded, rules } = batteryOutcome(product, reasons);
  const creation = subject.timeLimit === undefined ? [] : [subject.timeLimit.rule];
  const entitlement: Entitlement = {
    outcome,
    stcs,
    unrounded,
    annual_mwh: null,
    stcs_without_solar_credits: null,
    rule_set: ruleSetName('battery', facts.installedOn, policy),
    rule_ids: unique([...creation, ...rules, ...rulesOf(reasons), ...rulesOf(notices)]),
    reasons,
    notices,
    assumed: batteryAssumptions(subject, reasons),
  };
  return { kind: 'battery', entitlement, subject, product };
}

function assessFacts(facts: Facts, policy: Policy): Assessment {
  return facts.kind === 'battery' ? assessBattery(facts, policy) : assessUnit(facts, policy);
}

function assessInput(input: EntitlementInput, policy: Policy): Assessment {
  const reading = readFacts(input);
  if ('faults' in reading)
    return { kind: 'invalid', entitlement: invalidEntitlement(reading.faults, policy) };
  return assessFacts(reading.facts, policy);
}

/**
 * The figures of one calculation, without the working: what a file of many rows needs. Pure; every day it depends on is in the
 * input. Wrong data is a value (`outcome: 'invalid'`), never an exception.
 */
export function assessEntitlement(input: EntitlementInput, policy: Policy = defaultPolicy): Entitlement {
  return assessInput(input, policy).entitlement;
}

function explain(assessment: Assessment): Pick<EntitlementResult, 'checks' | 'working'> {
  switch (assessment.kind) {
    case 'invalid':
      return explainInvalid(assessment.entitlement);
    case 'unit':
      return explainUnit(assessment.entitlement, assessment.subject, assessment.parts);
    case 'battery':
      return explainBattery(assessment.entitlement, assessment.subject, assessment.product);
  }
}

/** The figures, the questions answered, and the working as a person would write it. */
export function computeEntitlement(
  input: EntitlementInput,
  policy: Policy = defaultPolicy,
): EntitlementResult {
  const assessment = assessInput(input, policy);
  return { ...assessment.entitlement, ...explain(assessment) };
}
