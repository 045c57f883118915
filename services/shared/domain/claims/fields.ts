import type { ClaimEvent, Equipment, EquipmentProduct, Finding, UnitKind } from './claim.ts';
import { finding } from './findings.ts';
import type { ClaimRules } from './rules.ts';

/** What each kind of unit is made of (CLM-1 to CLM-4, CLM-8). `needed`: one with at least one serial must be there. */
const equipmentOfKind: Readonly<
  Record<
    UnitKind,
    { readonly needed: readonly EquipmentProduct[]; readonly allowed: readonly EquipmentProduct[] }
  >
> = {
  solar: { needed: ['panel'], allowed: ['panel', 'inverter'] },
  wind: { needed: ['turbine'], allowed: ['turbine', 'inverter'] },
  hydro: { needed: ['turbine'], allowed: ['turbine', 'inverter'] },
  battery: { needed: ['battery'], allowed: ['battery', 'inverter'] },
};

const neededByAll = [
  'installed_on',
  'address',
  'postcode',
  'installation_type',
  'installer',
  'installer_accreditation',
  'owner',
  'owner_contact',
  'claimant',
] as const;

/** FIND-21 and FIND-20: what the entitlement engine does not ask for. */
export function fieldFindings(claim: ClaimEvent, rules: ClaimRules): readonly Finding[] {
  const missing = neededByAll.filter((name) => claim[name] === '').map((name) => missingField(name));
  return [
    ...missing,
    ...generationFindings(claim),
    ...equipmentFindings(claim, rules),
    ...verificationFindings(claim),
    ...claimantFindings(claim),
  ];
}

function missingField(name: string, why = `${name} is needed`): Finding {
  return finding('field_missing', name, why);
}

function generationFindings(claim: ClaimEvent): readonly Finding[] {
  const found: Finding[] = [];
  const { unit_kind: kind } = claim;
  if (kind !== 'battery' && claim.deeming === '') found.push(missingField('deeming'));
  if (kind === 'solar' && claim.panel_count < 0) found.push(missingField('panel_count'));
  if (kind !== 'solar' && claim.panel_count >= 0)
    found.push(finding('field_not_for_kind', 'panel_count', `panel_count is not a field of ${kind} units`));
  if (kind !== 'battery' && claim.compliance_on !== '')
    found.push(
      finding('field_not_for_kind', 'compliance_on', `compliance_on is not a field of ${kind} units`),
    );
  return found;
}

function equipmentFindings(claim: ClaimEvent, rules: ClaimRules): readonly Finding[] {
  const products = equipmentOfKind[claim.unit_kind as UnitKind];
  if (!products) return [];
  const has = (product: string) =>
    claim.equipment.some((item) => item.product === product && item.serials.length > 0);
  const needed = inverterNeeded(claim, rules) ? [...products.needed, 'inverter'] : products.needed;
  const missing = needed
    .filter((product) => !has(product))
    .map((product) =>
      missingField(`${product}.serials`, `at least one ${product} with its serial is needed`),
    );
  const stray = claim.equipment
    .filter(({ product }) => !products.allowed.some((allowed) => allowed === product))
    .map(({ product }) =>
      finding('field_not_for_kind', product, `a ${claim.unit_kind} unit has no equipment ${product}`),
    );
  return [...missing, ...stray, ...claim.equipment.flatMap(nameFindings)];
}

function inverterNeeded(claim: ClaimEvent, rules: ClaimRules): boolean {
  const kind = claim.unit_kind;
  return (kind === 'solar' || kind === 'battery') && claim.installed_on >= rules.inverterSerialsFrom;
}

function nameFindings({ product, holder, model }: Equipment): readonly Finding[] {
  return [
    ...(holder === '' ? [missingField(`${product}.holder`)] : []),
    ...(model === '' ? [missingField(`${product}.model`)] : []),
  ];
}

/** CLM-12: who says that serials were confirmed on site names the signed package. */
function verificationFindings(claim: ClaimEvent): readonly Finding[] {
  return claim.verified && claim.spv_package === ''
    ? [missingField('spv_package', 'a verified claim names its signed data package')]
    : [];
}

/** ELIG-1; the assignment can only follow the installation (J3). */
function claimantFindings(claim: ClaimEvent): readonly Finding[] {
  switch (claim.claimant) {
    case 'agent':
      return assignmentFindings(claim);
    case 'other':
      return [
        finding(
          'not_owner',
          'claimant',
          'certificates are claimed by the owner at installation or an assignee',
        ),
      ];
    default:
      return [];
  }
}

function assignmentFindings(claim: ClaimEvent): readonly Finding[] {
  if (claim.assignment === '' || claim.assigned_on === '')
    return [finding('no_assignment', 'assignment', 'reference and date of the assignment are needed')];
  if (claim.assigned_on < claim.installed_on)
    return [
      finding(
        'no_assignment',
        'assigned_on',
        `assigned on ${claim.assigned_on}, before the installation on ${claim.installed_on}`,
      ),
    ];
  return [];
}
