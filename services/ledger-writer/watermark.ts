/**
 * L3, for one partition: the highest origin in the acknowledged prefix of the decided log, held one below the lowest
 * origin whose rows lie in an unsettled dead letter. Undefined until something was acknowledged.
 */
export class Watermark {
  #highest: number | undefined;
  readonly #unsettled: Map<string, number>;

  /**
   * `acknowledgedTo`: what an earlier writer had reached. `unsettled`: what the table of dead letters holds for this
   * partition, read after that and before the first message (L5).
   */
  constructor(
    unsettled: readonly { readonly key: string; readonly origin: number }[],
    acknowledgedTo?: number,
  ) {
    this.#unsettled = new Map(unsettled.map(({ key, origin }) => [key, origin]));
    this.#highest = acknowledgedTo;
  }

  /** The highest origin of the acknowledged prefix, whatever is held back. */
  get highest(): number | undefined {
    return this.#highest;
  }

  /** Called in delivery order, whatever origins are skipped; a copy of an older origin changes nothing. */
  acknowledge(origin: number): void {
    if (this.#highest === undefined || origin > this.#highest) this.#highest = origin;
  }

  hold(key: string, origin: number): void {
    this.#unsettled.set(key, origin);
  }

  /** True when `key` was unsettled: its rows are acknowledged now. */
  settle(key: string): boolean {
    return this.#unsettled.delete(key);
  }

  isHeldBy(key: string): boolean {
    return this.#unsettled.has(key);
  }

  get value(): number | undefined {
    if (this.#highest === undefined) return undefined;
    const value = Math.min(this.#highest, ...[...this.#unsettled.values()].map((origin) => origin - 1));
    return value < 0 ? undefined : value;
  }
}
