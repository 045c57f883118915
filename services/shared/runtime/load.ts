const windowMs = 1_000;
/** The share of its time that a writer may spend in ClickHouse before larger inserts are worth the wait. */
const fullBusyShare = 0.4;

/**
 * How busy the writer was in the last second: by the rows that came, and by the time that inserts took. The second counts
 * where ClickHouse is slow or has others to serve: small inserts would then use it up by their number.
 */
export class Load {
  readonly #fullRateRows: number;
  #arrivals: { at: number; rows: number }[] = [];
  #inserts: { from: number; to: number }[] = [];

  /** `fullRateRows`: rows a second that are a full load. */
  constructor(fullRateRows: number) {
    this.#fullRateRows = fullRateRows;
  }

  arrived(at: number, rows: number): void {
    this.#arrivals.push({ at, rows });
  }

  inserted(from: number, to: number): void {
    this.#inserts.push({ from, to });
  }

  /** From 0, idle, to 1, full. */
  at(now: number): number {
    const since = now - windowMs;
    this.#arrivals = this.#arrivals.filter(({ at }) => at > since);
    this.#inserts = this.#inserts.filter(({ to }) => to > since);
    const rows = this.#arrivals.reduce((sum, arrival) => sum + arrival.rows, 0);
    const busyMs = this.#inserts.reduce((sum, { from, to }) => sum + to - Math.max(from, since), 0);
    return Math.min(Math.max(rows / this.#fullRateRows, busyMs / (windowMs * fullBusyShare)), 1);
  }
}
