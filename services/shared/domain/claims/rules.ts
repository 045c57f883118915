import { assert } from '#shared/base/errors.ts';
import { defaultPolicy, type Policy } from '../entitlement/kinds.ts';
import type { Effect } from './claim.ts';

/**
 * What an assessment depends on besides claim, evidence and state. Travels as a version number in the evidence (D9):
 * every version that can still be in the log stays in the table.
 */
export interface ClaimRules {
  readonly version: number;
  /** First installation day of solar and battery claims that need inverter serials (ELIG-5, CLM-8). */
  readonly inverterSerialsFrom: string;
  /** WIN-2: is the expiry day itself still listed? */
  readonly expiryDay: 'included' | 'excluded';
  /** What it means that no approved list of a product was ever imported. The inverters' is not published as a file (CEC-3). */
  readonly listMissing: Readonly<Record<string, Effect>>;
  readonly entitlement: Policy;
}

const versions: readonly ClaimRules[] = [
  {
    version: 1,
    inverterSerialsFrom: '2022-04-01',
    expiryDay: 'included',
    listMissing: { panel: 'ask', battery: 'ask', inverter: 'note' },
    entitlement: defaultPolicy,
  },
];

/** What new evidence is stamped with. */
export const currentRules: ClaimRules = versions.at(-1)!;

export function rulesOf(version: number): ClaimRules {
  const rules = versions.find((candidate) => candidate.version === version);
  assert(rules, `claim rules of version ${version} are in the log, but not in this release`);
  return rules;
}
