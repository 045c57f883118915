import type { ListingWindow } from '#shared/domain/claims/claim.ts';
import type { ModelKey } from '#shared/domain/claims/index.ts';
import type { Rulings } from '#shared/domain/rulings/ruling.ts';

/** One serial that is asked about, with the partition that its entries are in. */
export interface AskedSerial {
  readonly product: string;
  readonly serial_key: string;
  readonly partition: number;
}

export interface Question {
  readonly serials: readonly AskedSerial[];
  readonly models: readonly ModelKey[];
}

/**
 * A serial under one certificate holder, as the ledger has it up to the watermark. Entry 0 with the outcome
 * `supplier_not_authorised`: it was offered under this holder, for want of authority in vain.
 */
export interface LedgerEntry {
  readonly product: string;
  readonly serial_key: string;
  readonly holder_key: string;
  readonly holder: string;
  readonly supplier: string;
  readonly account: string;
  readonly series: string;
  readonly model: string;
  readonly entry: number;
  readonly outcome: string;
  readonly status: string;
  /** Epoch milliseconds of the first registration's receipt, and of the latest entry's. */
  readonly registered_at: number;
  readonly entered_at: number;
  /** Normalised: the supplier whose registration stands, and others that were refused it. */
  readonly held_by: string;
  readonly disputed_by: readonly string[];
}

/** What the approved lists have of a model; `windows` is empty when it is in no snapshot. */
export interface ListedModel extends ModelKey {
  readonly windows: readonly ListingWindow[];
  readonly usable_kwh: string;
  readonly nominal_kwh: string;
}

/** Rulings on what was asked about, in the order of their log, up to the highest offset that the ledger had; -1: none. */
export interface RulingsAnswer {
  readonly offset: number;
  readonly rulings: Rulings;
}

export interface Listings {
  /** Ids of the publications that were read, in order, or empty. */
  readonly snapshot: string;
  /** Products of which there is a list. */
  readonly products: ReadonlySet<string>;
  readonly models: readonly ListedModel[];
}

/** By partition of the serials. */
export type Offsets = ReadonlyMap<number, number>;

/** All that gathering needs of the world. No engine is named here. */
export interface LedgerPorts {
  /** Writes one tick, outside a transaction, to each partition; resolves with their offsets (Q1). */
  tick(partitions: readonly number[]): Promise<Offsets>;
  /** The watermark of each partition that has one; from the replica that `entries` reads. */
  watermarks(): Promise<Offsets>;
  /** Entries with an origin at or below the watermark of their partition: the ledger as it stood then, exactly. */
  entries(serials: readonly AskedSerial[], watermarks: Offsets): Promise<readonly LedgerEntry[]>;
  listings(models: readonly ModelKey[]): Promise<Listings>;
  rulings(serials: readonly AskedSerial[], models: readonly ModelKey[]): Promise<RulingsAnswer>;
  wait(ms: number): Promise<void>;
}

export interface Answer {
  readonly stamps: Offsets;
  readonly watermarks: Offsets;
  /** Of all questions answered together; a superset of one's own. */
  readonly entries: readonly LedgerEntry[];
  readonly listings: Listings;
  readonly rulings: RulingsAnswer;
}

interface Waiting {
  readonly question: Question;
  stamps: Offsets;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const pollMsLeast = 15;
const pollMsMost = 500;

/**
 * Asks the ledger for many claims at once (Q1). A question is stamped by ticks written after it was asked; it is
 * answered once the watermark of each of its partitions is at or past its stamp, however long that takes. Questions that
 * arise together share ticks, watermarks and queries; one that waits holds up no other.
 */
export class LedgerQuestions {
  readonly #ports: LedgerPorts;
  #unstamped: Waiting[] = [];
  #stamped: Waiting[] = [];
  #stamping = false;
  #polling = false;
  #pollMs = pollMsLeast;

  constructor(ports: LedgerPorts) {
    this.#ports = ports;
  }

  /** Rejects when an engine fails (the world), or when `signal` aborts. */
  ask(question: Question, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { question, stamps: new Map(), resolve, reject };
      signal.addEventListener('abort', () => this.#forget(waiting, signal.reason), { once: true });
      if (signal.aborted) return reject(signal.reason);
      this.#unstamped.push(waiting);
      if (!this.#stamping) void this.#stamp();
    });
  }

  #forget(waiting: Waiting, reason: unknown): void {
    this.#unstamped = this.#unstamped.filter((other) => other !== waiting);
    this.#stamped = this.#stamped.filter((other) => other !== waiting);
    waiting.reject(reason);
  }

  /** One tick a partition for all questions of this moment; those that come while it is written get the next one. */
  async #stamp(): Promise<void> {
    this.#stamping = true;
    // Questions of the claims that were delivered together are asked in one turn of the event loop.
    await this.#ports.wait(0);
    while (this.#unstamped.length > 0) {
      const taken = this.#unstamped;
      this.#unstamped = [];
      try {
        const partitions = new Set(
          taken.flatMap(({ question }) => question.serials.map(({ partition }) => partition)),
        );
        const offsets = partitions.size > 0 ? await this.#ports.tick([...partitions]) : new Map();
        for (const waiting of taken) waiting.stamps = stampsOf(waiting.question, offsets);
        this.#stamped.push(...taken);
        this.#pollMs = pollMsLeast;
        if (!this.#polling) void this.#poll();
      } catch (error) {
        for (const waiting of taken) waiting.reject(error);
      }
    }
    this.#stamping = false;
  }

  /** Watermarks first, then the rows: what lies at or below them is complete (Q1). */
  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.#stamped.length > 0) {
      let asked = this.#stamped;
      try {
        const watermarks = await this.#ports.watermarks();
        const ready = this.#stamped.filter(({ stamps }) => reached(stamps, watermarks));
        if (ready.length === 0) {
          await this.#ports.wait(this.#pollMs);
          this.#pollMs = Math.min(this.#pollMs * 1.3, pollMsMost);
          continue;
        }
        asked = ready;
        this.#pollMs = pollMsLeast;
        this.#stamped = this.#stamped.filter((waiting) => !ready.includes(waiting));
        await this.#answer(ready, watermarks);
      } catch (error) {
        this.#stamped = this.#stamped.filter((waiting) => !asked.includes(waiting));
        for (const waiting of asked) waiting.reject(error);
      }
    }
    this.#polling = false;
  }

  async #answer(ready: readonly Waiting[], watermarks: Offsets): Promise<void> {
    const serials = ready.flatMap(({ question }) => question.serials);
    const models = ready.flatMap(({ question }) => question.models);
    const [entries, listings, rulings] = await Promise.all([
      this.#ports.entries(serials, watermarks),
      this.#ports.listings(models),
      this.#ports.rulings(serials, models),
    ]);
    for (const { stamps, resolve } of ready) resolve({ stamps, watermarks, entries, listings, rulings });
  }
}

function stampsOf(question: Question, offsets: Offsets): Offsets {
  const stamps = new Map<number, number>();
  for (const { partition } of question.serials) {
    const offset = offsets.get(partition);
    if (offset !== undefined) stamps.set(partition, offset);
  }
  return stamps;
}

function reached(stamps: Offsets, watermarks: Offsets): boolean {
  for (const [partition, stamp] of stamps) if ((watermarks.get(partition) ?? -1) < stamp) return false;
  return true;
}
