const windowMs = 1_000;
/** The share of its time that work may take before larger pieces of it are worth a wait. */
const fullBusyShare = 0.4;

/**
 * How busy something was in the last second: by the amount that came, and by the time that working on it took. The second
 * counts where the machine is slow or has others to serve: many small pieces would then use it up by their number.
 */
export class Load {
  readonly #fullRate: number;
  #arrivals: { at: number; amount: number }[] = [];
  #work: { from: number; to: number }[] = [];

  /** `fullRate`: the amount in a second that is a full load. */
  constructor(fullRate: number) {
    this.#fullRate = fullRate;
  }

  arrived(at: number, amount: number): void {
    this.#arrivals.push({ at, amount });
  }

  worked(from: number, to: number): void {
    this.#work.push({ from, to });
  }

  /** From 0, idle, to 1, full. */
  at(now: number): number {
    const since = now - windowMs;
    this.#arrivals = this.#arrivals.filter(({ at }) => at > since);
    this.#work = this.#work.filter(({ to }) => to > since);
    const amount = this.#arrivals.reduce((sum, arrival) => sum + arrival.amount, 0);
    const busyMs = this.#work.reduce((sum, { from, to }) => sum + to - Math.max(from, since), 0);
    return Math.min(Math.max(amount / this.#fullRate, busyMs / (windowMs * fullBusyShare)), 1);
  }

  /** Grows with the square of the load: one file among idleness must not wait for company that does not come. */
  waitMs(now: number, waitMsMax: number): number {
    return waitMsMax * this.at(now) ** 2;
  }
}
