import type { InputColumn } from './columns.ts';
import { effectOf, type Reason, type ReasonCode } from './reasons.ts';

export type OutcomeKind = 'eligible' | 'ineligible' | 'invalid';

/** A fact that was not given, and what the calculation took for it. */
export interface Assumption {
  readonly field: InputColumn;
  readonly value: string;
  readonly rule: string;
}

/** The figures of an entitlement. Names are those of the CSV columns; quantities are exact decimal text. */
export interface Entitlement {
  readonly outcome: OutcomeKind;
  /** Certificates: 0 when ineligible, null when invalid, because then nobody knows. */
  readonly stcs: number | null;
  /** The product before the one rounding, MWh (battery: weighted kWh times factor); null unless eligible. */
  readonly unrounded: string | null;
  /** One year's output without multiplier, MWh; null for batteries and invalid rows. */
  readonly annual_mwh: string | null;
  /** The certificates without Solar Credits, where these multiplied some; otherwise null. */
  readonly stcs_without_solar_credits: number | null;
  readonly rule_set: string;
  readonly rule_ids: readonly string[];
  /** Why it is invalid or ineligible: all of it, in precedence. */
  readonly reasons: readonly Reason[];
  /** What does not stop the entitlement but should be known, in precedence. */
  readonly notices: readonly Reason[];
  readonly assumed: readonly Assumption[];
}

/** An entitlement with the questions it answered and its working, step by step. */
export interface EntitlementResult extends Entitlement {
  readonly checks: readonly string[];
  readonly working: readonly string[];
}

export const outputColumns = [
  'outcome',
  'stcs',
  'unrounded',
  'annual_mwh',
  'rule_set',
  'rule_ids',
  'reasons',
  'assumed',
] as const;

function reasonText({ code, rule, message }: Reason): string {
  return `${code} (${rule}): ${message}`;
}

/** The output columns as CSV cells: lists are joined with `;`, notices follow the reasons, null is empty. */
export function resultCells(result: Entitlement): readonly string[] {
  return [
    result.outcome,
    result.stcs === null ? '' : String(result.stcs),
    result.unrounded ?? '',
    result.annual_mwh ?? '',
    result.rule_set,
    result.rule_ids.join(';'),
    [...result.reasons, ...result.notices].map(reasonText).join('; '),
    result.assumed.map(({ field, value }) => `${field}=${value}`).join(';'),
  ];
}

export function isNote(code: ReasonCode): boolean {
  return effectOf(code) === 'note';
}
