import { murmur3 } from '#shared/domain/partition.ts';

/**
 * Finds the records of a file that name something which another record names too: only they can depend on each other. Keys
 * are told apart by 53 bits, kept in 24 bytes each; two that fall together make a record look as if it shared something,
 * which costs time and changes nothing.
 */
export class SharedKeys {
  #keys = new Float64Array(1 << 16);
  #owners = new Uint32Array(1 << 16);
  #count = 0;
  readonly #sharing = new Set<number>();

  /** `record`: from 1, in ascending order. */
  add(key: string, record: number): void {
    if (this.#count * 2 >= this.#keys.length) this.#grow();
    const code = codeOf(key);
    const place = this.#placeOf(code);
    const owner = this.#owners[place]!;
    if (owner === 0) {
      this.#keys[place] = code;
      this.#owners[place] = record;
      this.#count += 1;
    } else if (owner !== record) {
      this.#sharing.add(owner).add(record);
    }
  }

  shares(record: number): boolean {
    return this.#sharing.has(record);
  }

  get sharing(): number {
    return this.#sharing.size;
  }

  /** Where the key is, or would be. */
  #placeOf(code: number): number {
    const mask = this.#keys.length - 1;
    let place = code % this.#keys.length;
    while (this.#owners[place] !== 0 && this.#keys[place] !== code) place = (place + 1) & mask;
    return place;
  }

  #grow(): void {
    const [keys, owners] = [this.#keys, this.#owners];
    this.#keys = new Float64Array(keys.length * 2);
    this.#owners = new Uint32Array(keys.length * 2);
    for (let from = 0; from < keys.length; from++) {
      if (owners[from] === 0) continue;
      const to = this.#placeOf(keys[from]!);
      this.#keys[to] = keys[from]!;
      this.#owners[to] = owners[from]!;
    }
  }
}

const otherSeed = 0x5bd1e995;

function codeOf(key: string): number {
  return murmur3(key, 0) * 0x200000 + (murmur3(key, otherSeed) >>> 11);
}
