import { joinKey } from '#shared/base/keys.ts';
import { normalisationVersion, normalise } from '#shared/domain/normalise.ts';

/** One row of an approved list, as text stands in it. Days are yyyy-mm-dd; sizes are exact decimals, or empty. */
export interface ListingRow {
  readonly holder: string;
  readonly brand: string;
  readonly series: string;
  readonly model: string;
  /** First day of the window (WIN-1). */
  readonly approved: string;
  /** Last day of the window. */
  readonly expires: string;
  /** false: a row of earlier snapshots that the latest one does not have any more (WIN-5). */
  readonly current: boolean;
  readonly nominalKwh: string;
  readonly usableKwh: string;
  readonly acPowerKw: string;
}

/** Everything that any snapshot says of one (holder, model): at least one row. */
export type Listing = readonly ListingRow[];

/**
 * What listings are found by: certificate holder and model, folded (SER-4, WIN-7). The holder is part of it, since two
 * holders may list one model (DIRT-6); series and brand are not: no list needs them to tell models apart.
 */
export function listingKey(holder: string, model: string): string {
  return joinKey(normalise(holder), normalise(model));
}

/** Published lists carry the version: a release that folds otherwise must not look into a list that was folded as before. */
export const listingKeys = { version: normalisationVersion, fold: normalise, of: listingKey } as const;

/** The key of each record, in order. The rows of a batch name few models, and folding is the dearest part of a look-up. */
export function listingKeysOf(
  records: readonly { readonly holder: string; readonly model: string }[],
): string[] {
  const made = new Map<string, string>();
  return records.map(({ holder, model }) => {
    const given = joinKey(holder, model);
    const key = made.get(given) ?? listingKey(holder, model);
    made.set(given, key);
    return key;
  });
}
