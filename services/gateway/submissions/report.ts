import { setImmediate } from 'node:timers/promises';
import { type Account, isRegulator } from '#gateway/accounts/account.ts';
import type { Entry } from '#gateway/lookup/lookup.ts';
import { joinKey } from '#shared/base/keys.ts';
import type { ListIndex, Suggestion } from '#shared/domain/listing/list-index.ts';
import { findReason } from '#shared/domain/reasons.ts';
import type { Product } from '#shared/domain/serials.ts';
import { type DocumentKind, documentOf, hasFreeNote, headingOf, registrationOf } from './documents.ts';
import { codesOf, placeOfNote } from './findings.ts';
import { outcomeSeenBy } from './seen.ts';

/** A row that made no entry, or one with a remark of the gateway, as the ledger has it. */
export interface LedgerRow {
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
  /** Of a registration, remarks of the gateway: codes, separated by spaces. Of a change, the text of its sender. */
  readonly note: string;
  /** The approved list that was asked, where there is a row for it. */
  readonly snapshot: string;
}

/** What its sender is told about a row (K3 of the requirements: row, column, value, code, hint). */
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
  /** Of a change: what was asked for. */
  readonly change?: { readonly status: string; readonly reason: string; readonly note: string };
  /** Of a duplicate: the row of one's own that registered the serial. */
  readonly first?: { readonly submission: string; readonly row: number };
  /** Of a model that is not listed: what may have been meant (WIN-7). */
  readonly nearest?: readonly Suggestion[];
  /** Of a model that is not listed: the approved list on which it is not (C7). */
  readonly snapshot?: string;
}

type First = (row: LedgerRow) => ReportRow['first'];
type Nearest = (row: LedgerRow) => ReportRow['nearest'];

/** What the rows were sent for, and who reads the report. */
export interface ReportOf {
  readonly action: string;
  readonly viewer: Account;
}

export interface ReportPorts {
  entries(product: Product, serialKeys: readonly string[]): Promise<readonly Entry[]>;
  /** The approved list; undefined when none was imported. */
  list(product: Product): Promise<ListIndex | undefined>;
}

const duplicatesOfQuery = 1_000;

/**
 * The rows of a report, block by block; duplicates point to the row of the account that registered the serial (SER-5), and
 * models that are not listed to what may have been meant.
 */
export async function* reportRows(
  blocks: AsyncIterable<readonly LedgerRow[]>,
  of: ReportOf,
  ports: ReportPorts,
): AsyncGenerator<readonly ReportRow[]> {
  const suggested = new Map<string, readonly Suggestion[]>();
  for await (const block of blocks)
    for (let from = 0; from < block.length; from += duplicatesOfQuery) {
      const rows = block.slice(from, from + duplicatesOfQuery);
      const first = await firstRows(rows, of.viewer, ports.entries);
      const nearest = await nearestModels(rows, ports.list, suggested);
      yield rows.map((row) => reportRow(seen(row, of.viewer), of.action, first, nearest));
    }
}

/** Rows of a file name few models: each is looked for once, and others are served in between. */
async function nearestModels(
  rows: readonly LedgerRow[],
  listOf: ReportPorts['list'],
  suggested: Map<string, readonly Suggestion[]>,
): Promise<Nearest> {
  const keyOf = ({ product, holder, model }: LedgerRow) => joinKey(product, holder, model);
  const lists = new Map<string, ListIndex | undefined>();
  for (const row of rows) {
    if (row.outcome !== 'not_listed' || suggested.has(keyOf(row))) continue;
    if (!lists.has(row.product)) lists.set(row.product, await listOf(row.product as Product));
    suggested.set(keyOf(row), lists.get(row.product)?.suggest(row.holder, row.model) ?? []);
    await setImmediate();
  }
  return (row) => {
    const nearest = row.outcome === 'not_listed' ? suggested.get(keyOf(row)) : undefined;
    return nearest && nearest.length > 0 ? nearest : undefined;
  };
}

async function firstRows(
  rows: readonly LedgerRow[],
  viewer: Account,
  entriesOf: ReportPorts['entries'],
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

/**
 * The most precise reason there is: the gateway's finding, or its remark on a registered row, or else the outcome itself;
 * with the cell that it is about.
 */
export function reportRow(
  row: LedgerRow,
  action: string,
  first: First = () => undefined,
  nearest: Nearest = () => undefined,
): ReportRow {
  const isChange = hasFreeNote(action);
  const notes = isChange ? [] : codesOf(row.note);
  const remark = row.outcome === 'registered' ? notes[0] : undefined;
  const code = row.finding !== '' ? row.finding : (remark ?? row.outcome);
  const document = documentOf(row.product, action) ?? registrationOf(row.product);
  const place = remark === undefined ? outcomePlace(row, document) : placeOfNote(row, document, remark);
  const reason = findReason(code);
  const pointer = first(row);
  const suggestions = nearest(row);
  return {
    record: row.row,
    line: row.line,
    outcome: row.outcome,
    ...place,
    code,
    sentence: reason?.sentence ?? `${code}.`,
    hint: reason?.hint ?? 'Ask for help with this code.',
    remarks: [...notes, row.listing_note, row.decision_note].filter((note) => note !== ''),
    supplier: row.supplier,
    holder: row.holder,
    series: row.series,
    model: row.model,
    serial: row.serial,
    ...(isChange ? { change: { status: row.status, reason: row.reason, note: row.note } } : {}),
    ...(pointer ? { first: pointer } : {}),
    ...(suggestions ? { nearest: suggestions } : {}),
    ...(row.outcome === 'not_listed' ? { snapshot: row.snapshot } : {}),
  };
}

function seen(row: LedgerRow, viewer: Account): LedgerRow {
  return { ...row, outcome: outcomeSeenBy(viewer, row.outcome) };
}

function outcomePlace(row: LedgerRow, document: DocumentKind): Pick<ReportRow, 'column' | 'value'> {
  const column = row.finding === '' ? headingOf(document, fieldOf(row.outcome)) : row.column;
  return { column, value: cellOf(row, document, column) };
}

/** What an outcome is about. */
function fieldOf(outcome: string): 'model' | 'serial' {
  return outcome === 'not_listed' ? 'model' : 'serial';
}

function cellOf(row: LedgerRow, document: DocumentKind, column: string): string {
  const known = document.layout.find(({ heading }) => heading === column);
  return known && known.field !== 'brand' ? row[known.field] : '';
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
  'Nearest holder',
  'Nearest model',
  'Status asked for',
  'Reason given',
  'Note',
  'Approved list',
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
    row.nearest?.[0]?.holder ?? '',
    row.nearest?.[0]?.model ?? '',
    row.change?.status ?? '',
    row.change?.reason ?? '',
    row.change?.note ?? '',
    row.snapshot ?? '',
  ];
}
