import type { ClaimStatus } from './claim.ts';

/** A claim as decide remembers it. */
export interface ClaimRecord {
  readonly status: ClaimStatus;
  readonly account: string;
  readonly unit_kind: string;
  readonly premises: string;
  /** While it is held: the events that claimed it so far. A copy of one is no new claim, however late it comes. */
  readonly events: readonly string[];
  /** The slots that its serials hold while it is live. */
  readonly slots: readonly string[];
  readonly certificates: number;
  readonly first_number: number;
  readonly certificate_year: number;
}

/** A live claim of a unit, and the years it deems; `max`: nothing can follow. */
export interface DeemedPeriod {
  readonly claim: string;
  readonly years: number | 'max';
}

export interface UnitRecord {
  /** Accreditation code: given with the first approval, kept for ever. */
  readonly code: string;
  readonly live: readonly DeemedPeriod[];
}

export interface PremisesRecord {
  /** Live claims by kind of unit. */
  readonly live: Readonly<Record<string, number>>;
  /** The claim approved last, for the regulator. */
  readonly latest: string;
  /** The live claim whose certificates were multiplied (SC-10), or empty. */
  readonly multiplied: string;
  /** The live battery claim (BAT-7), or empty. */
  readonly battery: string;
}

export interface Reservation {
  /** Normalised holder: two holders may share a serial (SER-3). */
  readonly holder_key: string;
  /** True when the ledger has the serial under this holder. */
  readonly backed: boolean;
  /** More than one only for later deeming periods of one unit. */
  readonly claims: readonly string[];
}

/** Who holds a serial, by holder. Without reservations there is no slot. */
export type Slot = readonly Reservation[];

/** What one event can depend on and change. What is not there is undefined, or missing from `slots`. */
export interface Surroundings {
  readonly claim: ClaimRecord | undefined;
  readonly unit: UnitRecord | undefined;
  readonly premises: PremisesRecord | undefined;
  readonly slots: ReadonlyMap<string, Slot>;
  /** Highest number given in the certificate sequence of this event; 0 before the first. */
  readonly lastNumber: number;
  /** Highest number given in accreditation codes. */
  readonly lastCode: number;
}

/** Of an event that shares nothing with any before it. */
export const emptyState: Surroundings = Object.freeze({
  claim: undefined,
  unit: undefined,
  premises: undefined,
  slots: new Map(),
  lastNumber: 0,
  lastCode: 0,
});

/** The parts of the surroundings that an event changed. An empty slot or a premises record without live claims is removed. */
export interface Changes {
  readonly claim?: ClaimRecord;
  readonly unit?: UnitRecord;
  readonly premises?: PremisesRecord;
  readonly slots?: ReadonlyMap<string, Slot>;
  readonly lastNumber?: number;
  readonly lastCode?: number;
}

export const noPremises: PremisesRecord = Object.freeze({
  live: {},
  latest: '',
  multiplied: '',
  battery: '',
});

interface StateJson extends Omit<Surroundings, 'slots'> {
  readonly slots: readonly (readonly [string, Slot])[];
}

/** The surroundings as text, for the decision to carry; the same state gives the same text. */
export function stateText({ claim, unit, premises, slots, lastNumber, lastCode }: Surroundings): string {
  const held = [...slots].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ claim, unit, premises, slots: held, lastNumber, lastCode });
}

export function stateOf(text: string): Surroundings {
  const { claim, unit, premises, slots, lastNumber, lastCode } = JSON.parse(text) as StateJson;
  return { claim, unit, premises, slots: new Map(slots), lastNumber, lastCode };
}
