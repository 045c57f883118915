import { addDays, sydneyDay } from '#shared/domain/days.ts';
import type { ContactPerson } from './account.ts';

export interface Brand {
  readonly brand: string;
  readonly models: readonly string[];
}

/** A detail, and when it was last confirmed to be what the CEC holds. */
interface Detail<T> {
  readonly value: T;
  readonly confirmedAt: number;
}

/** SUP-3: what the CEC holds of a company, as far as it was recorded here. */
export interface CecDetails {
  readonly company_name?: Detail<string>;
  /** 11 digits. */
  readonly abn?: Detail<string>;
  readonly brands?: Detail<readonly Brand[]>;
  readonly contact?: Detail<ContactPerson>;
}

/** What is recorded at once; what is left out stays as it was. */
export interface CecDetailsGiven {
  readonly company_name?: string;
  readonly abn?: string;
  readonly brands?: readonly Brand[];
  readonly contact?: ContactPerson;
}

export const cecDetailNames = ['company_name', 'abn', 'brands', 'contact'] as const;
export type CecDetailName = (typeof cecDetailNames)[number];

export function recordDetails(details: CecDetails, given: CecDetailsGiven, at: number): CecDetails {
  const confirmed = cecDetailNames
    .filter((name) => given[name] !== undefined)
    .map((name) => [name, { value: given[name], confirmedAt: at }]);
  return { ...details, ...Object.fromEntries(confirmed) };
}

/** A11: details that are not there, and those last confirmed more than `daysMax` Sydney days ago. */
export function detailFaults(
  details: CecDetails,
  now: number,
  daysMax: number,
): { readonly missing: readonly CecDetailName[]; readonly stale: readonly CecDetailName[] } {
  const oldest = addDays(sydneyDay(now), -daysMax);
  return {
    missing: cecDetailNames.filter((name) => !details[name]),
    stale: cecDetailNames.filter((name) => {
      const detail = details[name];
      return detail !== undefined && sydneyDay(detail.confirmedAt) < oldest;
    }),
  };
}
