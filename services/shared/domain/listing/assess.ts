import { normalise } from '#shared/domain/normalise.ts';
import type { Listing, ListingRow } from './listing.ts';

/** WIN-2: what the CEC means is not known; the default takes both days in. */
export interface WindowEnds {
  readonly firstDayCounts: boolean;
  readonly lastDayCounts: boolean;
}

export const bothEndsInside: WindowEnds = { firstDayCounts: true, lastDayCounts: true };

/** Reason codes of what there is to remark on a listed record; empty for nothing. */
export type ListingNote =
  | ''
  | 'listing_not_yet_approved'
  | 'listing_expired'
  | 'listing_gap'
  | 'listing_withdrawn'
  | 'listing_series_differs'
  | 'listed_with_other_case';

export interface ListingFinding {
  readonly finding: 'listed' | 'not_listed';
  readonly note: ListingNote;
}

const notListed: ListingFinding = { finding: 'not_listed', note: '' };

/**
 * At upload (WIN-6): not listed means that no snapshot ever had the holder and model. A record has room for one remark, so
 * the first that applies counts: the window on that day, a row withdrawn from the list, another series (which tells no models
 * apart, so it refuses none), a difference of case or space.
 * @param listing what was found under `listingKey(record.holder, record.model)`
 * @param onDate Sydney day of receipt, yyyy-mm-dd
 */
export function assessListing(
  record: { readonly holder: string; readonly model: string; readonly series?: string },
  listing: Listing | undefined,
  onDate: string,
  ends: WindowEnds = bothEndsInside,
): ListingFinding {
  if (listing === undefined) return notListed;
  const note = noteOfPlace(placeOf(listing, onDate, ends));
  if (note !== '') return { finding: 'listed', note };
  // Panels have no series.
  const { series = '' } = record;
  if (series !== '' && !listing.some((row) => normalise(row.series) === normalise(series)))
    return { finding: 'listed', note: 'listing_series_differs' };
  const exact = listing.some(
    (row) =>
      row.holder === record.holder && row.model === record.model && (series === '' || row.series === series),
  );
  return { finding: 'listed', note: exact ? '' : 'listed_with_other_case' };
}

export type ListedOn =
  | 'listed'
  | 'model_not_listed'
  | 'model_not_approved_yet'
  | 'model_expired'
  | 'model_in_gap';

/**
 * On the day of installation (ELIG-3, WIN-1 to 5). A row that a later snapshot does not have any more still counts.
 * @param installDate yyyy-mm-dd
 */
export function listedOn(
  listing: Listing | undefined,
  installDate: string,
  ends: WindowEnds = bothEndsInside,
): ListedOn {
  if (listing === undefined) return 'model_not_listed';
  const place = placeOf(listing, installDate, ends);
  switch (place) {
    case 'inside':
    case 'inside_withdrawn':
      return 'listed';
    case 'before':
      return 'model_not_approved_yet';
    case 'after':
      return 'model_expired';
    case 'between':
      return 'model_in_gap';
  }
}

/** The rows whose window holds that day, those of the latest snapshot first. */
export function rowsOn(
  listing: Listing,
  day: string,
  ends: WindowEnds = bothEndsInside,
): readonly ListingRow[] {
  const rows = listing.filter((row) => hasBegun(row, day, ends) && !hasEnded(row, day, ends));
  return [...rows.filter((row) => row.current), ...rows.filter((row) => !row.current)];
}

type Place = 'inside' | 'inside_withdrawn' | 'before' | 'after' | 'between';

/** Where a day lies in the union of the windows. */
function placeOf(listing: Listing, day: string, ends: WindowEnds): Place {
  let inside = false;
  let anyBegun = false;
  let allEnded = true;
  for (const row of listing) {
    const begun = hasBegun(row, day, ends);
    const ended = hasEnded(row, day, ends);
    if (begun && !ended) {
      if (row.current) return 'inside';
      inside = true;
    }
    anyBegun ||= begun;
    allEnded &&= ended;
  }
  if (inside) return 'inside_withdrawn';
  if (!anyBegun) return 'before';
  return allEnded ? 'after' : 'between';
}

function hasBegun(row: ListingRow, day: string, ends: WindowEnds): boolean {
  return ends.firstDayCounts ? row.approved <= day : row.approved < day;
}

function hasEnded(row: ListingRow, day: string, ends: WindowEnds): boolean {
  return ends.lastDayCounts ? row.expires < day : row.expires <= day;
}

function noteOfPlace(place: Place): ListingNote {
  switch (place) {
    case 'inside':
      return '';
    case 'inside_withdrawn':
      return 'listing_withdrawn';
    case 'before':
      return 'listing_not_yet_approved';
    case 'after':
      return 'listing_expired';
    case 'between':
      return 'listing_gap';
  }
}
