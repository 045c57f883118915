import type { Column } from '#gateway/csv/headings.ts';
import { assert } from '#shared/base/errors.ts';
import type { Action, Product, SerialRecord } from '#shared/domain/serials.ts';

/** The texts of a record that come from a file. */
export type CellField = keyof Pick<
  SerialRecord,
  'supplier' | 'holder' | 'series' | 'model' | 'serial' | 'status' | 'reason'
>;

export interface CellColumn extends Column {
  readonly field: CellField;
}

/** A kind of file: what its rows are about, and its columns. */
export interface DocumentKind {
  readonly product: Product;
  readonly action: Action;
  readonly layout: readonly CellColumn[];
}

/** HEAD-1. Spaces around the slash do not count. */
export const panelRegistration: DocumentKind = {
  product: 'panel',
  action: 'register',
  layout: [
    { field: 'supplier', heading: 'Supplier name', aliases: ['Supplier'] },
    {
      field: 'holder',
      heading: 'Licensee/Certificate holder',
      aliases: ['Licensee', 'Certificate holder', 'Licensee or certificate holder'],
    },
    { field: 'model', heading: 'Model number', aliases: ['Model'] },
    { field: 'serial', heading: 'Serial number', aliases: ['Serial'] },
  ],
};

/** HEAD-2. The supplier is who uploads. */
export const inverterRegistration: DocumentKind = {
  product: 'inverter',
  action: 'register',
  layout: [
    { field: 'holder', heading: 'Manufacturer', aliases: ['Brand'] },
    { field: 'model', heading: 'Model', aliases: ['Model number'] },
    { field: 'series', heading: 'Series', aliases: [] },
    { field: 'serial', heading: 'Serial number', aliases: ['Serial'] },
  ],
};

/** HEAD-4, but for the brand: the approved list needs none to tell models apart, and records have no place for it. */
export const batteryRegistration: DocumentKind = { ...inverterRegistration, product: 'battery' };

/** Files that are taken. Changes of status and invalidation get a kind of their own. */
export const documents: readonly DocumentKind[] = [
  panelRegistration,
  inverterRegistration,
  batteryRegistration,
];

/** The kind of file that registers a product. */
export function registrationOf(product: string): DocumentKind {
  const document = documents.find((kind) => kind.product === product && kind.action === 'register');
  assert(document, `no kind of file registers ${product}`);
  return document;
}

/** What a column is called in JSON: its heading in lower case, words joined by underscores. */
export function memberOf({ heading }: CellColumn): string {
  return heading.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
}

/** The heading of a field, or empty when files of this kind do not have it. */
export function headingOf(document: DocumentKind, field: CellField): string {
  return document.layout.find((column) => column.field === field)?.heading ?? '';
}
