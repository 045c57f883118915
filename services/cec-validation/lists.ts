import type { ApprovedLists } from '#shared/adapters/redis/lists.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { assessListing } from '#shared/domain/listing/assess.ts';
import { listingKey } from '#shared/domain/listing/listing.ts';
import type { Listing } from '#shared/domain/serials.ts';
import type { ListAnswer, RecordView } from './partition.ts';

/**
 * Asks one publication about every holder and model of `records`, in one step. The rows of a file name few models, so
 * folding, look-up and assessment are done once for each and remembered for the rest.
 */
export async function askLists(
  lists: Pick<ApprovedLists, 'currentSnapshot' | 'lookupListings'>,
  product: string,
  records: readonly RecordView[],
): Promise<ListAnswer | 'unavailable'> {
  const snapshot = await lists.currentSnapshot(product);
  if (snapshot === 'unavailable') return snapshot;
  const keys = new Map<string, string>();
  for (const record of records) {
    const texts = textsOf(record);
    if (!keys.has(texts)) keys.set(texts, listingKey(record.holder, record.model));
  }
  const found = await lists.lookupListings(product, snapshot, [...keys.values()]);
  if (found === 'unavailable') return found;

  const assessed = new Map<string, Listing>();
  return {
    snapshot,
    listingOf(record, receivedAt) {
      const day = sydneyDay(receivedAt);
      const texts = textsOf(record);
      const known = assessed.get(day + texts);
      if (known) return known;
      const listing = assessListing(record, found.get(keys.get(texts)!), day);
      assessed.set(day + texts, listing);
      return listing;
    },
  };
}

/** Not `joinKey`: this runs for every row, and nothing keeps the key. */
function textsOf({ holder, series, model }: RecordView): string {
  return `${holder.length}:${series.length}:${holder}${series}${model}`;
}
