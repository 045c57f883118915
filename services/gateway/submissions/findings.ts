import { joinKey } from '#shared/base/keys.ts';
import { assessListing } from '#shared/domain/listing/assess.ts';
import type { ListIndex, Suggestion } from '#shared/domain/listing/list-index.ts';
import { findReason } from '#shared/domain/reasons.ts';
import type { SerialRecord } from '#shared/domain/serials.ts';
import { type CellField, type DocumentKind, headingOf } from './documents.ts';

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
  return records
    .filter(({ finding, note }) => finding !== '' || note !== '')
    .flatMap((record) => [
      ...(record.finding === ''
        ? []
        : [finding(record, 'refused', record.finding, placeOf(record, document, record.column))]),
      ...codesOf(record.note).map((code) =>
        finding(record, 'remark', code, placeOfNote(record, document, code)),
      ),
    ]);
}

/** What the approved list says of the rows without a fault, as it stands on that day; and what may have been meant. */
export function listFindings(
  records: readonly SerialRecord[],
  document: DocumentKind,
  list: ListIndex,
  onDay: string,
): readonly RowFinding[] {
  const suggestions = new Map<string, readonly Suggestion[]>();
  return records.flatMap((record) => {
    if (record.finding !== '') return [];
    const { holder, model } = record;
    const listing = assessListing(record, list.find(holder, model), onDay);
    const place = placeOf(record, document, headingOf(document, 'model'));
    if (listing.finding === 'listed')
      return listing.note === '' ? [] : [finding(record, 'remark', listing.note, place)];
    const key = joinKey(holder, model);
    const nearest = suggestions.get(key) ?? list.suggest(holder, model);
    suggestions.set(key, nearest);
    const notListed = finding(record, 'refused', listing.finding, place);
    return [nearest.length === 0 ? notListed : { ...notListed, nearest }];
  });
}

/** Rows whose serial an earlier row has under the same holder (DMG-12). */
export function repeatedFindings(
  records: readonly SerialRecord[],
  document: DocumentKind,
): readonly RowFinding[] {
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
    return [{ ...finding(record, 'refused', 'duplicate', place), first }];
  });
}

export function codesOf(note: string): readonly string[] {
  return note === '' ? [] : note.split(' ');
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

type Texts = Pick<SerialRecord, CellField>;

function placeOf(texts: Texts, document: DocumentKind, column: string): Place {
  const known = document.layout.find(({ heading }) => heading === column);
  return { column, value: known ? texts[known.field] : '' };
}

/** A note names no cell, but most are about the serial by their name. */
export function placeOfNote(texts: Texts, document: DocumentKind, code: string): Place {
  const field = /^(serial|model)_/.exec(code)?.[1] as 'serial' | 'model' | undefined;
  return field ? placeOf(texts, document, headingOf(document, field)) : { column: '', value: '' };
}
