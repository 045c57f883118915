import { parseDay } from '../entitlement/calendar.ts';
import {
  type ClaimFacts,
  claimants,
  type Equipment,
  type EquipmentProduct,
  installationTypes,
  noFacts,
  type SolarCreditsFacts,
  unitKinds,
} from './claim.ts';

/** What is wrong with the form of a claim: the claim is not taken. What is wrong with its content is a finding. */
export interface ClaimFault {
  readonly code: 'field_missing' | 'field_invalid' | 'field_unknown';
  /** Path within the JSON: `panels[0].serials[3]`. */
  readonly field: string;
  readonly message: string;
}

export type ClaimReading = { readonly claim: ClaimFacts } | { readonly reasons: readonly ClaimFault[] };

/** Serials of a claim, over all of its equipment; CLM-2 allows 1,000 of one product. */
export const serialsMax = 2_000;
const serialsOfItemMax = 1_000;
const itemsMax = 50;
const serialCharsMax = 100;

interface Field<T> {
  /** Completes "must be ...". */
  readonly expects: string;
  readonly about: string;
  /** Undefined: the value cannot be that. */
  readonly read: (value: unknown) => T | undefined;
  /** JSON Schema of the value. */
  readonly schema: object;
}

function text(about: string, charsMax = 200): Field<string> {
  return {
    expects: `text of at most ${charsMax} characters`,
    about,
    read: (value) =>
      typeof value === 'string' && value.trim().length <= charsMax ? value.trim() : undefined,
    schema: { type: 'string', maxLength: charsMax },
  };
}

function pattern(about: string, shape: RegExp, expects: string): Field<string> {
  return {
    expects,
    about,
    read: (value) => (typeof value === 'string' && (value === '' || shape.test(value)) ? value : undefined),
    schema: { type: 'string', pattern: shape.source },
  };
}

function date(about: string): Field<string> {
  return {
    expects: 'a day of the calendar as YYYY-MM-DD',
    about,
    read: (value) => (typeof value === 'string' && (value === '' || parseDay(value)) ? value : undefined),
    schema: { type: 'string', format: 'date' },
  };
}

const decimalText = /^\d{1,9}(\.\d{1,6})?$/;

/** A number comes as the shortest decimal that means it, which is the text that was sent for up to 15 digits. */
function decimal(about: string): Field<string> {
  return {
    expects: 'a decimal number, as text or number',
    about,
    read: (value) => {
      const shown = typeof value === 'number' ? String(value) : value;
      return typeof shown === 'string' && (shown === '' || decimalText.test(shown)) ? shown : undefined;
    },
    schema: { type: ['string', 'number'], pattern: decimalText.source },
  };
}

function whole(about: string, most: number): Field<number> {
  return {
    expects: `a whole number from 0 to ${most}`,
    about,
    read: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most ? value : undefined,
    schema: { type: 'integer', minimum: 0, maximum: most },
  };
}

function yesNo(about: string): Field<string> {
  return {
    expects: 'true or false',
    about,
    read: (value) => (typeof value === 'boolean' ? (value ? 'yes' : 'no') : undefined),
    schema: { type: 'boolean' },
  };
}

function flag(about: string): Field<boolean> {
  return {
    expects: 'true or false',
    about,
    read: (value) => (typeof value === 'boolean' ? value : undefined),
    schema: { type: 'boolean' },
  };
}

function choice(about: string, values: readonly string[]): Field<string> {
  const byText = new Map(values.map((value) => [value.toLowerCase(), value]));
  return {
    expects: `one of ${values.join(', ')}`,
    about,
    read: (value) => (typeof value === 'string' ? byText.get(value.trim().toLowerCase()) : undefined),
    schema: { type: 'string', enum: values },
  };
}

function programmes(about: string): Field<string> {
  return {
    expects: 'a list of programme names, empty for none',
    about,
    read: (value) => {
      if (!Array.isArray(value) || value.length > 8) return undefined;
      if (!value.every((name): name is string => typeof name === 'string' && /^\w{1,20}$/.test(name)))
        return undefined;
      return value.length === 0 ? 'none' : value.join(' ');
    },
    schema: { type: 'array', items: { type: 'string' }, maxItems: 8 },
  };
}

/** Years or `max`, as number or text. */
function years(about: string): Field<string> {
  return {
    expects: 'a number of years, or max',
    about,
    read: (value) => {
      const shown = typeof value === 'number' ? String(value) : value;
      return typeof shown === 'string' && /^(\d{1,2}|max)$/.test(shown) ? shown : undefined;
    },
    schema: { type: ['integer', 'string'] },
  };
}

type FieldsOf<T> = { readonly [K in keyof T]: Field<T[K]> };

const creditsFields: FieldsOf<SolarCreditsFacts> = {
  requested: yesNo('is the Solar Credits multiplier claimed'),
  premises: text('kind of premises (PREM-1 to PREM-8)', 40),
  unit_programmes: programmes('earlier programmes that assisted the unit (SC-7)'),
  premises_programmes: programmes('earlier programmes that assisted another unit at the premises (SC-8)'),
  new_unit: yesNo('the unit is new (SC-9)'),
  metered: yesNo('wired so that it can be metered, or with its own meter (SC-9)'),
  multiplied_before: yesNo('certificates of a unit at the premises were multiplied before (SC-10)'),
  off_grid: yesNo('off-grid as of SC-6'),
  contract_on: date('day of the contract, for the transition of SC-4'),
  statutory_declaration: yesNo('the declaration about the contract is given (SC-4)'),
};

const claimFields: FieldsOf<Omit<ClaimFacts, 'equipment' | 'credits'>> = {
  unit_kind: choice('kind of unit', unitKinds),
  installed_on: date('day of installation'),
  compliance_on: date('battery: day of the certificate of compliance'),
  address: text('street address of the installation'),
  locality: text('suburb or town', 100),
  state: text('state or territory', 10),
  postcode: pattern('postcode of the installation', /^\d{4}$/, 'four digits'),
  installation_type: choice('what was installed (ADD-3)', installationTypes),
  complete_unit: yesNo('a complete unit: usable power without added parts (SC-9, ADD-3)'),
  earlier_code: text('accreditation code of a claim that failed earlier', 40),
  existing_kw: decimal('extension: rated power before'),
  rated_power_kw: decimal('rated power, kW; of an extension the added power'),
  panel_count: whole('number of panels', 100_000),
  resource_hours: decimal('wind, hydro: resource hours a year; left out for the default'),
  hours_audit: text('reference of the site audit report'),
  auditor: text('name and contact of the auditor'),
  nominal_kwh: decimal('battery: nominal capacity'),
  usable_kwh: decimal('battery: usable capacity as listed'),
  with_solar: yesNo('battery: installed with solar (BAT-7)'),
  vpp_ready: yesNo('battery: ready for a virtual power plant (BAT-7)'),
  deeming: years('deeming period: 1, 5 or max'),
  years_already_deemed: years('years that earlier claims for the unit cover'),
  still_installed: yesNo('later periods: evidence that the unit is there and likely to work (DEEM-8)'),
  installer: text('name of the installer'),
  installer_accreditation: text('accreditation number of the installer', 40),
  designer_accreditation: text('accreditation number of the designer', 40),
  accredited: yesNo('designed and installed by accredited persons (DEEM-7)'),
  owner: text('name of the owner'),
  owner_contact: text('how to reach the owner'),
  claimant: choice('who claims (ELIG-1)', claimants),
  assignment: text('agent: reference of the written assignment', 100),
  assigned_on: date('agent: day of the assignment'),
  verified: flag('serials were confirmed on site (SPV)'),
  spv_package: text('verified: name of the signed data package'),
  retailer_abn: pattern('Australian business number of the retailer', /^\d{11}$/, '11 digits'),
  nmi: pattern('national meter identifier', /^[0-9A-Za-z]{10,11}$/, '10 or 11 characters'),
  claimed_certificates: whole('certificates as the claimant computed them', 1_000_000),
};

const itemFields: FieldsOf<Pick<Equipment, 'holder' | 'series' | 'model' | 'quantity'>> = {
  holder: text('brand, manufacturer or certificate holder, as on the approved list'),
  series: text('series'),
  model: text('model number'),
  quantity: whole('how many; the number of serials', serialsOfItemMax),
};

/** The lists of equipment, and what they hold. */
const equipmentLists: Readonly<Record<string, EquipmentProduct>> = {
  panels: 'panel',
  inverters: 'inverter',
  batteries: 'battery',
  turbines: 'turbine',
};

/** Without these it is not even clear what is claimed. */
const required = ['unit_kind', 'installed_on'] as const;

/**
 * Schema-checks a claim given as JSON. Wrong types, unknown names and unreadable values are reasons (the request is
 * refused); whatever is well formed becomes a claim, and what it lacks is found when it is assessed.
 */
export function claimFromJson(json: unknown): ClaimReading {
  if (!isObject(json)) return { reasons: [fault('field_invalid', '', 'a claim is a JSON object')] };
  const faults: ClaimFault[] = [];
  const { credits: creditsJson, ...others } = json;
  const own = Object.fromEntries(
    Object.entries(others).filter(([name]) => !Object.hasOwn(equipmentLists, name)),
  );
  const facts = readFields(own, claimFields, '', faults);
  for (const name of required)
    if (json[name] === undefined || json[name] === '')
      faults.push(fault('field_missing', name, `${name} is needed: ${claimFields[name].about}`));
  const equipment = readEquipment(json, faults);
  const credits = readCredits(creditsJson, faults);
  if (faults.length > 0) return { reasons: faults };
  return { claim: { ...noFacts, ...facts, equipment, credits: { ...noFacts.credits, ...credits } } };
}

function fault(code: ClaimFault['code'], field: string, message: string): ClaimFault {
  return { code, field, message };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readFields<T>(
  json: Readonly<Record<string, unknown>>,
  fields: FieldsOf<T>,
  path: string,
  faults: ClaimFault[],
): Partial<T> {
  const values: Partial<T> = {};
  for (const [name, value] of Object.entries(json)) {
    const where = `${path}${name}`;
    if (!Object.hasOwn(fields, name)) {
      faults.push(fault('field_unknown', where, `${shown(where)} is not a field of a claim`));
      continue;
    }
    if (value === null || value === undefined) continue;
    const field = fields[name as keyof T];
    const read = field.read(value);
    if (read === undefined) faults.push(fault('field_invalid', where, `${where} must be ${field.expects}`));
    else values[name as keyof T] = read;
  }
  return values;
}

/** A stranger's text inside a message: short. */
function shown(name: string): string {
  return name.length > 60 ? `${name.slice(0, 57)}...` : name;
}

function readCredits(json: unknown, faults: ClaimFault[]): Partial<SolarCreditsFacts> {
  if (json === undefined || json === null) return {};
  if (isObject(json)) return readFields(json, creditsFields, 'credits.', faults);
  faults.push(fault('field_invalid', 'credits', 'credits must be an object'));
  return {};
}

function readEquipment(json: Readonly<Record<string, unknown>>, faults: ClaimFault[]): readonly Equipment[] {
  const equipment = Object.entries(equipmentLists).flatMap(([list, product]) =>
    readList(json[list], list, product, faults),
  );
  const serials = equipment.reduce((sum, item) => sum + item.serials.length, 0);
  if (serials > serialsMax)
    faults.push(fault('field_invalid', 'serials', `${serials} serials; a claim has at most ${serialsMax}`));
  return equipment;
}

function readList(json: unknown, list: string, product: string, faults: ClaimFault[]): readonly Equipment[] {
  if (json === undefined || json === null) return [];
  if (!Array.isArray(json) || json.length > itemsMax) {
    faults.push(fault('field_invalid', list, `${list} must be a list of at most ${itemsMax}`));
    return [];
  }
  return json.flatMap((item, i) => readItem(item, `${list}[${i}]`, product, faults) ?? []);
}

function readItem(json: unknown, path: string, product: string, faults: ClaimFault[]): Equipment | undefined {
  if (!isObject(json)) {
    faults.push(fault('field_invalid', path, `${path} must be an object`));
    return undefined;
  }
  const { serials, ...others } = json;
  const fields = readFields(others, itemFields, `${path}.`, faults);
  return {
    product,
    holder: '',
    series: '',
    model: '',
    quantity: -1,
    ...fields,
    serials: readSerials(serials, `${path}.serials`, faults),
  };
}

function readSerials(json: unknown, path: string, faults: ClaimFault[]): readonly string[] {
  if (json === undefined || json === null) return [];
  if (!Array.isArray(json) || json.length > serialsOfItemMax) {
    faults.push(fault('field_invalid', path, `${path} must be a list of at most ${serialsOfItemMax}`));
    return [];
  }
  return json.flatMap((serial, i) => {
    if (typeof serial === 'string' && serial.trim() !== '' && serial.length <= serialCharsMax)
      return [serial];
    faults.push(
      fault(
        'field_invalid',
        `${path}[${i}]`,
        `${path}[${i}] must be text of 1 to ${serialCharsMax} characters`,
      ),
    );
    return [];
  });
}

function properties<T>(fields: FieldsOf<T>): Record<string, object> {
  return Object.fromEntries(
    Object.entries<Field<unknown>>(fields).map(([name, { schema, about }]) => [
      name,
      { ...schema, description: about },
    ]),
  );
}

/** What `claimFromJson` takes, as JSON Schema: for the API's description. */
export const claimJsonSchema: object = Object.freeze({
  type: 'object',
  additionalProperties: false,
  required,
  properties: {
    ...properties(claimFields),
    ...Object.fromEntries(
      Object.entries(equipmentLists).map(([list, product]) => [
        list,
        {
          type: 'array',
          maxItems: itemsMax,
          description: `${product} models of the unit, each with its serials`,
          items: {
            type: 'object',
            additionalProperties: false,
            properties: {
              ...properties(itemFields),
              serials: {
                type: 'array',
                maxItems: serialsOfItemMax,
                items: { type: 'string', minLength: 1, maxLength: serialCharsMax },
              },
            },
          },
        },
      ]),
    ),
    credits: { type: 'object', additionalProperties: false, properties: properties(creditsFields) },
  },
});
