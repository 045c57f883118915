import { assert } from '#shared/base/errors.ts';
import type { Day } from './calendar.ts';
import { type Cells, columns, type EntitlementInput, type InputColumn, inputColumns } from './columns.ts';
import { defaultHours, zoneTables } from './data/scheme.ts';
import type { Programme, ScheduleName } from './data/solar-credits.ts';
import { inForceOrFirst } from './dated.ts';
import { compare, type Decimal, toText } from './decimal.ts';
import { type UnitKind, unitKinds, type Zone } from './kinds.ts';
import { quoted, type Reason, reason } from './reasons.ts';
import { zoneOf } from './zones.ts';

/** What is asked about a unit, read and complete. A fact that may be left out is undefined when it was. */
export interface CommonFacts {
  readonly installedOn: Day;
  readonly createdOn: Day | undefined;
  readonly today: Day | undefined;
  readonly installationType: NonNullable<Cells['installation_type']> | undefined;
  readonly given: Cells;
}

export interface GenerationFacts extends CommonFacts {
  readonly kw: Decimal;
  readonly deemingChoice: number | 'max' | undefined;
  readonly yearsAlreadyDeemed: number | 'max';
  readonly solarCredits: SolarCreditsFacts;
}

export interface SolarCreditsFacts {
  readonly claimed: boolean;
  readonly schedule: ScheduleName;
  readonly offGrid: boolean;
  readonly unitProgrammes: readonly Programme[];
  readonly premisesProgrammes: readonly Programme[];
}

export interface SolarFacts extends GenerationFacts {
  readonly kind: 'solar';
  readonly zone: Zone;
  /** Undefined when the zone itself was given. */
  readonly postcode: string | undefined;
}

export interface ResourceFacts extends GenerationFacts {
  readonly kind: 'wind' | 'hydro';
  readonly hours: number;
  /** What is taken when the hours are not known; more than these need a site audit (HOURS-1, HOURS-2). */
  readonly defaultHours: number;
}

export interface BatteryFacts extends CommonFacts {
  readonly kind: 'battery';
  readonly usableKwh: Decimal;
  readonly nominalKwh: Decimal | undefined;
}

export type UnitFacts = SolarFacts | ResourceFacts;
export type Facts = UnitFacts | BatteryFacts;

export type Reading = { readonly facts: Facts } | { readonly faults: readonly Reason[] };

function missing(name: InputColumn, what = `${name} is needed`): Reason {
  return reason('field_missing', 'CLM-1', name, what);
}

/** Every column, nothing given: cells start as a copy, so that all rows have one shape, which is what the engine is fast with. */
const nothingGiven: Cells = Object.fromEntries(inputColumns.map((name) => [name, undefined]));

function parseCells(input: EntitlementInput, faults: Reason[]): Cells {
  const cells: Record<string, unknown> = { ...nothingGiven };
  for (const name of inputColumns) {
    const raw = input[name];
    const text = raw === undefined || raw === '' ? '' : raw.trim();
    if (text === '') continue;
    const value = columns[name].parse(text);
    if (value === undefined) faults.push(unreadableCell(name, text));
    else cells[name] = value;
  }
  return cells as Cells;
}

function unreadableCell(name: InputColumn, text: string): Reason {
  return reason('field_invalid', 'CLM-1', name, `${name} ${quoted(text)}: expected ${columns[name].expects}`);
}

const foreignColumns: ReadonlyMap<UnitKind, readonly InputColumn[]> = new Map(
  unitKinds.map((kind) => [kind, inputColumns.filter((name) => !columns[name].kinds.includes(kind))]),
);

/** `deeming_years=max` says nothing about a kind that has no years; a number does. */
function isHarmless(name: InputColumn, cells: Cells): boolean {
  return name === 'deeming_years' && cells.deeming_years === 'max';
}

function strayCells(kind: UnitKind, cells: Cells): readonly Reason[] {
  const stray: Reason[] = [];
  for (const name of foreignColumns.get(kind) ?? []) {
    if (cells[name] === undefined || isHarmless(name, cells)) continue;
    stray.push(reason('field_not_for_kind', 'CLM-1', name, `${name} is not a column of ${kind} units`));
  }
  return stray;
}

function contradictions(kind: UnitKind, cells: Cells): readonly Reason[] {
  const found: Reason[] = [];
  const type = cells.installation_type;
  if (cells.existing_kw !== undefined && type !== 'Extension') {
    found.push(
      reason(
        'field_not_for_kind',
        'ADD-2',
        'existing_kw',
        'existing_kw belongs to installation_type Extension',
      ),
    );
  }
  if (kind !== 'solar' && cells.years_already_deemed === 'max') {
    const message = `${kind} units have no maximum period`;
    found.push(reason('field_not_for_kind', 'DEEM-4', 'years_already_deemed', message));
  }
  if (kind === 'battery' && (type === 'Extension' || type === 'Replacement')) {
    const message = `no figure is known for the ${type.toLowerCase()} of a battery`;
    found.push(reason('field_not_for_kind', 'BAT-7', 'installation_type', message));
  }
  if (
    cells.usable_kwh !== undefined &&
    cells.nominal_kwh !== undefined &&
    compare(cells.usable_kwh, cells.nominal_kwh) > 0
  ) {
    const message = `usable_kwh ${toText(cells.usable_kwh)} is above nominal_kwh ${toText(cells.nominal_kwh)}`;
    found.push(reason('field_invalid', 'BAT-3', 'usable_kwh', message));
  }
  if (cells.created_on !== undefined && cells.today !== undefined && cells.created_on > cells.today) {
    found.push(
      reason(
        'field_invalid',
        'TIME-4',
        'created_on',
        `created_on ${cells.created_on} is after today ${cells.today}`,
      ),
    );
  }
  return found;
}

/** Empty but needed, and not merely unreadable: that is said already. */
function missingCells(kind: UnitKind, input: EntitlementInput): readonly Reason[] {
  const empty = (name: InputColumn) => (input[name]?.trim() ?? '') === '';
  const needed: readonly InputColumn[] =
    kind === 'battery' ? ['install_date', 'usable_kwh'] : ['kw', 'install_date'];
  const found = needed.filter(empty).map((name) => missing(name));
  if (kind === 'solar' && empty('zone') && empty('postcode'))
    found.push(missing('postcode', 'postcode or zone is needed'));
  return found;
}

function solarCreditsFacts(cells: Cells): SolarCreditsFacts {
  return {
    claimed: cells.solar_credits ?? false,
    schedule: cells.solar_credits_schedule ?? 'regulated',
    offGrid: cells.off_grid ?? false,
    unitProgrammes: cells.unit_programmes ?? [],
    premisesProgrammes: cells.premises_programmes ?? [],
  };
}

function common(cells: Cells, installedOn: Day): CommonFacts {
  return {
    installedOn,
    createdOn: cells.created_on,
    today: cells.today,
    installationType: cells.installation_type,
    given: cells,
  };
}

function zoneFor(cells: Cells, installedOn: Day): Zone | undefined {
  if (cells.zone !== undefined) return cells.zone;
  return cells.postcode === undefined
    ? undefined
    : zoneOf(inForceOrFirst(zoneTables, installedOn), cells.postcode);
}

function generationFacts(kind: 'solar' | 'wind' | 'hydro', cells: Cells): Facts | undefined {
  if (cells.install_date === undefined || cells.kw === undefined) return undefined;
  const shared = {
    ...common(cells, cells.install_date),
    kw: cells.kw,
    deemingChoice: cells.deeming_years,
    yearsAlreadyDeemed: cells.years_already_deemed ?? 0,
    solarCredits: solarCreditsFacts(cells),
  };
  if (kind !== 'solar') {
    const usual = inForceOrFirst(defaultHours[kind], cells.install_date).hours;
    return { ...shared, kind, hours: cells.resource_hours ?? usual, defaultHours: usual };
  }
  const zone = zoneFor(cells, cells.install_date);
  const postcode = cells.zone === undefined ? cells.postcode : undefined;
  return zone === undefined ? undefined : { ...shared, kind, zone, postcode };
}

function batteryFacts(cells: Cells): Facts | undefined {
  if (cells.install_date === undefined || cells.usable_kwh === undefined) return undefined;
  const sizes = { usableKwh: cells.usable_kwh, nominalKwh: cells.nominal_kwh };
  return { ...common(cells, cells.install_date), ...sizes, kind: 'battery' };
}

/** Missing first, then unreadable or contradictory, then columns of another kind. */
function allFaults(
  kind: UnitKind,
  cells: Cells,
  input: EntitlementInput,
  unreadable: readonly Reason[],
): readonly Reason[] {
  const absent = missingCells(kind, input);
  const against = contradictions(kind, cells);
  const stray = strayCells(kind, cells);
  if (absent.length + unreadable.length + against.length + stray.length === 0) return [];
  return [
    ...absent,
    ...unreadable,
    ...against.filter(({ code }) => code === 'field_invalid'),
    ...stray,
    ...against.filter(({ code }) => code === 'field_not_for_kind'),
  ];
}

/** Text to facts, or every fault of the text. */
export function readFacts(input: EntitlementInput): Reading {
  const unreadable: Reason[] = [];
  const cells = parseCells(input, unreadable);
  const kind = cells.system_type;
  if (kind === undefined) {
    const absent = unreadable.some(({ field }) => field === 'system_type') ? [] : [missing('system_type')];
    return { faults: [...absent, ...unreadable] };
  }
  const faults = allFaults(kind, cells, input, unreadable);
  if (faults.length > 0) return { faults };
  const facts = kind === 'battery' ? batteryFacts(cells) : generationFacts(kind, cells);
  assert(facts !== undefined, 'a reading without faults is incomplete');
  return { facts };
}
