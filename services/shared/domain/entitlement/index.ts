/** The entitlement engine's public face; README.md tells what it promises. */
export { columns, type EntitlementInput, type InputColumn, inputColumns } from './columns.ts';
export { ruleSetVersion } from './data/version.ts';
export { assessEntitlement, computeEntitlement, invalidEntitlement } from './engine.ts';
export { computeEntitlementFromJson, entitlementFromJson, type JsonReading } from './json.ts';
export { defaultPolicy, type GenerationKind, type Policy, type UnitKind } from './kinds.ts';
export { type Reason, type ReasonCode, reason, reasonCatalogue } from './reasons.ts';
export {
  type Assumption,
  type Entitlement,
  type EntitlementResult,
  type OutcomeKind,
  outputColumns,
  resultCells,
} from './result.ts';
