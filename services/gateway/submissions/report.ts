import { type Account, isRegulator } from '#gateway/accounts/account.ts';
import type { Entry } from '#gateway/lookup/lookup.ts';
import { joinKey } from '#shared/base/keys.ts';
import { findReason } from '#shared/domain/reasons.ts';
import type { Product } from '#shared/domain/serials.ts';
import { type DocumentKind, headingOf, registrationOf } from './documents.ts';

/** A row that made no entry, as the ledger has it. */
export interface UnregisteredRow {
  readonly row: number;
  readonly line: number;
  readonly outcome: string;
  readonly finding: string;
  readonly column: string;
  readonly listing_note: string;
  readonly decision_note: string;
  readonly product: string;
  readonly supplier: string;
  readonly holder: string;
  readonly series: string;
  readonly model: string;
  readonly serial: string;
  readonly status: string;
  readonly reason: string;
  readonly serial_key: string;
  readonly holder_key: string;
}

/** What its sender is told about a row that was not registered (K3 of the requirements: row, column, value, code, hint). */
export interface ReportRow {
  readonly record: number;
  readonly line: number;
  readonly outcome: string;
  readonly column: string;
  readonly value: string;
  readonly code: string;
  readonly sentence: string;
  readonly hint: string;
  readonly remarks: readonly string[];
  readonly supplier: string;
  readonly holder: string;
  readonly series: string;
  readonly model: string;
  readonly serial: string;
  /** Of a duplicate: the row of one's own that registered the serial. */
  readonly first?: { readonly submission: string; readonly row: number };
}

type First = (row: UnregisteredRow) => ReportRow['first'];
type EntriesOf = (product: Product, serialKeys: readonly string[]) => Promise<readonly Entry[]>;

const duplicatesOfQuery = 1_000;

/** The rows of a report, block by block; duplicates point to the row of the account that registered the serial (SER-5). */
export async function* reportRows(
  blocks: AsyncIterable<readonly UnregisteredRow[]>,
  viewer: Account,
  entriesOf: EntriesOf,
): AsyncGenerator<readonly ReportRow[]> {
  for await (const block of blocks)
    for (let from = 0; from < block.length; from += duplicatesOfQuery) {
      const rows = block.slice(from, from + duplicatesOfQuery);
      const first = await firstRows(rows, viewer, entriesOf);
      yield rows.map((row) => reportRow(row, first));
    }
}

async function firstRows(
  rows: readonly UnregisteredRow[],
  viewer: Account,
  entriesOf: EntriesOf,
): Promise<First> {
  const duplicates = rows.filter(({ outcome }) => outcome === 'duplicate');
  const found = new Map<string, Entry>();
  for (const product of new Set(duplicates.map((row) => row.product))) {
    const own = duplicates.filter((row) => row.product === product);
    const keys = [...new Set(own.map(({ serial_key }) => serial_key))];
    // Another account of the same supplier may have registered it: which submission that was is its own affair.
    for (const entry of await entriesOf(product as Product, keys))
      if (isRegulator(viewer) || entry.account === viewer.id)
        found.set(joinKey(product, entry.serial_key, entry.holder_key), entry);
  }
  return (row) => {
    if (row.outcome !== 'duplicate') return undefined;
    const entry = found.get(joinKey(row.product, row.serial_key, row.holder_key));
    return entry && { submission: entry.submission, row: entry.row };
  };
}

/** The most precise reason there is: the gateway's finding, or else the outcome itself; with the cell that it is about. */
export function reportRow(row: UnregisteredRow, first: First = () => undefined): ReportRow {
  const code = row.finding === '' ? row.outcome : row.finding;
  const document = registrationOf(row.product);
  const column = row.finding === '' ? headingOf(document, fieldOf(row.outcome)) : row.column;
  const reason = findReason(code);
  const pointer = first(row);
  return {
    record: row.row,
    line: row.line,
    outcome: row.outcome,
    column,
    value: cellOf(row, document, column),
    code,
    sentence: reason?.sentence ?? `${code}.`,
    hint: reason?.hint ?? 'Ask for help with this code.',
    remarks: [row.listing_note, row.decision_note].filter((note) => note !== ''),
    supplier: row.supplier,
    holder: row.holder,
    series: row.series,
    model: row.model,
    serial: row.serial,
    ...(pointer ? { first: pointer } : {}),
  };
}

/** What an outcome is about. */
function fieldOf(outcome: string): 'model' | 'serial' {
  return outcome === 'not_listed' ? 'model' : 'serial';
}

function cellOf(row: UnregisteredRow, document: DocumentKind, column: string): string {
  const known = document.layout.find(({ heading }) => heading === column);
  return known ? row[known.field] : '';
}

/** The report as a table: headings, and the cells of a row. */
export const reportHeadings: readonly string[] = [
  'Record',
  'Line',
  'Outcome',
  'Column',
  'Value',
  'Code',
  'Reason',
  'What to do',
  'Remarks',
  'Supplier',
  'Holder',
  'Series',
  'Model',
  'Serial number',
  'First submission',
  'First record',
];

export function reportCells(row: ReportRow): readonly string[] {
  return [
    String(row.record),
    String(row.line),
    row.outcome,
    row.column,
    row.value,
    row.code,
    row.sentence,
    row.hint,
    row.remarks.join(' '),
    row.supplier,
    row.holder,
    row.series,
    row.model,
    row.serial,
    row.first?.submission ?? '',
    row.first === undefined ? '' : String(row.first.row),
  ];
}
