import type { Column } from '#gateway/csv/headings.ts';
import type { Action, Product, SerialRecord } from '#shared/domain/serials.ts';

/** The texts of a record that come from a file. */
export type CellField = keyof Pick<
  SerialRecord,
  'supplier' | 'holder' | 'series' | 'model' | 'serial' | 'status' | 'reason'
>;

export interface CellColumn extends Column {
  readonly field: CellField;
}

/** A kind of file: what its rows are about, and its columns. Other products and actions get a kind of their own. */
export interface DocumentKind {
  readonly product: Product;
  readonly action: Action;
  readonly layout: readonly CellColumn[];
  /** UP-1 */
  readonly rowsMax: number;
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
  rowsMax: 5_000,
};
