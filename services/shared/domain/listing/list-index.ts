import { normalise } from '#shared/domain/normalise.ts';
import { type Listing, type ListingRow, listingKey } from './listing.ts';
import { nearestAmong } from './nearest.ts';

/** A holder and a model as the approved list writes them; the model is empty where only the holder was found. */
export interface Suggestion {
  readonly holder: string;
  readonly model: string;
}

type Nearest = (text: string) => readonly string[];

const suggestionsMax = 3;

/** An approved list in memory, for those who ask what it says, and what it would have said to a near miss (WIN-7). */
export class ListIndex {
  readonly #listings = new Map<string, ListingRow[]>();
  /** Spellings of a holder, and its models as written. */
  readonly #holders = new Map<string, { readonly holder: string; readonly models: Set<string> }>();
  readonly #holdersOfModel = new Map<string, Set<string>>();
  readonly #nearestModels = new Map<string, Nearest>();
  #nearestHolders: Nearest | undefined;

  constructor(rows: Iterable<ListingRow>) {
    for (const row of rows) {
      const key = listingKey(row.holder, row.model);
      const listing = this.#listings.get(key);
      if (listing) listing.push(row);
      else this.#listings.set(key, [row]);
      const holderKey = normalise(row.holder);
      const holder = this.#holders.get(holderKey) ?? { holder: row.holder, models: new Set() };
      this.#holders.set(holderKey, holder);
      holder.models.add(row.model);
      const modelKey = normalise(row.model);
      const holders = this.#holdersOfModel.get(modelKey) ?? new Set();
      this.#holdersOfModel.set(modelKey, holders);
      holders.add(holderKey);
    }
  }

  find(holder: string, model: string): Listing | undefined {
    return this.#listings.get(listingKey(holder, model));
  }

  /**
   * What may have been meant: of a listed holder its nearest models; else those of the nearest holders; else whoever lists
   * the model.
   */
  suggest(holder: string, model: string): readonly Suggestion[] {
    const holderKey = normalise(holder);
    const under = this.#holders.has(holderKey)
      ? this.#modelsUnder(holderKey, model)
      : this.#holdersNear(holder).flatMap((near) => this.#underNear(near, model));
    return (under.length > 0 ? under : this.#elsewhere(model)).slice(0, suggestionsMax);
  }

  #underNear(holder: string, model: string): readonly Suggestion[] {
    const found = this.#modelsUnder(normalise(holder), model);
    return found.length > 0 ? found : [{ holder, model: '' }];
  }

  /** The model itself, if it is there, or the nearest ones. */
  #modelsUnder(holderKey: string, model: string): readonly Suggestion[] {
    const { holder, models } = this.#holders.get(holderKey)!;
    const exact = this.#listings.get(listingKey(holder, model));
    if (exact) return exact.slice(0, 1).map((row) => ({ holder: row.holder, model: row.model }));
    let near = this.#nearestModels.get(holderKey);
    if (!near) {
      near = nearestAmong(models);
      this.#nearestModels.set(holderKey, near);
    }
    return near(model).map((text) => ({ holder, model: text }));
  }

  #holdersNear(holder: string): readonly string[] {
    this.#nearestHolders ??= nearestAmong([...this.#holders.values()].map((known) => known.holder));
    return this.#nearestHolders(holder);
  }

  #elsewhere(model: string): readonly Suggestion[] {
    const holders = this.#holdersOfModel.get(normalise(model)) ?? [];
    return [...holders].flatMap((holderKey) => this.#modelsUnder(holderKey, model).slice(0, 1));
  }
}
