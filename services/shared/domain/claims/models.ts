import { compare, parseDecimal } from '../entitlement/decimal.ts';
import { listedOn } from '../listing/assess.ts';
import type { ListingRow } from '../listing/listing.ts';
import { normalise } from '../normalise.ts';
import type { ClaimEvent, Equipment, Evidence, Finding, ListingWindow, ModelEvidence } from './claim.ts';
import { finding } from './findings.ts';
import type { ClaimRules } from './rules.ts';

/** The models of a claim that approved lists can know, each once. What `gather` asks for, and `assessClaim` looks up. */
export interface ModelKey {
  readonly product: string;
  readonly holder_key: string;
  readonly series_key: string;
  readonly model_key: string;
}

export function modelKeyOf(item: Equipment): ModelKey {
  return {
    product: item.product,
    holder_key: normalise(item.holder),
    series_key: normalise(item.series),
    model_key: normalise(item.model),
  };
}

export function sameModel(a: ModelKey, b: ModelKey): boolean {
  return (
    a.product === b.product &&
    a.holder_key === b.holder_key &&
    a.series_key === b.series_key &&
    a.model_key === b.model_key
  );
}

export function modelsOf(claim: ClaimEvent): readonly ModelKey[] {
  const keys = claim.equipment.filter(({ product }) => product !== 'turbine').map(modelKeyOf);
  return keys.filter((key, i) => keys.findIndex((other) => sameModel(key, other)) === i);
}

/** FIND-9, FIND-11, FIND-12, BAT-8, for each model of the claim. */
export function modelFindings(claim: ClaimEvent, evidence: Evidence, rules: ClaimRules): readonly Finding[] {
  return claim.equipment.flatMap((item) => {
    if (item.product === 'turbine') return [];
    const key = modelKeyOf(item);
    const model = evidence.model_evidence.find((candidate) => sameModel(candidate, key));
    return [
      ...listingFindings(claim, item, model, rules),
      ...(model ? [...standingFindings(item, model), ...capacityFindings(claim, item, model)] : []),
    ];
  });
}

function nameOf({ holder, model }: Equipment): string {
  return `${holder} ${model}`;
}

function listingFindings(
  claim: ClaimEvent,
  item: Equipment,
  model: ModelEvidence | undefined,
  rules: ClaimRules,
): readonly Finding[] {
  const name = nameOf(item);
  if (!model || model.state === 'not_checked') {
    const effect = rules.listMissing[item.product] ?? 'ask';
    return [
      finding('listing_not_checked', name, `no approved list for ${item.product} was imported`, { effect }),
    ];
  }
  return windowFindings(claim.installed_on, name, model.windows, rules);
}

/** Windows are a union (WIN-1 to 5); which rule speaks is decided where lists are, the sentence is ours. */
function windowFindings(
  day: string,
  name: string,
  windows: readonly ListingWindow[],
  rules: ClaimRules,
): readonly Finding[] {
  const ends = { firstDayCounts: true, lastDayCounts: rules.expiryDay === 'included' };
  const place = listedOn(windows.length === 0 ? undefined : windows.map(rowOf), day, ends);
  const first = windows
    .filter(({ approved }) => approved > day)
    .map(({ approved }) => approved)
    .sort()[0];
  const last = windows
    .filter(({ approved }) => approved <= day)
    .map(({ expires }) => expires)
    .sort()
    .at(-1);
  switch (place) {
    case 'listed':
      return [];
    case 'model_not_listed':
      return [finding(place, name, 'the model is in no snapshot of the approved list')];
    case 'model_not_approved_yet':
      return [finding(place, name, `installed on ${day}, approved from ${first}`)];
    case 'model_expired':
      return [finding(place, name, `installed on ${day}, approved until ${last}`)];
    case 'model_in_gap':
      return [finding(place, name, `installed on ${day}, approved until ${last} and again from ${first}`)];
  }
}

function rowOf({ approved, expires }: ListingWindow): ListingRow {
  return { ...noRow, approved, expires };
}

const noRow: ListingRow = {
  holder: '',
  brand: '',
  series: '',
  model: '',
  approved: '',
  expires: '',
  current: true,
  nominalKwh: '',
  usableKwh: '',
  acPowerKw: '',
};

function standingFindings(item: Equipment, model: ModelEvidence): readonly Finding[] {
  const name = nameOf(item);
  return [
    ...(model.ineligible === '' ? [] : [finding('model_declared_ineligible', name, model.ineligible)]),
    ...(model.authority === 'none'
      ? [finding('supplier_not_authorised', name, 'the supplier had no authority for the model')]
      : []),
  ];
}

/** BAT-8: the capacity is that of the listed configuration. Figures that cannot be read are the engine's finding. */
function capacityFindings(claim: ClaimEvent, item: Equipment, model: ModelEvidence): readonly Finding[] {
  if (claim.unit_kind !== 'battery' || item.product !== 'battery') return [];
  const figures = [
    ['usable_kwh', claim.usable_kwh, model.usable_kwh],
    ['nominal_kwh', claim.nominal_kwh, model.nominal_kwh],
  ] as const;
  return figures
    .filter(([, claimed, listed]) => differ(claimed, listed))
    .map(([name, claimed, listed]) =>
      finding('battery_configuration', name, `${claimed} kWh claimed, ${listed} kWh listed`),
    );
}

function differ(claimed: string, listed: string): boolean {
  const [a, b] = [parseDecimal(claimed), parseDecimal(listed)];
  return a !== undefined && b !== undefined && compare(a, b) !== 0;
}
