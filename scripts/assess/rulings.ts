import { allRulings } from '#certificate/gather/ledger-reads.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { joinKey } from '#shared/base/keys.ts';
import { type ClaimEvent, modelsOf, serialsOf } from '#shared/domain/claims/index.ts';
import type { RulingFacts, Rulings } from '#shared/domain/rulings/ruling.ts';
import type { Basis } from './basis.ts';

/** The regulator's word on models and serials: all of it is read once, since it is little, and found by what it is about. */
export class RulingsIndex {
  readonly #bySubject = new Map<string, { readonly place: number; readonly ruling: RulingFacts }[]>();

  private constructor(rulings: Rulings) {
    for (const [place, ruling] of rulings.entries()) {
      for (const key of subjectsOf(ruling)) {
        const known = this.#bySubject.get(key);
        if (known) known.push({ place, ruling });
        else this.#bySubject.set(key, [{ place, ruling }]);
      }
    }
  }

  static async read(reader: Clickhouse, { rulingsUpTo }: Pick<Basis, 'rulingsUpTo'>): Promise<RulingsIndex> {
    return new RulingsIndex(rulingsUpTo < 0 ? [] : await allRulings(reader, rulingsUpTo));
  }

  /** Those that can concern a claim, in the order of the log. */
  of(claim: ClaimEvent): Rulings {
    if (this.#bySubject.size === 0) return [];
    const keys = [
      ...serialsOf(claim).map(({ item, serial_key }) => joinKey('serial', item.product, serial_key)),
      ...modelsOf(claim).map(({ product, model_key }) => joinKey('model', product, model_key)),
    ];
    const found = keys.flatMap((key) => this.#bySubject.get(key) ?? []);
    return [...new Map(found.map(({ place, ruling }) => [place, ruling]))]
      .sort(([a], [b]) => a - b)
      .map(([, ruling]) => ruling);
  }
}

function subjectsOf({ product, serial_key, model_key }: RulingFacts): readonly string[] {
  return [
    ...(serial_key === '' ? [] : [joinKey('serial', product, serial_key)]),
    ...(model_key === '' ? [] : [joinKey('model', product, model_key)]),
  ];
}
