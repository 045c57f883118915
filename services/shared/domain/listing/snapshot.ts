import { dayOf } from '#shared/domain/days.ts';
import type { Product } from '#shared/domain/serials.ts';

/** Identity of a snapshot: the same file under the same date is the same snapshot. */
export function snapshotId(product: Product, takenOn: string, sha256: string): string {
  return `${product}-${takenOn.replaceAll('-', '')}-${sha256.slice(0, 12)}`;
}

/** The day that a file's name carries as yyyymmdd or yyyy-mm-dd, if it carries just one. */
export function dayInFileName(name: string): string | undefined {
  const found = [...name.matchAll(/(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)/g)]
    .map(([, year, month, day]) => dayOf(Number(year), Number(month), Number(day)))
    .filter((day) => day !== undefined);
  return found.length === 1 ? found[0] : undefined;
}

export interface Comparison {
  /** Models that the earlier snapshot does not have. */
  readonly added: number;
  /** Models of the earlier snapshot that are not there any more. */
  readonly lost: number;
  /** `lost` as a share of the earlier snapshot, 0 to 1. */
  readonly lostShare: number;
}

/** CEC-7: what became of the models between two snapshots; by what is lost, since a list that grows may lose all the same. */
export function compareModels(before: ReadonlySet<string>, after: ReadonlySet<string>): Comparison {
  let kept = 0;
  for (const key of before) if (after.has(key)) kept++;
  const lost = before.size - kept;
  return { added: after.size - kept, lost, lostShare: before.size === 0 ? 0 : lost / before.size };
}

/** Default of the share above which a loss waits for confirmation. Ours, not the regulator's. */
export const lossShareMaxDefault = 0.2;
