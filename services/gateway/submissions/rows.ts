import type { AuthorityTest } from '#gateway/accounts/authority.ts';
import type { Catalogue } from '#gateway/changes/catalogue.ts';
import { changeOf } from '#gateway/changes/change.ts';
import type { Headings } from '#gateway/csv/headings.ts';
import { assert } from '#shared/base/errors.ts';
import type { RowNote, RowReason } from '#shared/domain/reasons.ts';
import type { SerialRecord } from '#shared/domain/serials.ts';
import { type CellFacts, examineCell, examineModel, examineNote, examineSerial } from './cells.ts';
import { type CellField, type DocumentKind, hasFreeNote, headingOf } from './documents.ts';

/** A record, and how many bytes its texts take. */
export interface Row {
  readonly record: SerialRecord;
  readonly bytes: number;
  /** As given; empty where the file has none. */
  readonly brand?: string;
}

/** What is wrong with a row before its cells are looked at. */
export interface RowFault {
  readonly finding: RowReason;
  /** Heading, or empty. */
  readonly column: string;
}

/** Who sends a file, as far as its rows are concerned. */
export interface Sender {
  /** The supplier of rows that do not name one. */
  readonly supplier: string;
  /** What is left out is not asked about (SUP-2). */
  readonly mayUploadFor: AuthorityTest;
}

const noCell: CellFacts = { text: '', key: '', bytes: 0, fault: '', notes: [] };
const accented = /[^\0-\x7f]/;
const accentedSerial = /[^\0-\x7f\xa0]/;

/** By what the rows of a file are read, besides what stands in them. */
export interface RowReading {
  readonly sender: Sender;
  /** What changes are called; registrations need none. */
  readonly catalogue?: Catalogue;
  /** The file did not say how its accented letters are to be read. */
  readonly encodingUncertain?: boolean;
}

/**
 * Turns the rows of one file into records: texts as given, keys normalised once and for all, and at most one finding, the
 * first in this order: number of cells; then column by column as published, what is wrong with the cell; then whether the
 * catalogue has the change; then whether the account may upload for the supplier, of it for the holder, and of that for the
 * model. `note` holds remarks, or what the sender of a change wrote. A row is never dropped: its finding becomes its outcome.
 */
export class RowReader {
  readonly #document: DocumentKind;
  readonly #headings: Headings;
  readonly #sender: Sender;
  readonly #encodingUncertain: boolean;
  readonly #catalogue: Catalogue | undefined;
  readonly #own: CellFacts;
  // Suppliers, holders and models repeat from row to row, and most often from one to the next; serials do not.
  readonly #known = new Map<string, CellFacts>();
  readonly #models = new Map<string, CellFacts>();
  readonly #latest: { cell: string; facts: CellFacts }[];

  constructor(document: DocumentKind, headings: Headings, reading: RowReading) {
    const { sender, catalogue, encodingUncertain = false } = reading;
    assert(catalogue || document.action === 'register', 'changes are read with a catalogue');
    this.#document = document;
    this.#headings = headings;
    this.#sender = sender;
    this.#catalogue = catalogue;
    this.#encodingUncertain = encodingUncertain;
    this.#latest = document.layout.map(() => ({ cell: '', facts: noCell }));
    // Its bytes are not the file's: what an account is called must not move the boundaries of a batch (K4).
    this.#own =
      headingOf(document, 'supplier') === ''
        ? { ...examineCell(sender.supplier), bytes: 0, notes: [] }
        : noCell;
  }

  /** `row` counts records from 1; `line` is physical. A `fault` that is known already comes before all others. */
  read(cells: readonly string[], row: number, line: number, fault?: RowFault): Row {
    const { cellOf, width } = this.#headings;
    const { layout } = this.#document;
    const text: Record<CellField, string> = {
      supplier: this.#own === noCell ? '' : this.#sender.supplier,
      holder: '',
      series: '',
      model: '',
      serial: '',
      status: '',
      reason: '',
      note: '',
      brand: '',
    };
    let finding: RowReason | '' = fault?.finding ?? (isRagged(cells, width) ? 'cell_count_wrong' : '');
    let column = fault?.column ?? '';
    let remarks = '';
    let bytes = 0;
    let supplier = this.#own;
    let holder = noCell;
    let model = noCell;
    let serial = noCell;
    for (let c = 0; c < layout.length; c++) {
      const { field, heading } = layout[c]!;
      const cell = cells[cellOf[c]!] ?? '';
      const facts = field === 'serial' ? this.#examineSerial(cell) : this.#examine(c, field, cell);
      text[field] = facts.text;
      if (field !== 'brand') bytes += facts.bytes;
      if (field === 'supplier') supplier = facts;
      else if (field === 'holder') holder = facts;
      else if (field === 'model') model = facts;
      else if (field === 'serial') serial = facts;
      if (facts.notes.length > 0) remarks = withNotes(remarks, facts.notes);
      if (facts.fault !== '' && finding === '') {
        finding = facts.fault;
        column = heading;
      }
    }
    const change = finding === '' ? this.#change(text) : undefined;
    if (change && 'fault' in change) {
      finding = change.fault;
      column = headingOf(this.#document, change.field);
    } else if (change) Object.assign(text, change);
    const unauthorised = finding === '' ? this.#unauthorised(supplier.key, holder.key, model.key) : undefined;
    if (unauthorised) {
      finding = 'supplier_not_authorised';
      column = headingOf(this.#document, unauthorised);
    }
    const note = hasFreeNote(this.#document.action) ? text.note : remarks;
    const record: SerialRecord = {
      row,
      line,
      supplier: text.supplier,
      holder: text.holder,
      series: text.series,
      model: text.model,
      serial: text.serial,
      supplier_key: supplier.key,
      holder_key: holder.key,
      // Cells that may stand in the wrong column identify nothing.
      serial_key: finding === 'cell_count_wrong' ? '' : serial.key,
      status: text.status,
      reason: text.reason,
      note,
      finding,
      column,
    };
    const read = { record, bytes: bytes + Buffer.byteLength(note) };
    return text.brand === '' ? read : { ...read, brand: text.brand };
  }

  #change({ status, reason, note }: Readonly<Record<CellField, string>>) {
    const { action } = this.#document;
    if (action === 'register' || !this.#catalogue) return undefined;
    return changeOf(this.#catalogue, action, { status, reason, note });
  }

  /** The first of the texts that the account has no authority for. */
  #unauthorised(supplier: string, holder: string, model: string): CellField | undefined {
    const { mayUploadFor } = this.#sender;
    if (mayUploadFor(supplier, holder, model)) return undefined;
    if (!mayUploadFor(supplier)) return 'supplier';
    return mayUploadFor(supplier, holder) ? 'model' : 'holder';
  }

  /** A cell of the column `c`. */
  #examine(c: number, field: CellField, cell: string): CellFacts {
    const latest = this.#latest[c]!;
    if (latest.cell === cell && latest.facts !== noCell) return latest.facts;
    latest.facts = this.#examined(field, cell);
    latest.cell = cell;
    return latest.facts;
  }

  #examined(field: CellField, cell: string): CellFacts {
    if (field === 'note') return examineNote(cell);
    if (field === 'brand' && cell.trim() === '') return noCell;
    const memory = field === 'model' ? this.#models : this.#known;
    const known = memory.get(cell);
    if (known) return known;
    const facts = field === 'model' ? examineModel(cell) : examineCell(cell);
    const remarked =
      this.#encodingUncertain && accented.test(cell)
        ? { ...facts, notes: [...facts.notes, 'decoded_as_windows_1252' as const] }
        : facts;
    memory.set(cell, remarked);
    return remarked;
  }

  #examineSerial(cell: string): CellFacts {
    const facts = examineSerial(cell);
    if (!this.#encodingUncertain || facts.fault !== '' || !accentedSerial.test(cell)) return facts;
    return { ...facts, key: '', fault: 'serial_encoding_uncertain' };
  }
}

/** The row with one more remark. */
export function remarked(row: Row, more: RowNote): Row {
  const { record, bytes } = row;
  const note = withNotes(record.note, [more]);
  return { ...row, record: { ...record, note }, bytes: bytes + note.length - record.note.length };
}

/** Codes, each once, separated by spaces. */
function withNotes(note: string, more: readonly RowNote[]): string {
  const codes = new Set(note === '' ? [] : note.split(' '));
  for (const code of more) codes.add(code);
  return [...codes].join(' ');
}

/** Spreadsheets leave empty cells behind the last column: those do no harm. */
function isRagged(cells: readonly string[], width: number): boolean {
  if (cells.length === width) return false;
  return cells.length < width || cells.slice(width).some((cell) => cell.trim() !== '');
}
