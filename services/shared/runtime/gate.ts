/**
 * Which fetched batches of one partition may be handled. kafkajs can deliver a fetch that was under way before a seek,
 * and silently resets a position that left the log; so a batch is admitted only when it was fetched from exactly the
 * offset this partition waits for (D4, K6). Pure, so that the simulation drives the same code.
 */
export class FetchGate {
  #next: number;

  constructor(offset: number) {
    this.#next = offset;
  }

  /** The offset the next admitted batch must have been fetched from. */
  get next(): number {
    return this.#next;
  }

  admits(fetchedOffset: number): boolean {
    return fetchedOffset === this.#next;
  }

  /** Everything up to `lastOffset` was taken over from an admitted batch. */
  advance(lastOffset: number): void {
    this.#next = lastOffset + 1;
  }

  /** A fetch that held transaction markers or aborted messages only, and never reached the handler. */
  skipped(firstOffset: number, lastOffset: number): void {
    if (firstOffset <= this.#next && lastOffset >= this.#next) this.#next = lastOffset + 1;
  }
}
