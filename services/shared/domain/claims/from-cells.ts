import { dayOf } from '../days.ts';
import type { EquipmentProduct } from './claim.ts';
import { type ClaimFault, type ClaimReading, claimFromJson } from './from-json.ts';

/** How a cell is written. `serials` and `names` hold several values, separated by semicolons. */
type CellKind = 'text' | 'date' | 'yes_no' | 'whole' | 'serials' | 'names';

/** A column of a claim file: where its value stands in a claim as JSON, and how it is written. */
export interface ClaimColumn {
  readonly field: string;
  readonly heading: string;
  readonly aliases: readonly string[];
  /** Without this heading the file is refused; any other may be left out, and is then not stated. */
  readonly optional: boolean;
  readonly kind: CellKind;
  readonly about: string;
}

interface Plan {
  readonly kind?: CellKind;
  readonly about: string;
  readonly aliases?: readonly string[];
  readonly optional?: false;
}

const columns: Readonly<Record<string, readonly [string, Plan]>> = {
  unit_kind: [
    'Type of system',
    { about: 'solar, wind, hydro or battery', optional: false, aliases: ['System type'] },
  ],
  installed_on: ['Installation date', { kind: 'date', about: 'dd/mm/yyyy', optional: false }],
  compliance_on: [
    'Certificate of compliance date',
    { kind: 'date', about: 'battery: the day that chooses the rules' },
  ],
  address: ['Installation address', { about: 'street address' }],
  locality: ['Suburb', { about: 'suburb or town', aliases: ['Town', 'Locality'] }],
  state: ['State', { about: 'state or territory' }],
  postcode: ['Postcode', { about: 'four digits' }],
  installation_type: [
    'Installation type',
    { about: 'New, Replacement, Extension or Additional system (ADD-3)' },
  ],
  complete_unit: ['Complete unit', { kind: 'yes_no', about: 'usable power without added parts' }],
  earlier_code: ['Earlier accreditation code', { about: 'of a claim that failed earlier' }],
  existing_kw: ['Existing power in kW', { about: 'extension: rated power before' }],
  rated_power_kw: [
    'Rated power output in kW',
    { about: 'of an extension the added power', aliases: ['Rated power in kW', 'Rated power output'] },
  ],
  'system.holder': ['System brand', { about: 'of panels, battery or turbine, as on the approved list' }],
  'system.series': ['System series', { about: 'battery: as on the approved list' }],
  'system.model': ['System model', { about: 'model number, brackets included' }],
  'panel.serials': ['Panel serial numbers', { kind: 'serials', about: 'solar' }],
  panel_count: ['Number of panels', { kind: 'whole', about: 'solar' }],
  'turbine.serials': [
    'Equipment module serial number',
    { kind: 'serials', about: 'wind, hydro', aliases: ['Equipment module serial numbers'] },
  ],
  'battery.serials': ['Battery serial numbers', { kind: 'serials', about: 'battery' }],
  resource_hours: ['Resource availability', { about: 'wind, hydro: hours a year; empty for the default' }],
  hours_audit: ['Site audit report', { about: 'for more hours than the default' }],
  auditor: ['Auditor', { about: 'name and contact' }],
  nominal_kwh: ['Nominal capacity in kWh', { about: 'battery', aliases: ['Nominal capacity'] }],
  usable_kwh: ['Usable capacity in kWh', { about: 'battery', aliases: ['Usable capacity'] }],
  with_solar: ['Installed with solar', { kind: 'yes_no', about: 'battery' }],
  vpp_ready: ['Virtual power plant ready', { kind: 'yes_no', about: 'battery' }],
  'inverter.holder': ['Inverter manufacturer', { about: 'as on the list', aliases: ['Inverter brand'] }],
  'inverter.series': ['Inverter series', { about: 'as on the list' }],
  'inverter.model': ['Inverter model', { about: 'as on the list', aliases: ['Inverter model number'] }],
  'inverter.serials': [
    'Inverter serial numbers',
    { kind: 'serials', about: 'solar, battery', aliases: ['Inverter serial number'] },
  ],
  deeming: ['Deeming period', { about: '1, 5 or max' }],
  years_already_deemed: ['Years already deemed', { about: 'by earlier claims for the unit' }],
  still_installed: ['Still installed', { kind: 'yes_no', about: 'later periods: there is evidence' }],
  installer: ['Installer name', { about: 'of the installer' }],
  installer_accreditation: ['Installer accreditation number', { about: 'of the installer' }],
  designer_accreditation: ['Designer accreditation number', { about: 'of the designer' }],
  accredited: [
    'Accredited design and installation',
    { kind: 'yes_no', about: 'designed and installed by accredited persons (DEEM-7)' },
  ],
  owner: ['Owner name', { about: 'owner at installation' }],
  owner_contact: ['Owner contact', { about: 'how to reach the owner' }],
  claimant: ['Claimant', { about: 'owner, builder, agent or other (ELIG-1)' }],
  assignment: ['Assignment reference', { about: 'agent: the written assignment' }],
  assigned_on: ['Assignment date', { kind: 'date', about: 'agent: on or after the installation' }],
  verified: ['Verified', { kind: 'yes_no', about: 'serials were confirmed on site (SPV)' }],
  spv_package: ['Signed data package', { about: 'verified: name of the file' }],
  retailer_abn: ['Retailer ABN', { about: '11 digits' }],
  nmi: ['NMI', { about: 'national meter identifier' }],
  'credits.requested': ['Solar Credits', { kind: 'yes_no', about: 'is the multiplier claimed' }],
  'credits.premises': ['Type of premises', { about: 'PREM-1 to PREM-8' }],
  'credits.unit_programmes': ['Programmes for the unit', { kind: 'names', about: 'names, or None (SC-7)' }],
  'credits.premises_programmes': [
    'Programmes at the premises',
    { kind: 'names', about: 'names, or None (SC-8)' },
  ],
  'credits.new_unit': ['New unit', { kind: 'yes_no', about: 'SC-9' }],
  'credits.metered': ['Metered', { kind: 'yes_no', about: 'SC-9' }],
  'credits.multiplied_before': ['Multiplied before', { kind: 'yes_no', about: 'SC-10' }],
  'credits.off_grid': ['Off-grid', { kind: 'yes_no', about: 'SC-6' }],
  'credits.contract_on': ['Contract date', { kind: 'date', about: 'SC-4' }],
  'credits.statutory_declaration': ['Statutory declaration', { kind: 'yes_no', about: 'SC-4' }],
  claimed_certificates: [
    'Number of certificates',
    { kind: 'whole', about: 'as the claimant computed them; may be left out' },
  ],
};

/** The columns of a claim file, in the order in which a template has them. */
export const claimColumns: readonly ClaimColumn[] = Object.entries(columns).map(
  ([field, [heading, { kind = 'text', about, aliases = [], optional = true }]]) => ({
    field,
    heading,
    aliases,
    optional,
    kind,
    about,
  }),
);

/** Which list of the JSON an equipment product stands in, and which product a kind of unit is made of. */
const lists: Readonly<Record<EquipmentProduct, string>> = {
  panel: 'panels',
  inverter: 'inverters',
  battery: 'batteries',
  turbine: 'turbines',
};
const systemProducts: Readonly<Record<string, EquipmentProduct>> = {
  solar: 'panel',
  wind: 'turbine',
  hydro: 'turbine',
  battery: 'battery',
};

/** A claim file has one model for the system and one for its inverters; `;` separates the values of one cell. */
const separator = ';';

/**
 * Reads one row of a claim file: `cell` gives the text of a column, empty when it is not stated. A reading like that of a
 * claim as JSON; faults name the heading instead of the field.
 */
export function claimFromCells(cell: (field: string) => string): ClaimReading {
  const faults: ClaimFault[] = [];
  const values = new Map<string, unknown>();
  for (const column of claimColumns) {
    const text = cell(column.field).trim();
    if (text === '') continue;
    const value = readCell(text, column.kind);
    if (value === undefined) faults.push(unreadable(column));
    else values.set(column.field, value);
  }
  const reading = claimFromJson(jsonOf(values));
  const found = 'reasons' in reading ? reading.reasons.map(inWordsOfTheFile) : [];
  // What could not be read is missing in the JSON: that is no second fault.
  const unread = new Set(faults.map(({ field }) => field));
  const others = found.filter(({ field }) => !unread.has(field));
  return faults.length + others.length > 0 ? { reasons: [...faults, ...others] } : reading;
}

function readCell(text: string, kind: CellKind): unknown {
  switch (kind) {
    case 'text':
      return text;
    case 'date':
      return readDate(text);
    case 'yes_no':
      return yesOrNo.get(text.toLowerCase());
    case 'whole':
      return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
    case 'serials':
      return parts(text);
    case 'names':
      return text.toLowerCase() === 'none' ? [] : parts(text);
  }
}

/** Claims write days as dd/mm/yyyy, padded, never month first (CEC-5, CLM-6). */
function readDate(text: string): string | undefined {
  const [, day, month, year] = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text) ?? [];
  return day === undefined ? undefined : dayOf(Number(year), Number(month), Number(day));
}

const yesOrNo: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['y', true],
  ['no', false],
  ['n', false],
]);

/** A separator behind the last value does no harm; nothing between two of them is a fault of the serials. */
function parts(text: string): readonly string[] {
  const values = text.split(separator).map((part) => part.trim());
  return values.at(-1) === '' ? values.slice(0, -1) : values;
}

const expected: Readonly<Record<CellKind, string>> = {
  text: 'text',
  date: 'a day of the calendar as dd/mm/yyyy',
  yes_no: 'Yes or No',
  whole: 'a whole number',
  serials: 'serial numbers separated by semicolons',
  names: 'names separated by semicolons, or None',
};

function unreadable({ heading, kind }: ClaimColumn): ClaimFault {
  return { code: 'field_invalid', field: heading, message: `${heading} must be ${expected[kind]}` };
}

/** The claim as JSON: what `system` names belongs to the product that the kind of unit is made of. */
function jsonOf(values: ReadonlyMap<string, unknown>): object {
  const kind = String(values.get('unit_kind') ?? '').toLowerCase();
  const system = systemProducts[kind];
  const json: Record<string, unknown> = {};
  const items: Partial<Record<EquipmentProduct, Record<string, unknown>>> = {};
  const credits: Record<string, unknown> = {};
  for (const [field, value] of values) {
    const [group, name] = field.split('.') as [string, string | undefined];
    if (name === undefined) json[field] = value;
    else if (group === 'credits') credits[name] = value;
    else {
      const product = group === 'system' ? system : (group as EquipmentProduct);
      // Without a kind of unit nobody knows whose brand it is; that the kind is missing is said elsewhere.
      if (product) items[product] = { ...items[product], [name]: value };
    }
  }
  for (const [product, item] of Object.entries(items)) json[lists[product as EquipmentProduct]] = [item];
  return Object.keys(credits).length > 0 ? { ...json, credits } : json;
}

const headings: ReadonlyMap<string, string> = new Map(
  claimColumns.map(({ field, heading }) => [field, heading]),
);
const itemPath = /^(panels|inverters|batteries|turbines)\[0\]\.(\w+)(?:\[(\d+)\])?$/;
const productOfList: ReadonlyMap<string, string> = new Map(
  Object.entries(lists).map(([product, list]) => [list, product]),
);

/** A fault of the JSON names a path; whoever wrote the file knows headings. */
function inWordsOfTheFile(fault: ClaimFault): ClaimFault {
  const [, list, name, place] = itemPath.exec(fault.field) ?? [];
  const product = list === undefined ? '' : productOfList.get(list)!;
  const heading =
    headings.get(list === undefined ? fault.field : `${product}.${name}`) ??
    headings.get(`system.${name}`) ??
    fault.field;
  const subject = place === undefined ? heading : `number ${Number(place) + 1} of ${heading}`;
  return { ...fault, field: heading, message: fault.message.replace(fault.field, subject) };
}
