import type { Catalogue } from '#gateway/changes/catalogue.ts';
import type { Headings } from '#gateway/csv/headings.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { findReason } from '#shared/domain/reasons.ts';
import type { SerialRecord } from '#shared/domain/serials.ts';
import { type Batch, Batcher } from './batches.ts';
import { type DocumentKind, hasFreeNote, headingOf } from './documents.ts';
import { SerialProfile } from './profile.ts';
import { type Row, type RowFault, RowReader, remarked, type Sender } from './rows.ts';

export interface Contents {
  readonly rows: number;
  readonly batches: readonly Batch[];
  /** In the order in which they came. */
  readonly records: readonly SerialRecord[];
  /** Rows by finding of the gateway; empty for those without. */
  readonly findings: ReadonlyMap<string, number>;
  /** Brands, by row: they are looked at, and have no place in the records. */
  readonly brands?: ReadonlyMap<number, string>;
}

export interface CollectOptions {
  readonly partitions: number;
  readonly sender: Sender;
  /** What changes are called; registrations need none. */
  readonly catalogue?: Catalogue;
  /** UP-1, UP-2 */
  readonly rowsMax?: number;
  /** DMG-13: more than this share of damaged rows, 0 to 1, and nothing is taken. */
  readonly damageShareMax?: number;
  /** Between two slices of the reading. */
  readonly pause?: () => Promise<void>;
}

export const rowsMaxDefault = 5_000;
export const damageShareMaxDefault = 0.2;

/** What is too long is counted on up to this many times its limit, so that the message can tell how long it is (UP-2). */
const countedOn = 10;
const sampleRows = 10;

/**
 * Gathers the records of one submission, whatever they came in, and cuts them into batches once all are there: damage shows
 * in all of them together. What it makes depends on the records, the number of partitions and, for findings and the ids of
 * changes alone, on what the account may do and on the catalogue.
 */
export class RowCollector {
  readonly #document: DocumentKind;
  readonly #options: CollectOptions;
  readonly #rowsMax: number;
  readonly #reader: RowReader;
  readonly #profile = new SerialProfile();
  readonly #rows: Row[] = [];
  #count = 0;
  #firstTooMany = 0;

  constructor(
    document: DocumentKind,
    headings: Headings,
    options: CollectOptions,
    encodingUncertain = false,
  ) {
    this.#document = document;
    this.#options = options;
    this.#rowsMax = options.rowsMax ?? rowsMaxDefault;
    const { sender, catalogue } = options;
    this.#reader = new RowReader(document, headings, {
      sender,
      encodingUncertain,
      ...(catalogue ? { catalogue } : {}),
    });
  }

  /** The next record. A refusal says that no more are wanted. */
  add(cells: readonly string[], line: number, fault?: RowFault): Refusal | undefined {
    this.#count += 1;
    if (this.#count > this.#rowsMax) {
      if (this.#firstTooMany === 0) this.#firstTooMany = line;
      return this.#count > this.#rowsMax * countedOn ? this.#tooManyRows() : undefined;
    }
    const row = this.#reader.read(cells, this.#count, line, fault);
    // Whatever the account may do: remarks must not move the boundaries of a batch (K4).
    if (row.record.serial_key !== '' && this.#document.action === 'register')
      this.#profile.add(row.record.model, row.record.serial_key);
    this.#rows.push(row);
    return undefined;
  }

  /** All of it, or why none of it is taken. */
  finish(): Contents | Refusal {
    if (this.#count > this.#rowsMax) return this.#tooManyRows();
    if (this.#count === 0) return refuse('file_empty');
    const refusal = this.#compare();
    if (refusal) return refusal;
    const batcher = new Batcher(this.#document, this.#options.partitions);
    const findings = new Map<string, number>();
    const brands = new Map<number, string>();
    for (const row of this.#rows) {
      batcher.add(row);
      if (row.brand !== undefined) brands.set(row.record.row, row.brand);
      findings.set(row.record.finding, (findings.get(row.record.finding) ?? 0) + 1);
    }
    const records = this.#rows.map(({ record }) => record);
    return { rows: records.length, batches: batcher.batches(), records, findings, brands };
  }

  /** Remarks what only many serials show, and refuses what is damaged as a whole (DMG-13). */
  #compare(): Refusal | undefined {
    const shareMax = this.#options.damageShareMax ?? damageShareMaxDefault;
    const signs = this.#profile.signs();
    if (signs.size > 0)
      for (const [i, row] of this.#rows.entries()) {
        const { model, serial_key } = row.record;
        const note = serial_key === '' ? undefined : signs.get(model)?.noteOf(serial_key);
        if (note !== undefined) this.#rows[i] = remarked(row, note);
      }
    const damaged = this.#rows.filter(({ record }) => this.#damageOf(record) !== undefined);
    const worst = Math.max(
      damaged.length / this.#rows.length,
      ...[...signs.values()].map(({ damagedShare }) => damagedShare),
    );
    if (worst <= shareMax) return undefined;
    const detail = `${damaged.length} of ${this.#rows.length} rows are damaged; the limit is ${shareMax * 100} % of all rows, or of the rows of one model`;
    return refuse('file_damaged', detail, {
      count: this.#rows.length,
      damaged: damaged.length,
      limit: shareMax,
      sample: damaged
        .slice(0, sampleRows)
        .map(({ record }) => sampleOf(record, this.#damageOf(record)!, this.#document)),
    });
  }

  /** Serials that were registered damaged must be there to be changed: of changes only what can be no serial counts. */
  #damageOf(record: SerialRecord): string | undefined {
    return damageOf(hasFreeNote(this.#document.action) ? { ...record, note: '' } : record);
  }

  #tooManyRows(): Refusal {
    const least = this.#count > this.#rowsMax * countedOn ? 'at least ' : '';
    const where = this.#firstTooMany > 0 ? `; the first too many begins at line ${this.#firstTooMany}` : '';
    return refuse(
      'too_many_rows',
      `there are ${least}${this.#count} rows, the limit is ${this.#rowsMax}${where}`,
      {
        limit: this.#rowsMax,
        count: this.#count,
        ...(this.#firstTooMany > 0 ? { line: this.#firstTooMany } : {}),
      },
    );
  }
}

const damagedFindings: ReadonlySet<string> = new Set([
  'serial_in_scientific_notation',
  'serial_is_date',
  'cell_is_formula',
]);
/** A model that looks like a date is not among them: whether it is one is for the approved list to say. */
const damagedNotes = ['serial_zeros_lost', 'serial_digits_rounded'];

/** The code of the damage that a spreadsheet program did to a row. */
function damageOf({ finding, note }: Pick<SerialRecord, 'finding' | 'note'>): string | undefined {
  if (damagedFindings.has(finding)) return finding;
  if (note === '') return undefined;
  const codes = note.split(' ');
  return damagedNotes.find((code) => codes.includes(code));
}

function sampleOf(record: SerialRecord, code: string, document: DocumentKind): object {
  const reason = findReason(code)!;
  const column = record.column === '' ? headingOf(document, 'serial') : record.column;
  const field = document.layout.find(({ heading }) => heading === column)?.field ?? 'serial';
  const { row, line } = record;
  return {
    record: row,
    line,
    column,
    value: field === 'brand' ? '' : record[field],
    code,
    sentence: reason.sentence,
    hint: reason.hint,
  };
}
