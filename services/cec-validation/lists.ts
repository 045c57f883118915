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
  const models = new NamedModels();
  for (const record of records) models.of(record);
  const found = await lists.lookupListings(product, snapshot, models.keys);
  if (found === 'unavailable') return found;
  return {
    snapshot,
    listingOf(record, receivedAt) {
      const named = models.of(record);
      if (named.listing && named.receivedAt === receivedAt) return named.listing;
      named.receivedAt = receivedAt;
      named.listing = assessListing(record, found.get(named.key), sydneyDay(receivedAt));
      return named.listing;
    },
  };
}

/** A model as rows name it, and what the list says of it: the rows of a batch were received together. */
interface NamedModel {
  readonly key: string;
  receivedAt: number;
  listing: Listing | undefined;
}

/** Found by one name after the other: that costs less than making one text of all for every row. */
class NamedModels {
  readonly keys: string[] = [];
  readonly #byModel = new Map<string, Map<string, Map<string, NamedModel>>>();

  of({ holder, series, model }: RecordView): NamedModel {
    const bySeries = within(within(this.#byModel, model), holder);
    const known = bySeries.get(series);
    if (known) return known;
    const named = { key: listingKey(holder, model), receivedAt: 0, listing: undefined };
    bySeries.set(series, named);
    this.keys.push(named.key);
    return named;
  }
}

function within<Value>(maps: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  let found = maps.get(name);
  if (!found) {
    found = new Map();
    maps.set(name, found);
  }
  return found;
}
