import type { Column } from '#gateway/csv/headings.ts';
import { assert } from '#shared/base/errors.ts';
import type { Action, Product, SerialRecord } from '#shared/domain/serials.ts';

/** The texts of a record that come from a file; a brand is looked at, and has no place in the record. */
export type CellField =
  | keyof Pick<
      SerialRecord,
      'supplier' | 'holder' | 'series' | 'model' | 'serial' | 'status' | 'reason' | 'note'
    >
  | 'brand';

export interface CellColumn extends Column {
  readonly field: CellField;
}

/** What the rows of a file ask for. */
export type DocumentAction = Exclude<Action, 'tick'>;

/** A kind of file: what its rows are about, and its columns. */
export interface DocumentKind {
  readonly product: Product;
  readonly action: DocumentAction;
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

/** HEAD-4. The approved list needs no brand to tell models apart; where a file has one, it is compared with the list. */
export const batteryRegistration: DocumentKind = {
  ...inverterRegistration,
  product: 'battery',
  layout: inverterRegistration.layout.toSpliced(1, 0, {
    field: 'brand',
    heading: 'Brand',
    aliases: ['Brand name'],
    optional: true,
  }),
};

const registrations: readonly DocumentKind[] = [panelRegistration, inverterRegistration, batteryRegistration];

const statusColumn: CellColumn = { field: 'status', heading: 'Status', aliases: [] };
const reasonColumn: CellColumn = { field: 'reason', heading: 'Reason', aliases: [] };
/** Free text, which some reasons ask for. A heading of ours: the regulator's dialog has a text box (INV-2). */
const noteColumn: CellColumn = { field: 'note', heading: 'Note', aliases: ['Free text'], optional: true };

/** Serials to be marked as invalid (INV-1). */
export const invalidations: readonly DocumentKind[] = registrations.map(({ product, layout }) => ({
  product,
  action: 'invalidate',
  layout: [...layout, reasonColumn, noteColumn],
}));

/** HEAD-3. Panels have no status. */
export const statusUpdates: readonly DocumentKind[] = [inverterRegistration, batteryRegistration].map(
  ({ product, layout }) => ({
    product,
    action: 'update_status',
    layout: [...layout, statusColumn, reasonColumn, noteColumn],
  }),
);

/** Files that are taken. */
export const documents: readonly DocumentKind[] = [...registrations, ...invalidations, ...statusUpdates];

export const products: readonly Product[] = registrations.map(({ product }) => product);
export const documentActions: readonly DocumentAction[] = [...new Set(documents.map(({ action }) => action))];

/** The kind of file for a product and an action; undefined where there is none. */
export function documentOf(product: string, action: string): DocumentKind | undefined {
  return documents.find((kind) => kind.product === product && kind.action === action);
}

/** The kind of file that registers a product. */
export function registrationOf(product: string): DocumentKind {
  const document = documentOf(product, 'register');
  assert(document, `no kind of file registers ${product}`);
  return document;
}

/** Whether the note of a record is a text of its sender: that of a registration holds the codes of remarks. */
export function hasFreeNote(action: string): boolean {
  return action === 'invalidate' || action === 'update_status';
}

/** What a column is called in JSON: its heading in lower case, words joined by underscores. */
export function memberOf({ heading }: CellColumn): string {
  return heading.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
}

/** The heading of a field, or empty when files of this kind do not have it. */
export function headingOf(document: DocumentKind, field: CellField): string {
  return document.layout.find((column) => column.field === field)?.heading ?? '';
}
