import { addMonths } from './calendar.ts';
import { batteryNominalKwh } from './data/battery.ts';
import { firstPeriodMonths, type Limit, limits, scheme } from './data/scheme.ts';
import { inForce, inForceOrFirst } from './dated.ts';
import { compare, type Decimal, decimal, plus, toText } from './decimal.ts';
import { type Deeming, inYears } from './deeming.ts';
import type { BatteryFacts, Facts, UnitFacts } from './facts.ts';
import type { Policy } from './kinds.ts';
import type { Multiplier } from './multiplier.ts';
import { annualOutput } from './quantities.ts';
import { type Reason, reason } from './reasons.ts';
import { isAfter, type TimeLimit } from './time-limit.ts';

/** Everything decided about a unit before it is refused or not. */
export interface UnitCase {
  readonly facts: UnitFacts;
  readonly policy: Policy;
  readonly annual: Decimal;
  readonly limit: Limit | undefined;
  readonly timeLimit: TimeLimit | undefined;
  readonly deeming: Deeming;
  readonly multiplier: Multiplier;
}

export interface BatteryCase {
  readonly facts: BatteryFacts;
  readonly policy: Policy;
  readonly timeLimit: TimeLimit | undefined;
}

type DatedCase = {
  readonly facts: Facts;
  readonly policy: Policy;
  readonly timeLimit: TimeLimit | undefined;
};
type Check<Case> = (subject: Case) => Reason | undefined;

/** KW-1: above 0, up to 3 decimals. */
const leastPower = decimal('0.001');

const powerStation = 'not a small generation unit but a power station, which needs accreditation';

function beforeScheme({ facts }: DatedCase): Reason | undefined {
  const { from, startRule } = scheme[facts.kind];
  if (facts.installedOn >= from) return undefined;
  const message = `installed on ${facts.installedOn}, before ${from}`;
  const advice = facts.kind === 'battery' ? '' : ': perhaps an accredited power station';
  return reason('before_scheme', startRule, 'install_date', message + advice);
}

function afterScheme({ facts }: DatedCase): Reason | undefined {
  const { to, endRule } = scheme[facts.kind];
  if (facts.installedOn <= to) return undefined;
  return reason(
    'after_scheme',
    endRule,
    'install_date',
    `installed on ${facts.installedOn}, after the scheme's end on ${to}`,
  );
}

function notInstalledYet({ facts }: DatedCase): Reason | undefined {
  const { installedOn, createdOn, today } = facts;
  if (today !== undefined && installedOn > today) {
    return reason(
      'installed_in_future',
      'TIME-4',
      'install_date',
      `installed on ${installedOn}, after today ${today}`,
    );
  }
  if (createdOn === undefined || installedOn <= createdOn) return undefined;
  const message = `created on ${createdOn}, before the installation on ${installedOn}`;
  return reason('installed_in_future', 'ELIG-2', 'created_on', message);
}

function tooLate({ facts, policy, timeLimit: limit }: DatedCase): Reason | undefined {
  const { createdOn } = facts;
  if (createdOn === undefined || limit?.anniversary === undefined) return undefined;
  if (!isAfter(createdOn, limit.anniversary, policy)) return undefined;
  const last =
    policy.anniversary === 'included'
      ? `last day ${limit.anniversary}`
      : `first day too late ${limit.anniversary}`;
  const message = `created on ${createdOn}, over ${limit.months} months after the installation on ${facts.installedOn} (${last})`;
  return reason('too_late', limit.rule, 'created_on', message);
}

function powerOver({ facts, limit }: UnitCase): Reason | undefined {
  if (limit === undefined || compare(facts.kw, limit.kw) <= 0) return undefined;
  const message = `${toText(facts.kw)} kW is over ${toText(limit.kw)} kW: ${powerStation}`;
  return reason('power_over_threshold', limit.rule, 'kw', message);
}

function outputOver({ annual, limit }: UnitCase): Reason | undefined {
  if (limit === undefined || compare(annual, limit.mwhAYear) <= 0) return undefined;
  const message = `${toText(annual)} MWh a year is over ${toText(limit.mwhAYear)} MWh: ${powerStation}`;
  return reason('output_over_threshold', limit.rule, 'kw', message);
}

/** Whatever was there before had at least the least power there is: an extension as large as the limit is always over it. */
function extensionOver({ facts, limit }: UnitCase): Reason | undefined {
  if (facts.installationType !== 'Extension' || limit === undefined) return undefined;
  const total = plus(facts.given.existing_kw ?? leastPower, facts.kw);
  const output = annualOutput(facts, total);
  if (compare(total, limit.kw) <= 0 && compare(output, limit.mwhAYear) <= 0) return undefined;
  const bounds = `${toText(limit.kw)} kW or ${toText(limit.mwhAYear)} MWh`;
  const message = `${toText(total)} kW and ${toText(output)} MWh a year in all, over ${bounds}: the system becomes a power station`;
  return reason('extension_over_threshold', 'ADD-2', 'existing_kw', message);
}

function partsReplaced({ facts }: UnitCase): Reason | undefined {
  if (facts.installationType !== 'Replacement' || facts.given.complete_unit !== false) return undefined;
  const message = 'replaced parts of a system earn nothing, added capacity or a whole new system does';
  return reason('replacement_not_eligible', 'ADD-3', 'installation_type', message);
}

function notAccredited({ facts, deeming }: UnitCase): Reason | undefined {
  if (facts.kind !== 'solar' || !deeming.isMaximum || facts.given.accredited_installer !== false)
    return undefined;
  const message = `the maximum of ${inYears(deeming.years)} needs an accredited installer: the 1-year and 5-year periods do not`;
  return reason('installer_not_accredited', 'DEEM-7', 'accredited_installer', message);
}

function noEvidence({ facts }: UnitCase): Reason | undefined {
  if (facts.yearsAlreadyDeemed === 0 || facts.given.still_installed !== false) return undefined;
  const message = 'a later period needs evidence that the unit is still installed and likely to work';
  return reason('later_period_without_evidence', 'DEEM-8', 'still_installed', message);
}

function notAudited({ facts }: UnitCase): Reason | undefined {
  if (facts.kind === 'solar' || facts.hours <= facts.defaultHours || facts.given.hours_audited !== false)
    return undefined;
  const message = `${facts.hours} hours are more than the default of ${facts.defaultHours}: a site audit is needed`;
  return reason('hours_without_audit', 'HOURS-2', 'hours_audited', message);
}

function sizeOutside({ facts }: BatteryCase): Reason | undefined {
  const { least, most } = inForceOrFirst(batteryNominalKwh, facts.installedOn);
  // The usable capacity never exceeds the nominal one, so it can prove a battery too large, though never too small.
  const size = facts.nominalKwh ?? facts.usableKwh;
  const isTooSmall = facts.nominalKwh !== undefined && compare(size, least) < 0;
  if (!isTooSmall && compare(size, most) <= 0) return undefined;
  const message = `${toText(size)} kWh is outside ${toText(least)} to ${toText(most)} kWh nominal`;
  return reason('battery_size_outside', 'BAT-3', 'nominal_kwh', message);
}

const batteryCondition = (
  field: 'with_solar' | 'vpp_ready' | 'earlier_battery_claim',
  message: string,
): Reason => reason('battery_condition_unmet', 'BAT-7', field, message);

function withoutSolar({ facts }: BatteryCase): Reason | undefined {
  return facts.given.with_solar === false
    ? batteryCondition('with_solar', 'the battery is not installed with solar')
    : undefined;
}

function notVppReady({ facts: { given } }: BatteryCase): Reason | undefined {
  if (given.vpp_ready !== false || given.off_grid === true) return undefined;
  return batteryCondition('vpp_ready', 'a battery on the grid must be ready for a virtual power plant');
}

function secondBattery({ facts }: BatteryCase): Reason | undefined {
  if (facts.given.earlier_battery_claim !== true) return undefined;
  return batteryCondition('earlier_battery_claim', 'there is another battery claim for the premises');
}

const dateChecks: readonly Check<DatedCase>[] = [beforeScheme, afterScheme, notInstalledYet, tooLate];

const batteryChecks: readonly Check<BatteryCase>[] = [
  ...dateChecks,
  sizeOutside,
  withoutSolar,
  notVppReady,
  secondBattery,
];

const limitChecks: readonly Check<UnitCase>[] = [
  ...dateChecks,
  powerOver,
  outputOver,
  extensionOver,
  partsReplaced,
];
const choiceChecks: readonly Check<UnitCase>[] = [notAccredited, noEvidence, notAudited];

function failures<Case>(checks: readonly Check<Case>[], subject: Case): readonly Reason[] {
  const found: Reason[] = [];
  for (const check of checks) {
    const failure = check(subject);
    if (failure !== undefined) found.push(failure);
  }
  return found;
}

/** Every reason to refuse, in the precedence of the catalogue. */
export function unitRefusals(subject: UnitCase): readonly Reason[] {
  const notOffered = subject.deeming.reasons.filter(({ code }) => code === 'deeming_not_offered');
  return [...failures(limitChecks, subject), ...notOffered, ...failures(choiceChecks, subject)];
}

export function batteryRefusals(subject: BatteryCase): readonly Reason[] {
  return failures(batteryChecks, subject);
}

/** TIME-2 allows any time "for 1 or 5 years"; for the maximum neither the guide nor the rules say a word. */
function silentTimeLimit({ facts, policy, timeLimit: limit, deeming }: UnitCase): Reason | undefined {
  const { createdOn } = facts;
  if (createdOn === undefined || limit === undefined || limit.anniversary !== undefined || !deeming.isMaximum)
    return undefined;
  if (!isAfter(createdOn, addMonths(facts.installedOn, firstPeriodMonths), policy)) return undefined;
  const message = `created any time is said of 1 and 5 years, not of ${deeming.years}`;
  return reason('time_limit_not_stated', limit.rule, 'created_on', message);
}

export function unitNotices(subject: UnitCase): readonly Reason[] {
  const lowered = subject.deeming.reasons.filter(({ code }) => code === 'deeming_lowered');
  return [...lowered, ...failures([silentTimeLimit], subject), ...subject.multiplier.notices];
}

export function batteryNotices({ facts }: BatteryCase): readonly Reason[] {
  if (facts.given.solar_credits !== true) return [];
  return [reason('multiplier_not_applied', 'BAT-6', 'solar_credits', 'batteries have no Solar Credits')];
}

export function limitOf(facts: UnitFacts): Limit | undefined {
  return inForce(limits[facts.kind], facts.installedOn);
}
