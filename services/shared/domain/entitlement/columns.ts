import { parseDay } from './calendar.ts';
import { batteryNominalKwh } from './data/battery.ts';
import { solarShortPeriods } from './data/deeming.ts';
import { premisesKinds } from './data/premises.ts';
import { defaultHours, firstPeriodMonths, hoursMax } from './data/scheme.ts';
import { multipliedKw, type Programme, programmes, scheduleNames, transition } from './data/solar-credits.ts';
import { type Decimal, isWhole, parseDecimal, toText } from './decimal.ts';
import { generationKinds, type UnitKind, unitKinds, type Zone } from './kinds.ts';

/** One input column: how its text is read, and what people are told about it. `parse` gives undefined for text it refuses. */
interface Column<Value> {
  readonly parse: (text: string) => Value | undefined;
  /** Completes "expected ...". */
  readonly expects: string;
  readonly help: string;
  /** Kinds of unit that have it; filled in for another kind it is `field_not_for_kind`. */
  readonly kinds: readonly UnitKind[];
}

interface Help {
  readonly help: string;
  readonly kinds?: readonly UnitKind[];
}

function column<Value>(
  expects: string,
  parse: (text: string) => Value | undefined,
  about: Help,
): Column<Value> {
  return { parse, expects, help: about.help, kinds: about.kinds ?? unitKinds };
}

function choice<const Value extends string>(values: readonly Value[], about: Help): Column<Value> {
  const byText = new Map(values.map((value) => [value.toLowerCase(), value]));
  return column(`one of ${values.join(', ')}`, (text) => byText.get(text.toLowerCase()), about);
}

const yesNoWords = new Map([
  ...['yes', 'y', 'true'].map((word) => [word, true] as const),
  ...['no', 'n', 'false'].map((word) => [word, false] as const),
]);

function yesNo(about: Help): Column<boolean> {
  return column('yes or no', (text) => yesNoWords.get(text.toLowerCase()), about);
}

function day(about: Help): Column<string> {
  return column('a day of the calendar as YYYY-MM-DD', parseDay, about);
}

function positive(unit: string, about: Help): Column<Decimal> {
  const parse = (text: string): Decimal | undefined => {
    const value = parseDecimal(text);
    return value !== undefined && value.units > 0n && value.scale <= 3 ? value : undefined;
  };
  return column(`a number of ${unit} above 0 with at most 3 decimals`, parse, about);
}

function whole(least: number, most: number, about: Help): Column<number> {
  const parse = (text: string): number | undefined => {
    const value = parseDecimal(text);
    if (value === undefined || !isWhole(value)) return undefined;
    const number = Number(value.units);
    return number >= least && number <= most ? number : undefined;
  };
  return column(`a whole number from ${least} to ${most}`, parse, about);
}

function orMax(numbers: Column<number>): Column<number | 'max'> {
  const parse = (text: string) => (text.toLowerCase() === 'max' ? 'max' : numbers.parse(text));
  return { ...numbers, parse, expects: `${numbers.expects}, or max` };
}

function programmeList(about: Help): Column<readonly Programme[]> {
  const known: ReadonlySet<string> = new Set(programmes);
  const parse = (text: string): readonly Programme[] | undefined => {
    const words = text
      .toUpperCase()
      .split(/[\s;+/|,]+/)
      .filter((word) => word !== '');
    if (words.length === 1 && words[0] === 'NONE') return [];
    return words.every((word): word is Programme => known.has(word)) ? words : undefined;
  };
  return column(`none, or names out of ${programmes.join(' ')} with spaces between`, parse, about);
}

function zoneColumn(about: Help): Column<Zone> {
  const zones: ReadonlyMap<string, Zone> = new Map([
    ['1', 1],
    ['2', 2],
    ['3', 3],
    ['4', 4],
  ] as const);
  return column('1, 2, 3 or 4', (text) => zones.get(text), about);
}

/** The figures of today's help are the tables': those of the newest rows. */
const nominal = batteryNominalKwh.at(-1);
const hours = { wind: defaultHours.wind.at(-1)?.hours, hydro: defaultHours.hydro.at(-1)?.hours };
const offGrid = multipliedKw.offGrid.at(-1);
const { single, five } = solarShortPeriods;

const amount = (value: Decimal | undefined): string => (value === undefined ? '' : toText(value));

const postcodeText = /^\d{4}$/;
const windHydro = ['wind', 'hydro'] as const;

/** The input columns, in the order of `--help`. The JSON of a calculation has the same names. */
export const columns = {
  system_type: choice(unitKinds, { help: 'Kind of unit. Always needed.' }),
  postcode: column(
    'four digits, leading zeros kept',
    (text) => (postcodeText.test(text) ? text : undefined),
    {
      help: 'Postcode of the installation, solar: gives the zone, by the table of the installation date (ZONE-2, ZONE-3).',
    },
  ),
  zone: zoneColumn({ help: 'Solar zone. Wins over postcode. Solar needs one of the two.' }),
  kw: positive('kW', {
    help: 'Rated power, the exact figure of the maker. With Extension: the added power alone.',
    kinds: generationKinds,
  }),
  install_date: day({
    help: 'Installation; battery: day of the certificate of compliance. Chooses the rules (DATE-1). Always needed.',
  }),
  deeming_years: orMax(
    whole(0, 99, {
      help: `Solar: ${single}, ${five} or the maximum of the day. Wind, hydro: 1 or 5, fewer towards the end of the scheme (DEEM-6). Empty or max: the most. Batteries have none.`,
      kinds: generationKinds,
    }),
  ),
  resource_hours: whole(1, hoursMax, {
    help: `Resource hours a year. Empty: wind ${hours.wind}, hydro ${hours.hydro} (HOURS-1).`,
    kinds: windHydro,
  }),
  hours_audited: yesNo({
    help: "A site audit report is kept, with the auditor's name and contact (HOURS-2). Asked above the default hours.",
    kinds: windHydro,
  }),
  solar_credits: yesNo({
    help: 'Is the multiplier claimed? Empty: no. A condition that fails gives 1 and a note (SC-11).',
  }),
  solar_credits_schedule: choice(scheduleNames, {
    help: 'regulated: the multipliers that applied (SC-2). guide: those of the owners guide, the maximum of the Act (SC-1). Empty: regulated.',
  }),
  nominal_kwh: positive('kWh', {
    help: `Nominal size of the battery, ${amount(nominal?.least)} to ${amount(nominal?.most)} (BAT-3).`,
    kinds: ['battery'],
  }),
  usable_kwh: positive('kWh', {
    help: 'Usable capacity of the approved list. Batteries need it.',
    kinds: ['battery'],
  }),
  created_on: day({
    help: `Day the certificates are created: not before installation, not over ${firstPeriodMonths} months after (TIME-1, TIME-2).`,
  }),
  today: day({ help: 'Day of asking. Given, nothing may be installed or created after it (TIME-4).' }),
  accredited_installer: yesNo({
    help: `Designed and installed by an accredited person (DEEM-7). The solar maximum needs it; ${single} and ${five} years do not.`,
  }),
  installation_type: choice(['New', 'Replacement', 'Extension', 'Additional system'], {
    help: 'Empty: New. Replacement of a whole system (complete_unit yes) earns, of parts not (ADD-3). Extension: added kw, no multiplier (ADD-1). Additional system: a unit of its own.',
  }),
  existing_kw: positive('kW', {
    help: 'Extension: power installed before. The total must stay within the limits (ADD-2).',
    kinds: generationKinds,
  }),
  years_already_deemed: orMax(
    whole(0, 99, {
      help: 'Years that earlier claims for the unit cover. 0 or empty: first period. max: the maximum was taken, nothing follows (DEEM-7).',
      kinds: generationKinds,
    }),
  ),
  still_installed: yesNo({
    help: 'Later periods: evidence that the unit is there and likely to work (DEEM-8).',
    kinds: generationKinds,
  }),
  new_unit: yesNo({ help: 'Solar Credits: the unit is new (SC-9).' }),
  complete_unit: yesNo({
    help: 'Solar Credits: usable power without added parts (SC-9). Replacement: a whole new system (ADD-3).',
  }),
  metered: yesNo({
    help: 'Solar Credits: wired so that it can be metered, or with a meter of its own (SC-9).',
  }),
  premises: choice(
    premisesKinds.map(({ kind }) => kind),
    { help: 'Solar Credits: the place (PREM-1 to PREM-8).' },
  ),
  unit_programmes: programmeList({
    help: 'Solar Credits: earlier approval, agreement or assistance for this unit. SHCP, RRPGP and NSSP exclude it (SC-7).',
  }),
  premises_programmes: programmeList({
    help: 'Solar Credits: assistance for another unit at the premises. SHCP, PVRP, RRPGP and NSSP exclude it (SC-8).',
  }),
  multiplied_before: yesNo({
    help: 'Solar Credits: certificates of a unit at the premises were multiplied before (SC-10).',
  }),
  off_grid: yesNo({
    help: `1 km or more from the main grid, or a proven connection cost over $30,000: the first ${amount(offGrid?.kw)} kW are multiplied (SC-6). Empty: no.`,
  }),
  contract_date: day({
    help: `Solar Credits: contracted before ${transition.contractBefore} and installed from ${transition.installedFrom}, before ${transition.installedBefore}, keeps ${transition.multiplier} (${transition.rule}).`,
  }),
  statutory_declaration: yesNo({
    help: 'Solar Credits: the statutory declaration about the contract is given (SC-4).',
  }),
  with_solar: yesNo({ help: 'Battery: installed with solar (BAT-7).', kinds: ['battery'] }),
  vpp_ready: yesNo({
    help: 'Battery on the grid: ready for a virtual power plant (BAT-7).',
    kinds: ['battery'],
  }),
  earlier_battery_claim: yesNo({
    help: 'Battery: another battery claim for the premises (BAT-7).',
    kinds: ['battery'],
  }),
} as const;

export type InputColumn = keyof typeof columns;

/** One calculation as text, by column. A missing or empty value is "not given". */
export type EntitlementInput = { readonly [Name in InputColumn]?: string | undefined };

/** The values of the columns that were given. */
export type Cells = {
  readonly [Name in InputColumn]?: Exclude<ReturnType<(typeof columns)[Name]['parse']>, undefined>;
};

export const inputColumns = Object.keys(columns) as readonly InputColumn[];
