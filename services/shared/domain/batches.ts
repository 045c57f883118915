import type { BatchHeader, Decision, Listing } from './serials.ts';

/** A batch of this action carries no records: its offset is the stamp of a question (Q1). */
export const tick: BatchHeader = {
  submission: '',
  batch: 0,
  account: '',
  supplier: '',
  channel: 'internal',
  product: '',
  action: 'tick',
  received_at: 0,
};

export interface ListedTail {
  readonly origin: number;
  readonly snapshot: string;
  readonly listings: readonly Listing[];
}

export interface DecidedTail {
  readonly decisions: readonly Decision[];
}

/**
 * What takes a message's place when its rows do not go on: a dead letter, or a copy of a batch that was decided before.
 * It carries the coordinates, no records.
 */
export function standIn(of: { submission: string; batch: number }, origin: number) {
  return {
    ...tick,
    submission: of.submission,
    batch: of.batch,
    records: [],
    origin,
    snapshot: '',
    listings: [],
    decisions: [],
  };
}
