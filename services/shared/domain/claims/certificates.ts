import { joinKey } from '#shared/base/keys.ts';

/** The numbers of one approval: `first` to `last`, both included. */
export interface CertificateNumbers {
  readonly year: number;
  readonly first: number;
  readonly last: number;
}

/**
 * The one place that decides what a sequence of certificate numbers runs over (CERT-2): here, unit and year. Whoever
 * reads section 25A as "per person and year" puts the account into the key, and nothing else changes.
 */
export function sequenceOf(issue: {
  readonly unit: string;
  readonly account: string;
  readonly year: number;
}): string {
  return joinKey('unit', issue.unit, String(issue.year));
}

/** The year of creation (CERT-1). `createdOn`: Sydney day. */
export function certificateYear(createdOn: string): number {
  return Number(createdOn.slice(0, 4));
}

/** The next numbers of a sequence, without gap or repeat; undefined when there is nothing to number. */
export function nextNumbers(
  lastNumber: number,
  certificates: number,
  year: number,
): CertificateNumbers | undefined {
  return certificates > 0 ? { year, first: lastNumber + 1, last: lastNumber + certificates } : undefined;
}

const codeLetters: Readonly<Record<string, string>> = { solar: 'S', wind: 'W', hydro: 'H', battery: 'B' };

/** The accreditation code of a new unit. Its form is ours: the regulator's is not published. */
export function accreditationCode(unitKind: string, number: number): string {
  return `SGU${codeLetters[unitKind] ?? 'X'}${String(number).padStart(8, '0')}`;
}
