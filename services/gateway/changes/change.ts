import type { RowReason } from '#shared/domain/reasons.ts';
import { type Catalogue, findEntry } from './catalogue.ts';

/** What a row asks for, as it stands in its cells. */
export interface ChangeTexts {
  readonly status: string;
  readonly reason: string;
  readonly note: string;
}

export type ChangeField = keyof ChangeTexts;

/** The same in the ids of the catalogue, or the first thing that is wrong. */
export type Change =
  | { readonly status: string; readonly reason: string }
  | { readonly fault: RowReason; readonly field: ChangeField };

/** INV-2, INVR-2: whether the catalogue has what a change names, and what its reason asks for. */
export function changeOf(
  catalogue: Catalogue,
  action: 'invalidate' | 'update_status',
  { status: statusText, reason: reasonText, note }: ChangeTexts,
): Change {
  const status = action === 'update_status' ? findEntry(catalogue.statuses, statusText) : undefined;
  if (action === 'update_status' && !status) return { fault: 'status_unknown', field: 'status' };
  const known = status ? catalogue.statusReasons : catalogue.invalidationReasons;
  const reason = findEntry(known, reasonText);
  if (!reason) return { fault: 'reason_unknown', field: 'reason' };
  if (status && !status.reasons.includes(reason)) return { fault: 'reason_not_for_status', field: 'reason' };
  if (reason.needsNote && note.trim() === '') return { fault: 'note_missing', field: 'note' };
  return { status: status?.id ?? '', reason: reason.id };
}
