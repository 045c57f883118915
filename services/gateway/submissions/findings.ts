import { setImmediate } from 'node:timers/promises';
import { joinKey } from '#shared/base/keys.ts';
import { assessListing, type ListingFinding } from '#shared/domain/listing/assess.ts';
import type { ListIndex, Suggestion } from '#shared/domain/listing/list-index.ts';
import { normalise } from '#shared/domain/normalise.ts';
import { findReason } from '#shared/domain/reasons.ts';
import type { SerialRecord } from '#shared/domain/serials.ts';
import type { Contents } from './collect.ts';
import { type CellField, type DocumentKind, hasFreeNote, headingOf } from './documents.ts';

/** What there is to say of one row, with the cell that it is about (K3 of the requirements). */
export interface RowFinding {
  readonly record: number;
  /** 0 where there is no file. */
  readonly line: number;
  /** `refused`: the row is not registered; `remark`: it is, and somebody should look. */
  readonly effect: 'refused' | 'remark';
  readonly column: string;
  readonly value: string;
  readonly code: string;
  readonly sentence: string;
  readonly hint: string;
  /** Of a model that is not listed: what may have been meant. */
  readonly nearest?: readonly Suggestion[];
  /** Of a repeated serial: the record that has it first. */
  readonly first?: number;
}

type Place = Pick<RowFinding, 'column' | 'value'>;

/** What the gateway found in the rows, in their order. */
export function gatewayFindings(
  records: readonly SerialRecord[],
  document: DocumentKind,
): readonly RowFinding[] {
  const remarksOf = ({ note }: SerialRecord) => (hasFreeNote(document.action) ? [] : codesOf(note));
  return records
    .filter(({ finding, note }) => finding !== '' || note !== '')
    .flatMap((record) => [
      ...(record.finding === ''
        ? []
        : [finding(record, 'refused', record.finding, placeOf(record, document, record.column))]),
      ...remarksOf(record).map((code) =>
        finding(record, 'remark', code, placeOfNote(record, document, code)),
      ),
    ]);
}

/**
 * What the approved list says of the rows without a fault, as it stands on that day; and what may have been meant. Each
 * model is looked for once, and others are served in between.
 */
export async function listFindings(
  { records, brands }: Pick<Contents, 'records' | 'brands'>,
  document: DocumentKind,
  list: ListIndex,
  onDay: string,
): Promise<readonly RowFinding[]> {
  const known = new Map<string, ListAnswer>();
  const findings: RowFinding[] = [];
  for (const record of records) {
    if (record.finding !== '') continue;
    const key = joinKey(record.holder, record.model, record.series);
    let answer = known.get(key);
    if (!answer) {
      answer = askList(list, record, onDay);
      known.set(key, answer);
      if (answer.nearest.length > 0) await setImmediate();
    }
    const place = placeOf(record, document, headingOf(document, 'model'));
    if (answer.finding === 'listed') {
      if (answer.note !== '')
        findings.push(
          finding(record, 'remark', answer.note, placeOfListingNote(record, document, answer.note)),
        );
      const brand = brands?.get(record.row);
      if (brand !== undefined && !answer.brands.has(normalise(brand)))
        findings.push(
          finding(record, 'remark', 'listing_brand_differs', {
            column: headingOf(document, 'brand'),
            value: brand,
          }),
        );
      continue;
    }
    const notListed = finding(record, 'refused', answer.finding, place);
    const { nearest } = answer;
    findings.push(nearest.length === 0 ? notListed : { ...notListed, nearest });
  }
  return findings;
}

interface ListAnswer extends ListingFinding {
  /** Under which the model is listed, as they are compared. */
  readonly brands: ReadonlySet<string>;
  readonly nearest: readonly Suggestion[];
}

function askList(list: ListIndex, record: SerialRecord, onDay: string): ListAnswer {
  const { holder, model } = record;
  const listing = list.find(holder, model);
  const answer = assessListing(record, listing, onDay);
  return {
    ...answer,
    brands: new Set(listing?.map(({ brand }) => normalise(brand))),
    nearest: answer.finding === 'listed' ? [] : list.suggest(holder, model),
  };
}

function placeOfListingNote(texts: Texts, document: DocumentKind, note: string): Place {
  const field = note === 'listing_series_differs' ? 'series' : 'model';
  return placeOf(texts, document, headingOf(document, field));
}

/** Rows whose serial an earlier row has under the same holder (DMG-12). A status may change more than once. */
export function repeatedFindings(
  records: readonly SerialRecord[],
  document: DocumentKind,
): readonly RowFinding[] {
  if (document.action === 'update_status') return [];
  const code = document.action === 'register' ? 'duplicate' : 'already_invalid';
  const seen = new Map<string, number>();
  return records.flatMap((record) => {
    if (record.finding !== '') return [];
    const key = joinKey(record.holder_key, record.serial_key);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, record.row);
      return [];
    }
    const place = placeOf(record, document, headingOf(document, 'serial'));
    return [{ ...finding(record, 'refused', code, place), first }];
  });
}

export function codesOf(note: string): readonly string[] {
  return note === '' ? [] : note.split(' ');
}

/** Remarks on a row, of every stage. `noteIsText`: the note is a text of its sender, and holds no codes. */
export function remarkCodes(
  row: { readonly note: string; readonly listing_note: string; readonly decision_note: string },
  noteIsText: boolean,
): readonly string[] {
  const codes = [...(noteIsText ? [] : codesOf(row.note)), row.listing_note, row.decision_note];
  return codes.filter((code) => code !== '');
}

function finding(
  { row, line }: SerialRecord,
  effect: RowFinding['effect'],
  code: string,
  place: Place,
): RowFinding {
  const reason = findReason(code);
  return {
    record: row,
    line,
    effect,
    ...place,
    code,
    sentence: reason?.sentence ?? `${code}.`,
    hint: reason?.hint ?? 'Ask for help with this code.',
  };
}

type Texts = Pick<SerialRecord, Exclude<CellField, 'brand'>>;

function placeOf(texts: Texts, document: DocumentKind, column: string): Place {
  const known = document.layout.find(({ heading }) => heading === column);
  return { column, value: known && known.field !== 'brand' ? texts[known.field] : '' };
}

/** A note names no cell, but most are about the serial by their name. */
export function placeOfNote(texts: Texts, document: DocumentKind, code: string): Place {
  const field = /^(serial|model)_/.exec(code)?.[1] as 'serial' | 'model' | undefined;
  return field ? placeOf(texts, document, headingOf(document, field)) : { column: '', value: '' };
}
