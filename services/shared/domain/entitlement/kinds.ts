/** Small generation units (TERM-1), and batteries since 2025. */
export const generationKinds = ['solar', 'wind', 'hydro'] as const;
export const unitKinds = [...generationKinds, 'battery'] as const;
export type GenerationKind = (typeof generationKinds)[number];
export type UnitKind = (typeof unitKinds)[number];
export type Zone = 1 | 2 | 3 | 4;

/** Readings of the law that its sources leave open; the defaults are the rules' own. */
export interface Policy {
  /** TIME-3: does the same calendar day a year later still belong to the 12 months? */
  readonly anniversary: 'included' | 'excluded';
  /** TIME-2: 6 October 2007 stands in both rows of the guide's table. */
  readonly october2007: 'any_time' | 'twelve_months';
  /** DEEM-6: do the longer periods of wind and hydro shrink towards the end of the scheme? */
  readonly windHydroPeriods: 'shortened' | 'unshortened';
}

export const defaultPolicy: Policy = Object.freeze({
  anniversary: 'included',
  october2007: 'any_time',
  windHydroPeriods: 'shortened',
});
