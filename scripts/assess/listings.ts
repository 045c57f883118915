import { ledgerReads } from '#certificate/gather/ledger-reads.ts';
import type { ListedModel, Listings } from '#certificate/gather/questions.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { joinKey } from '#shared/base/keys.ts';
import type { ModelKey } from '#shared/domain/claims/index.ts';
import type { Basis } from './basis.ts';

/** What the approved lists say of models; each model is asked for once in a job. */
export class ModelListings {
  readonly #reader: Clickhouse;
  readonly #snapshots: Basis['snapshots'];
  readonly #known = new Map<string, ListedModel>();

  constructor(reader: Clickhouse, { snapshots }: Pick<Basis, 'snapshots'>) {
    this.#reader = reader;
    this.#snapshots = snapshots;
  }

  async learn(models: readonly ModelKey[]): Promise<void> {
    const unknown = new Map(
      models.map((model) => [nameOf(model), model] as const).filter(([name]) => !this.#known.has(name)),
    );
    if (unknown.size === 0) return;
    const publications = [...this.#snapshots.values()].join(' ');
    const listed = await ledgerReads(this.#reader, 0).listingsOf([...unknown.values()], publications);
    for (const model of listed.models) this.#known.set(nameOf(model), model);
  }

  /** Of models that were learned. */
  of(models: readonly ModelKey[]): Listings {
    const products = new Set(
      models.map(({ product }) => product).filter((product) => this.#snapshots.has(product)),
    );
    return {
      snapshot: [...products]
        .sort()
        .map((product) => this.#snapshots.get(product)!)
        .join(' '),
      products,
      models: models.flatMap((model) => this.#known.get(nameOf(model)) ?? []),
    };
  }
}

function nameOf({ product, holder_key, series_key, model_key }: ModelKey): string {
  return joinKey(product, holder_key, series_key, model_key);
}
