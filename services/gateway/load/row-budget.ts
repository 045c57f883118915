/**
 * Rows that each account may send: so many a minute, which may also come at once after a quiet minute. Kept by each instance
 * for itself.
 */
export class RowBudget {
  readonly #perMinute: number;
  readonly #accounts = new Map<string, { rows: number; at: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Takes rows out of the budget: 0, or in how many milliseconds they could be taken. */
  take(account: string, rows: number, now: number): number {
    const { rows: left, at } = this.#accounts.get(account) ?? { rows: this.#perMinute, at: now };
    const available = Math.min(this.#perMinute, left + ((now - at) / 60_000) * this.#perMinute);
    // More than a minute's rows at once are taken from a full budget, and are owed.
    const needed = Math.min(rows, this.#perMinute);
    const missing = needed - available;
    this.#accounts.delete(account);
    this.#accounts.set(account, { rows: missing > 0 ? available : available - rows, at: now });
    this.#forget(now);
    return missing > 0 ? Math.ceil((missing * 60_000) / this.#perMinute) : 0;
  }

  /** Who has sent nothing for two minutes has a full budget, unless more is owed. */
  #forget(now: number): void {
    const [oldest] = this.#accounts;
    if (!oldest || now - oldest[1].at < 120_000 || oldest[1].rows < 0) return;
    this.#accounts.delete(oldest[0]);
  }
}
