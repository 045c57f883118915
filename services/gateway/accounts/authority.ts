import { normalise } from '#shared/domain/normalise.ts';

/**
 * SUP-2: for which supplier's rows an account may upload, and of those for which licensee or manufacturer and which
 * models. Days are Sydney days, yyyy-mm-dd, both ends inside; what is absent does not limit.
 */
export interface Authority {
  readonly id: string;
  readonly supplier: string;
  readonly holder?: string;
  readonly models?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly grantedAt: number;
  readonly grantedBy: string;
}

/** May the account upload a row with these? Keys are normalised texts; what is left out is not asked about. */
export type AuthorityTest = (supplierKey: string, holderKey?: string, modelKey?: string) => boolean;

export function holdsOn({ from, to }: Pick<Authority, 'from' | 'to'>, day: string): boolean {
  return (from === undefined || from <= day) && (to === undefined || day <= to);
}

/** Models of a holder, as keys; undefined for all of them. */
type Models = ReadonlySet<string> | undefined;

/** The test of one day: names compare as all texts do (SER-2). */
export function authorityTest(authorities: readonly Authority[], day: string): AuthorityTest {
  // By supplier, then by holder; what holds for any holder stands under undefined.
  const suppliers = new Map<string, Map<string | undefined, Models[]>>();
  for (const authority of authorities) {
    if (!holdsOn(authority, day)) continue;
    const { supplier, holder, models } = keysOf(authority);
    const holders = suppliers.get(supplier) ?? new Map<string | undefined, Models[]>();
    suppliers.set(supplier, holders);
    const known = holders.get(holder);
    if (known) known.push(models);
    else holders.set(holder, [models]);
  }
  return (supplierKey, holderKey, modelKey) => {
    const holders = suppliers.get(supplierKey);
    if (!holders || holderKey === undefined) return holders !== undefined;
    return haveModel(holders.get(holderKey), modelKey) || haveModel(holders.get(undefined), modelKey);
  };
}

function haveModel(all: readonly Models[] | undefined, model: string | undefined): boolean {
  return all?.some((models) => includes(models, model)) ?? false;
}

function includes(models: Models, model: string | undefined): boolean {
  return models === undefined || model === undefined || models.has(model);
}

interface Keys {
  readonly supplier: string;
  readonly holder: string | undefined;
  readonly models: Models;
}

// An authority never changes, and is asked about with every upload and look-up.
const keys = new WeakMap<Authority, Keys>();

function keysOf(authority: Authority): Keys {
  const known = keys.get(authority);
  if (known) return known;
  const { supplier, holder, models } = authority;
  const made = {
    supplier: normalise(supplier),
    holder: holder === undefined ? undefined : normalise(holder),
    models: models && new Set(models.map(normalise)),
  };
  keys.set(authority, made);
  return made;
}

/** Names of the suppliers that the authorities are about, each once, as first written. */
export function suppliersOf(authorities: readonly Authority[]): readonly string[] {
  const names = new Map<string, string>();
  for (const authority of authorities) {
    const key = keysOf(authority).supplier;
    if (!names.has(key)) names.set(key, authority.supplier);
  }
  return [...names.values()];
}
