import { assert } from '#shared/base/errors.ts';
import type { InputColumn } from './columns.ts';
import { premisesKinds } from './data/premises.ts';
import {
  excludingProgrammes,
  multipliedKw,
  type Programme,
  schedules,
  solarCreditsWindow,
  transition,
} from './data/solar-credits.ts';
import { inForce, inForceOrFirst } from './dated.ts';
import { type Decimal, zero } from './decimal.ts';
import type { UnitFacts } from './facts.ts';
import { type Reason, reason } from './reasons.ts';

/** The multiplier of Solar Credits and the capacity it covers; factor 1 when nothing is multiplied. */
export interface Multiplier {
  readonly factor: number;
  readonly firstKw: Decimal;
  readonly rules: readonly string[];
  readonly notices: readonly Reason[];
}

interface Unmet {
  readonly rule: string;
  readonly field: InputColumn;
  readonly message: string;
}

const premisesByKind = new Map(premisesKinds.map((place) => [place.kind, place]));

const unmet = (rule: string, field: InputColumn, message: string): Unmet => ({ rule, field, message });

export function inSolarCreditsWindow(facts: UnitFacts): boolean {
  return facts.installedOn >= solarCreditsWindow.from && facts.installedOn <= solarCreditsWindow.to;
}

function named(programmes: readonly Programme[], excluding: readonly Programme[]): string {
  return programmes.filter((programme) => excluding.includes(programme)).join(', ');
}

/** The multiplier of the schedule on the day, before any condition. */
export function scheduledMultiplier(facts: UnitFacts): number {
  if (!inSolarCreditsWindow(facts)) return 1;
  return inForce(schedules[facts.solarCredits.schedule].rows, facts.installedOn)?.multiplier ?? 1;
}

/** SC-4 lies within the regulated schedule: a contract from before the change keeps the multiplier of its day. */
export function isTransitionContract(facts: UnitFacts): boolean {
  const contract = facts.given.contract_date;
  return (
    facts.solarCredits.schedule === 'regulated' &&
    facts.installedOn >= transition.installedFrom &&
    facts.installedOn < transition.installedBefore &&
    contract !== undefined &&
    contract < transition.contractBefore
  );
}

/** The conditions, in the order in which an unmet one is reported. Each names itself when it fails (SC-11). */
const conditions: readonly ((facts: UnitFacts) => Unmet | undefined)[] = [
  (facts) =>
    inSolarCreditsWindow(facts)
      ? undefined
      : unmet(
          'SC-5',
          'install_date',
          `installed outside ${solarCreditsWindow.from} to ${solarCreditsWindow.to}`,
        ),
  (facts) =>
    inSolarCreditsWindow(facts) && scheduledMultiplier(facts) === 1
      ? unmet(
          schedules[facts.solarCredits.schedule].rule,
          'install_date',
          `the multiplier on ${facts.installedOn} is 1`,
        )
      : undefined,
  (facts) =>
    facts.installationType === 'Extension'
      ? unmet('ADD-1', 'installation_type', 'added capacity is not multiplied')
      : undefined,
  ({ given }) => (given.new_unit === false ? unmet('SC-9', 'new_unit', 'the unit is not new') : undefined),
  ({ given }) =>
    given.complete_unit === false ? unmet('SC-9', 'complete_unit', 'the unit is not complete') : undefined,
  ({ given }) =>
    given.metered === false
      ? unmet('SC-9', 'metered', 'the unit cannot be metered at the premises and has no meter of its own')
      : undefined,
  ({ given }) => {
    const place = given.premises === undefined ? undefined : premisesByKind.get(given.premises);
    return place === undefined || place.eligible
      ? undefined
      : unmet(place.rule, 'premises', `${place.kind} ${place.why}`);
  },
  ({ solarCredits }) => {
    const names = named(solarCredits.unitProgrammes, excludingProgrammes.unit);
    return names === '' ? undefined : unmet('SC-7', 'unit_programmes', `the unit had ${names}`);
  },
  ({ solarCredits }) => {
    const names = named(solarCredits.premisesProgrammes, excludingProgrammes.premises);
    return names === ''
      ? undefined
      : unmet('SC-8', 'premises_programmes', `another unit at the premises had ${names}`);
  },
  ({ given }) =>
    given.multiplied_before === true
      ? unmet('SC-10', 'multiplied_before', 'certificates were multiplied at the premises before')
      : undefined,
];

function notice({ rule, field, message }: Unmet): Reason {
  return reason('multiplier_not_applied', rule, field, message);
}

function single(notices: readonly Reason[]): Multiplier {
  return { factor: 1, firstKw: zero, rules: [], notices };
}

function premisesRule(facts: UnitFacts): readonly string[] {
  const place = facts.given.premises === undefined ? undefined : premisesByKind.get(facts.given.premises);
  return place === undefined ? [] : [place.rule];
}

/** What multiplies the first kW (SC-1 to SC-11, ADD-1, PREM-1 to PREM-8). Nothing here refuses: an unmet condition is a notice. */
export function decideMultiplier(facts: UnitFacts): Multiplier {
  if (!facts.solarCredits.claimed) return single([]);
  const failures = conditions.map((condition) => condition(facts)).filter((failure) => failure !== undefined);
  if (failures.length > 0) return single(failures.map(notice));
  const covered = inForceOrFirst(
    multipliedKw[facts.solarCredits.offGrid ? 'offGrid' : 'grid'],
    facts.installedOn,
  );
  const scheduled = scheduledMultiplier(facts);
  const schedule = schedules[facts.solarCredits.schedule];
  assert(scheduled > 1, 'a multiplier of 1 is an unmet condition');
  const applied = (factor: number, rule: string, notices: readonly Reason[]): Multiplier => ({
    factor,
    firstKw: covered.kw,
    rules: [rule, covered.rule, ...premisesRule(facts)],
    notices,
  });
  if (!isTransitionContract(facts)) return applied(scheduled, schedule.rule, []);
  if (facts.given.statutory_declaration !== false) return applied(transition.multiplier, transition.rule, []);
  const message = `no statutory declaration: ${scheduled} instead of ${transition.multiplier}`;
  return applied(scheduled, schedule.rule, [
    notice(unmet(transition.rule, 'statutory_declaration', message)),
  ]);
}
