import { dayOf } from '#shared/domain/days.ts';
import type { Product } from '#shared/domain/serials.ts';
import { type ListingRow, listingKey } from './listing.ts';

/** One record of the file: its cells, and the physical line where it starts, from 1. */
export interface ListRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/** A row of one snapshot, with where it stands and what only some lists have. */
export interface SnapshotRow extends Omit<ListingRow, 'current'> {
  readonly line: number;
  readonly fireTested: string;
}

export interface ListFault {
  readonly line: number;
  readonly text: string;
}

export interface ParsedList {
  /** Distinct rows, in the order of the file. */
  readonly rows: readonly SnapshotRow[];
  readonly read: number;
  /** Rows that repeat an earlier one exactly (DIRT-3): tolerated. */
  readonly repeated: number;
  /** Rows that can never be in force, because they expire before they are approved: kept. */
  readonly reversed: readonly SnapshotRow[];
  /** Distinct (holder, model), folded. */
  readonly models: ReadonlySet<string>;
}

type Field = Exclude<keyof SnapshotRow, 'line'>;

/** CEC-1 to 4: one list's headings, in lower case. Dates have three names, the same in all lists. */
const fields: Readonly<Record<Product, Readonly<Record<string, Field>>>> = {
  panel: {
    'licensee/certificate holder': 'holder',
    'model number': 'model',
    'fire tested': 'fireTested',
  },
  battery: {
    'manufacturer/certificate holder account': 'holder',
    'brand name': 'brand',
    series: 'series',
    'model number': 'model',
    'nominal battery capacity (kwh)': 'nominalKwh',
    'usable capacity (kwh)': 'usableKwh',
  },
  inverter: {
    manufacturer: 'holder',
    series: 'series',
    'model number': 'model',
    'ac power (kw)': 'acPowerKw',
  },
};

const dates: Readonly<Record<string, Field>> = {
  'cec approved date': 'approved',
  'approval date': 'approved',
  'expiry date': 'expires',
  'cec expiry date': 'expires',
};

/** Cells that a list's row may leave empty: DIRT-10 found none, and only these say nothing about what is approved. */
const mayBeEmpty: ReadonlySet<Field> = new Set(['brand', 'series', 'fireTested']);

const faultsMax = 20;

/**
 * Reads the records of an approved list, headings first. Wrong data is a value: all faults found, or the list.
 * A list with one fault is not taken at all: what it means by its other rows is then not certain either.
 */
export function parseList(
  product: Product,
  records: readonly ListRecord[],
): ParsedList | { readonly faults: readonly ListFault[] } {
  const [headings, ...rest] = records;
  if (headings === undefined) return { faults: [{ line: 1, text: 'the file is empty' }] };
  const columns = columnsOf(product, headings);
  if ('faults' in columns) return columns;
  if (rest.length === 0)
    return { faults: [{ line: headings.line, text: 'there is no row below the headings' }] };
  const rows: SnapshotRow[] = [];
  const faults: ListFault[] = [];
  for (const record of rest) {
    const row = parseRow(columns.fields, record);
    if ('text' in row) faults.push(row);
    else rows.push(row);
  }
  return faults.length > 0 ? { faults: faults.slice(0, faultsMax) } : summarise(rows);
}

/** The field of each column (CEC-4: matched without case; a missing, new or doubled column stops the import). */
function columnsOf(
  product: Product,
  { line, cells }: ListRecord,
): { readonly fields: readonly Field[] } | { readonly faults: readonly ListFault[] } {
  const known: Readonly<Record<string, Field>> = { ...fields[product], ...dates };
  const found: Field[] = [];
  const faults: ListFault[] = [];
  for (const cell of cells) {
    const field = known[cell.trim().replace(/\s+/gu, ' ').toLowerCase()];
    if (field === undefined)
      faults.push({ line, text: `column "${cell}" is not known in a list of kind ${product}` });
    else if (found.includes(field)) faults.push({ line, text: `column "${cell}" repeats an earlier one` });
    else found.push(field);
  }
  for (const field of new Set(Object.values(known))) {
    if (!found.includes(field)) faults.push({ line, text: `column ${namesOf(known, field)} is missing` });
  }
  return faults.length > 0 ? { faults } : { fields: found };
}

function namesOf(known: Readonly<Record<string, Field>>, field: Field): string {
  return Object.keys(known)
    .filter((name) => known[name] === field)
    .map((name) => `"${name}"`)
    .join(' or ');
}

function parseRow(columns: readonly Field[], { line, cells }: ListRecord): SnapshotRow | ListFault {
  if (cells.length !== columns.length) {
    return { line, text: `${cells.length} cells instead of ${columns.length}` };
  }
  const row: Record<Field, string> = { ...emptyRow };
  for (const [index, field] of columns.entries()) {
    const cell = (cells[index] as string).trim();
    if (cell === '' && !mayBeEmpty.has(field)) return { line, text: `${field} is empty` };
    const value = cellValue(field, cell);
    if (typeof value !== 'string') return { line, text: `${field} "${cell}" ${value.wrong}` };
    row[field] = value;
  }
  return { line, ...row };
}

const emptyRow: Readonly<Record<Field, string>> = {
  holder: '',
  brand: '',
  series: '',
  model: '',
  approved: '',
  expires: '',
  nominalKwh: '',
  usableKwh: '',
  acPowerKw: '',
  fireTested: '',
};

function cellValue(field: Field, cell: string): string | { readonly wrong: string } {
  switch (field) {
    case 'approved':
    case 'expires':
      return parseListDate(cell);
    case 'nominalKwh':
    case 'usableKwh':
    case 'acPowerKw':
      return decimalOf(cell) ?? { wrong: 'is not a number' };
    case 'holder':
    case 'brand':
    case 'series':
    case 'model':
    case 'fireTested':
      return cell;
  }
}

/** CEC-5: day/month/year, day padded or not, month padded. Never month first: a month above 12 says the file is another. */
export function parseListDate(cell: string): string | { readonly wrong: string } {
  const match = /^(\d{1,2})\/(\d{2})\/(\d{4})$/.exec(cell);
  if (match === null) return { wrong: 'is not a date as d/mm/yyyy' };
  const [day, month, year] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month > 12) return { wrong: 'has the month first; d/mm/yyyy is expected' };
  if (year < 2000 || year > 2100) return { wrong: 'is outside the years 2000 to 2100' };
  return dayOf(year, month, day) ?? { wrong: 'is not a day of the calendar' };
}

/** Compared as numbers (DIRT-13), kept exact: leading and trailing zeros are taken off. */
function decimalOf(cell: string): string | undefined {
  const match = /^0*(\d+)(?:\.(\d*?)0*)?$/.exec(cell);
  if (match === null) return undefined;
  return match[2] ? `${match[1]}.${match[2]}` : (match[1] as string);
}

function summarise(all: readonly SnapshotRow[]): ParsedList {
  const distinct = new Map<string, SnapshotRow>();
  for (const row of all) {
    const identity = JSON.stringify({ ...row, line: 0 });
    if (!distinct.has(identity)) distinct.set(identity, row);
  }
  const rows = [...distinct.values()];
  return {
    rows,
    read: all.length,
    repeated: all.length - rows.length,
    reversed: rows.filter((row) => row.expires < row.approved),
    models: new Set(rows.map((row) => listingKey(row.holder, row.model))),
  };
}
