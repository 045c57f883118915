/**
 * The words of the serial pipeline. Shapes mirror `schemas/*.avsc` field by field, but for what records of a batch
 * share (`records.ts`); times are epoch milliseconds.
 */
export type Product = 'panel' | 'inverter' | 'battery';
export const actions = ['register', 'invalidate', 'update_status', 'tick'] as const;
export type Action = (typeof actions)[number];
export type Channel = 'csv' | 'json' | 'stream' | 'portal' | 'internal';

export interface SerialRecord {
  readonly row: number;
  readonly line: number;
  readonly supplier: string;
  readonly holder: string;
  readonly series: string;
  readonly model: string;
  readonly serial: string;
  readonly supplier_key: string;
  readonly holder_key: string;
  readonly serial_key: string;
  readonly status: string;
  readonly reason: string;
  readonly note: string;
  /** Reason code of the gateway; empty when the row may go on. */
  readonly finding: string;
  readonly column: string;
}

export interface BatchHeader {
  readonly submission: string;
  readonly batch: number;
  readonly account: string;
  readonly supplier: string;
  readonly channel: string;
  readonly product: string;
  readonly action: string;
  readonly received_at: number;
}

export interface SerialBatch extends BatchHeader {
  readonly records: readonly SerialRecord[];
}

export interface Listing {
  readonly finding: string;
  readonly note: string;
}

export interface Decision {
  readonly outcome: Outcome;
  readonly entry: number;
  readonly note: string;
}

/** Every row ends in exactly one of these (SER-5); `received = sum of outcomes` for every submission. */
export const outcomes = [
  'registered',
  'duplicate',
  'conflict',
  'not_listed',
  'supplier_not_authorised',
  'malformed',
  'invalidated',
  'status_updated',
  'not_found',
  'not_yours',
  'already_invalid',
  'unchanged',
  'too_many_changes',
] as const;
export type Outcome = (typeof outcomes)[number];
