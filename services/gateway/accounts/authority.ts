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

/** The test of one day: names compare as all texts do (SER-2). */
export function authorityTest(authorities: readonly Authority[], day: string): AuthorityTest {
  const bySupplier = new Map<string, Scope[]>();
  for (const authority of authorities) {
    if (!holdsOn(authority, day)) continue;
    const key = normalise(authority.supplier);
    bySupplier.set(key, [...(bySupplier.get(key) ?? []), scopeOf(authority)]);
  }
  return (supplierKey, holderKey, modelKey) =>
    bySupplier.get(supplierKey)?.some((scope) => covers(scope, holderKey, modelKey)) ?? false;
}

interface Scope {
  readonly holder: string | undefined;
  readonly models: ReadonlySet<string> | undefined;
}

function scopeOf({ holder, models }: Authority): Scope {
  return {
    holder: holder === undefined ? undefined : normalise(holder),
    models: models && new Set(models.map(normalise)),
  };
}

function covers(scope: Scope, holder: string | undefined, model: string | undefined): boolean {
  return (
    (holder === undefined || scope.holder === undefined || scope.holder === holder) &&
    (model === undefined || scope.models === undefined || scope.models.has(model))
  );
}

/** Names of the suppliers that the authorities are about, each once, as first written. */
export function suppliersOf(authorities: readonly Authority[]): readonly string[] {
  const names = new Map<string, string>();
  for (const { supplier } of authorities)
    if (!names.has(normalise(supplier))) names.set(normalise(supplier), supplier);
  return [...names.values()];
}
