import { type Day, nextDay } from './calendar.ts';
import { batteryFactors, batteryNominalKwh, batteryTiers } from './data/battery.ts';
import { solarMaximum, windHydroPeriods } from './data/deeming.ts';
import {
  creationMonths,
  defaultHours,
  limits,
  resourceFactors,
  scheme,
  zoneRatings,
  zoneTables,
} from './data/scheme.ts';
import { multipliedKw, schedules, solarCreditsWindow, transition } from './data/solar-credits.ts';
import { ruleSetVersion } from './data/version.ts';
import { type Dated, inForce } from './dated.ts';
import { defaultPolicy, type Policy, type UnitKind } from './kinds.ts';

const solarCreditsDays: readonly Dated[] = [
  ...schedules.regulated.rows,
  ...schedules.guide.rows,
  ...multipliedKw.grid,
  ...multipliedKw.offGrid,
  { from: solarCreditsWindow.from },
  { from: nextDay(solarCreditsWindow.to) },
  { from: transition.installedFrom },
  { from: transition.installedBefore },
];
const creationDays = [...creationMonths.any_time, ...creationMonths.twelve_months];
const windHydroDays = [...windHydroPeriods.shortened, ...windHydroPeriods.unshortened];

const tables: Readonly<Record<UnitKind, readonly Dated[]>> = {
  solar: [
    ...limits.solar,
    ...zoneTables,
    ...zoneRatings,
    ...solarMaximum,
    ...solarCreditsDays,
    ...creationDays,
  ],
  wind: [
    ...limits.wind,
    ...resourceFactors,
    ...defaultHours.wind,
    ...windHydroDays,
    ...solarCreditsDays,
    ...creationDays,
  ],
  hydro: [
    ...limits.hydro,
    ...resourceFactors,
    ...defaultHours.hydro,
    ...windHydroDays,
    ...solarCreditsDays,
    ...creationDays,
  ],
  battery: [...batteryFactors, ...batteryTiers, ...batteryNominalKwh, ...creationDays],
};

/** The days on which some figure of a kind changes. */
function changes(kind: UnitKind): readonly Dated[] {
  const { from, to } = scheme[kind];
  const days = new Set<Day>([from, nextDay(to)]);
  for (const row of tables[kind]) if (row.from > from && row.from <= to) days.add(row.from);
  return [...days].sort().map((day) => ({ from: day }));
}

const changesByKind: Readonly<Record<UnitKind, readonly Dated[]>> = {
  solar: changes('solar'),
  wind: changes('wind'),
  hydro: changes('hydro'),
  battery: changes('battery'),
};

/** The readings that differ from the defaults, so that a figure made with one says so. */
export function policySuffix(policy: Policy): string {
  if (policy === defaultPolicy) return '';
  const keys = Object.keys(defaultPolicy) as readonly (keyof Policy)[];
  return keys
    .filter((key) => policy[key] !== defaultPolicy[key])
    .map((key) => `+${key}=${policy[key]}`)
    .join('');
}

/** `sres-1/solar/2020-01-01`: version of the tables, kind, and the day since when its figures have not changed (DATE-1). */
export function ruleSetName(kind: UnitKind, installedOn: Day, policy: Policy): string {
  const since = inForce(changesByKind[kind], installedOn);
  const dated = since === undefined ? kind : `${kind}/${since.from}`;
  return `${ruleSetVersion}/${dated}${policySuffix(policy)}`;
}
