import { escapeText } from '#shared/adapters/clickhouse/params.ts';
import { joinKey } from '#shared/base/keys.ts';
import { noFacts, premisesOf } from '#shared/domain/claims/index.ts';
import { normalise } from '#shared/domain/normalise.ts';
import type { Product } from '#shared/domain/serials.ts';
import type { ClaimRow } from './claim-rows.ts';

/** What the ledger is asked about some records that follow each other. Rows are tab-separated. */
export interface Asked {
  readonly first: number;
  readonly last: number;
  readonly serials: number;
  /** By product: record and serial key. */
  readonly keys: ReadonlyMap<Product, Buffer>;
  /** Record and premises. */
  readonly places: Buffer;
}

/** Columns that hold serials of the ledger. */
export const serialColumns: readonly { readonly field: string; readonly product: Product }[] = [
  { field: 'panel.serials', product: 'panel' },
  { field: 'inverter.serials', product: 'inverter' },
  { field: 'battery.serials', product: 'battery' },
];

/** At least the serials that the row has when it is read as a claim, without reading it as one. */
export function serialKeysOf(
  row: Pick<ClaimRow, 'cell'>,
): readonly { readonly product: Product; readonly key: string }[] {
  const found: { product: Product; key: string }[] = [];
  for (const { field, product } of serialColumns) {
    const cell = row.cell(field);
    if (cell === '') continue;
    for (const part of cell.split(';')) {
      const key = normalise(part.trim());
      if (key !== '') found.push({ product, key });
    }
  }
  return found;
}

export function premisesOfRow({ cell }: Pick<ClaimRow, 'cell'>): string {
  const text = (field: string) => cell(field).trim();
  return premisesOf({
    ...noFacts,
    postcode: text('postcode'),
    locality: text('locality'),
    address: text('address'),
  });
}

/** Everything by which a record can depend on another. */
export function dependencyKeys(
  row: Pick<ClaimRow, 'cell'>,
  premises: string,
  serials: ReturnType<typeof serialKeysOf>,
): readonly string[] {
  const turbines = row.cell('turbine.serials');
  return [
    joinKey('premises', premises),
    ...serials.map(({ product, key }) => joinKey(product, key)),
    ...(turbines === '' ? [] : turbines.split(';'))
      .map((part) => normalise(part.trim()))
      .filter((key) => key !== '')
      .map((key) => joinKey('turbine', key)),
  ];
}

/** Collects what is to be asked; a set is full at `serialsMax`. */
export class AskedSets {
  readonly #serialsMax: number;
  #first = 0;
  #last = 0;
  #serials = 0;
  #keys = new Map<Product, string[]>();
  #places: string[] = [];

  constructor(serialsMax: number) {
    this.#serialsMax = serialsMax;
  }

  /** A set that this row completes. */
  add(
    row: Pick<ClaimRow, 'cell' | 'record'>,
    premises: string,
    serials: ReturnType<typeof serialKeysOf>,
  ): Asked | undefined {
    if (this.#first === 0) this.#first = row.record;
    this.#last = row.record;
    for (const { product, key } of serials) {
      const keys = this.#keys.get(product);
      const line = `${row.record}\t${escapeText(key)}\n`;
      if (keys) keys.push(line);
      else this.#keys.set(product, [line]);
    }
    this.#places.push(`${row.record}\t${premises}\n`);
    this.#serials += serials.length;
    return this.#serials >= this.#serialsMax ? this.end() : undefined;
  }

  /** What is left. */
  end(): Asked | undefined {
    if (this.#first === 0) return undefined;
    const asked = {
      first: this.#first,
      last: this.#last,
      serials: this.#serials,
      keys: new Map([...this.#keys].map(([product, lines]) => [product, Buffer.from(lines.join(''))])),
      places: Buffer.from(this.#places.join('')),
    };
    this.#first = 0;
    this.#serials = 0;
    this.#keys = new Map();
    this.#places = [];
    return asked;
  }
}
