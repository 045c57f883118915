import {
  computeEntitlement,
  type EntitlementInput,
  type EntitlementResult,
  type InputColumn,
  type Reason,
} from '../entitlement/index.ts';
import type { ClaimEvent, Finding } from './claim.ts';
import { finding } from './findings.ts';
import type { ClaimRules } from './rules.ts';
import type { PremisesRecord, UnitRecord } from './state.ts';

/** What we know of a claim besides what it states. */
export interface Known {
  /** Sydney day. */
  readonly createdOn: string;
  readonly unit: UnitRecord | undefined;
  readonly premises: PremisesRecord | undefined;
}

/** The day that chooses the rules (DATE-1): for a battery that of its certificate of compliance. */
export function rulesDay(claim: ClaimEvent): string {
  return claim.unit_kind === 'battery' ? claim.compliance_on : claim.installed_on;
}

/** Years that live claims of the unit cover by what we know; as stated where we know of none (DEEM-8). */
export function yearsDeemed(claim: ClaimEvent, unit: UnitRecord | undefined): string {
  if (!unit || unit.live.length === 0) return claim.years_already_deemed;
  if (unit.live.some(({ years }) => years === 'max')) return 'max';
  return String(unit.live.reduce((sum, { years }) => sum + (years === 'max' ? 0 : years), 0));
}

/**
 * The entitlement of a claim: the engine's result for what the claim states. Where we know better than the claimant
 * (earlier periods, an earlier multiplication or battery at the premises), what we know counts.
 */
export function entitlementOf(claim: ClaimEvent, known: Known, rules: ClaimRules): EntitlementResult {
  return computeEntitlement(entitlementInput(claim, known), rules.entitlement);
}

export function entitlementInput(claim: ClaimEvent, known: Known): EntitlementInput {
  const { credits } = claim;
  const requested = credits.requested === 'yes';
  const generates = claim.unit_kind !== 'battery';
  return {
    system_type: claim.unit_kind,
    postcode: claim.postcode,
    kw: claim.rated_power_kw,
    install_date: rulesDay(claim),
    deeming_years: claim.deeming,
    resource_hours: claim.resource_hours,
    hours_audited:
      claim.hours_audit !== '' && claim.auditor !== '' ? 'yes' : unlessEmpty(claim.resource_hours, 'no'),
    solar_credits: credits.requested,
    nominal_kwh: claim.nominal_kwh,
    usable_kwh: claim.usable_kwh,
    created_on: known.createdOn,
    today: known.createdOn,
    accredited_installer: claim.accredited,
    installation_type: claim.installation_type,
    existing_kw: claim.existing_kw,
    years_already_deemed: generates ? yearsDeemed(claim, known.unit) : '',
    still_installed: claim.still_installed,
    new_unit: credits.new_unit,
    complete_unit: claim.complete_unit,
    metered: credits.metered,
    premises: credits.premises,
    unit_programmes: credits.unit_programmes,
    premises_programmes: credits.premises_programmes,
    multiplied_before: requested && known.premises?.multiplied ? 'yes' : credits.multiplied_before,
    off_grid: credits.off_grid,
    contract_date: credits.contract_on,
    statutory_declaration: credits.statutory_declaration,
    with_solar: claim.with_solar,
    vpp_ready: claim.vpp_ready,
    ...(generates ? {} : { earlier_battery_claim: known.premises?.battery ? 'yes' : 'no' }),
  };
}

function unlessEmpty(text: string, value: string): string {
  return text === '' ? '' : value;
}

/** What the engine calls a column, in the claim's own words. */
const fieldNames: Readonly<Partial<Record<InputColumn, string>>> = {
  system_type: 'unit_kind',
  kw: 'rated_power_kw',
  install_date: 'installed_on',
  deeming_years: 'deeming',
  hours_audited: 'hours_audit',
  solar_credits: 'credits.requested',
  accredited_installer: 'accredited',
  new_unit: 'credits.new_unit',
  metered: 'credits.metered',
  premises: 'credits.premises',
  unit_programmes: 'credits.unit_programmes',
  premises_programmes: 'credits.premises_programmes',
  multiplied_before: 'credits.multiplied_before',
  off_grid: 'credits.off_grid',
  contract_date: 'credits.contract_on',
  statutory_declaration: 'credits.statutory_declaration',
  earlier_battery_claim: 'address',
};

function fieldName(column: string, claim: ClaimEvent): string {
  if (column === 'install_date' && claim.unit_kind === 'battery') return 'compliance_on';
  return fieldNames[column as InputColumn] ?? column;
}

/** A calculation may take these for granted; every other fact must be stated by a claim. */
const assumable: ReadonlySet<InputColumn> = new Set(['resource_hours', 'solar_credits', 'off_grid']);

/** The engine's reasons, notices and assumptions as findings of the claim. */
export function entitlementFindings(claim: ClaimEvent, result: EntitlementResult): readonly Finding[] {
  const missing = result.assumed
    .filter(({ field }) => !assumable.has(field))
    .map(({ field, rule }) => {
      const name = fieldName(field, claim);
      return finding('field_missing', name, `${name} is needed (${rule})`);
    });
  return [
    ...missing,
    ...[...result.reasons, ...result.notices].map((reason) => reasonFinding(claim, reason)),
  ];
}

function reasonFinding(claim: ClaimEvent, { code, field, rule, message }: Reason): Finding {
  const subject = fieldName(field, claim);
  // A claim is no row of a file: what the engine calls a damaged row is a value that cannot be read.
  return finding(code === 'row_damaged' ? 'field_invalid' : code, subject, `${message} (${rule})`);
}

/** FIND-23. Only an entitlement that was computed can differ. */
export function differenceFinding(claim: ClaimEvent, result: EntitlementResult): readonly Finding[] {
  if (claim.claimed_certificates < 0 || result.stcs === null || result.stcs === claim.claimed_certificates)
    return [];
  const detail = `${claim.claimed_certificates} certificates are claimed, ${result.stcs} were computed`;
  return [finding('entitlement_differs', 'claimed_certificates', detail)];
}
