import {
  cursorOf,
  type FoundEntry,
  matches,
  type Place,
  placeOf,
  type SearchQuery,
  type SearchScope,
} from './query.ts';

export interface SearchPorts {
  /**
   * Places after `after`, in order, of serials of which some entry matches: at most `limit`. A place whose latest entry
   * matches is always among them.
   */
  candidates(
    query: SearchQuery,
    scope: SearchScope,
    after: Place | undefined,
    limit: number,
  ): Promise<readonly Place[]>;
  /** The latest entry at each place. */
  latest(query: SearchQuery, places: readonly Place[]): Promise<readonly FoundEntry[]>;
}

export interface Page {
  readonly entries: readonly FoundEntry[];
  /** Where the next page begins; absent at the end. */
  readonly next?: string;
}

/** Candidates of one look: more than a page when many of them turn out not to match. */
const candidatesMax = 5_000;

/**
 * One page of results. First the places where some entry matches, by the order of the table; then the latest entries
 * there, of which those count that match themselves. A cursor stays good whatever is registered or changed meanwhile.
 */
export async function searchPage(
  ports: SearchPorts,
  query: SearchQuery,
  scope: SearchScope,
  page: { readonly after?: Place; readonly limit: number },
): Promise<Page> {
  const entries: FoundEntry[] = [];
  let { after } = page;
  for (let looked = page.limit + 1; ; looked = Math.min(looked * 4, candidatesMax)) {
    const places = await ports.candidates(query, scope, after, looked);
    const found = places.length === 0 ? [] : await ports.latest(query, places);
    for (const entry of found) {
      if (!matches(query, scope, entry)) continue;
      if (entries.length === page.limit) return { entries, next: cursorOf(placeOf(entries.at(-1)!)) };
      entries.push(entry);
    }
    if (places.length < looked) return { entries };
    after = places.at(-1);
  }
}

/** All pages behind a place, one after the other: for exports, and for changing everything that matched. */
export async function* searchAll(
  ports: SearchPorts,
  query: SearchQuery,
  scope: SearchScope,
  behind?: Place,
): AsyncGenerator<readonly FoundEntry[]> {
  let after = behind;
  for (;;) {
    const places = await ports.candidates(query, scope, after, candidatesMax);
    if (places.length === 0) return;
    const found = await ports.latest(query, places);
    yield found.filter((entry) => matches(query, scope, entry));
    if (places.length < candidatesMax) return;
    after = places.at(-1);
  }
}
