import {
  type Changes,
  type ClaimEvent,
  type ClaimFacts,
  claimEvent,
  claimIdOf,
  currentRules,
  type EntryEvidence,
  type Equipment,
  type EventContext,
  type Evidence,
  modelsOf,
  noFacts,
  type SerialEvidence,
  type Surroundings,
  serialsOf,
  unitOf,
} from '#shared/domain/claims/index.ts';
import { normalise } from '#shared/domain/normalise.ts';

/** Claims that pass, so that a test changes one fact and sees what it does. */
export const installedOn = '2026-03-02';
export const createdOn = '2026-04-20';
export const receivedAt = Date.parse('2026-04-20T02:00:00Z');

export function equipment(
  product: string,
  serials: readonly string[],
  more: Partial<Equipment> = {},
): Equipment {
  const brands: Readonly<Record<string, string>> = {
    panel: 'Sunward Energy Pty Ltd',
    inverter: 'Gridline Power',
    battery: 'Storewell',
    turbine: 'Breezeworks',
  };
  const holder = brands[product] ?? '';
  return { product, holder, series: '', model: `${product}-100`, quantity: serials.length, serials, ...more };
}

const place = {
  installed_on: installedOn,
  address: '12 Example Street',
  locality: 'Newcastle West',
  state: 'NSW',
  postcode: '2302',
  installation_type: 'New',
  complete_unit: 'yes',
  installer: 'Ann Installer',
  installer_accreditation: 'A1234567',
  designer_accreditation: 'A1234567',
  accredited: 'yes',
  owner: 'Owen Owner',
  owner_contact: 'owen@example.org',
  claimant: 'owner',
} as const;

export function solarFacts(more: Partial<ClaimFacts> = {}): ClaimFacts {
  return {
    ...noFacts,
    ...place,
    unit_kind: 'solar',
    rated_power_kw: '6.6',
    deeming: 'max',
    panel_count: 2,
    equipment: [equipment('panel', ['SW-0001', 'SW-0002']), equipment('inverter', ['GP-0001'])],
    ...more,
  };
}

export function windFacts(more: Partial<ClaimFacts> = {}): ClaimFacts {
  return {
    ...noFacts,
    ...place,
    unit_kind: 'wind',
    rated_power_kw: '2.9',
    deeming: '5',
    equipment: [equipment('turbine', ['BW-1'])],
    ...more,
  };
}

export function batteryFacts(more: Partial<ClaimFacts> = {}): ClaimFacts {
  return {
    ...noFacts,
    ...place,
    unit_kind: 'battery',
    compliance_on: installedOn,
    nominal_kwh: '13.5',
    usable_kwh: '13',
    with_solar: 'yes',
    vpp_ready: 'yes',
    equipment: [equipment('battery', ['ST-1']), equipment('inverter', ['GP-0001'])],
    ...more,
  };
}

export function claimOf(
  facts: ClaimFacts,
  more: { account?: string; token?: string; event?: string } & Partial<EventContext> = {},
): ClaimEvent {
  const { token = 'token', event = `event-${token}`, account = 'agent', ...context } = more;
  const sender = {
    event,
    account,
    submitted_by: 'key',
    received_at: receivedAt,
  };
  return claimEvent(sender, claimIdOf(unitOf(facts), token), facts, context);
}

export function entry(item: Equipment, more: Partial<EntryEvidence> = {}): EntryEvidence {
  return {
    holder: item.holder,
    holder_key: normalise(item.holder),
    supplier: item.holder,
    account: 'supplier',
    series: item.series,
    model: item.model,
    entry: 1,
    outcome: 'registered',
    status: '',
    registered_on: '2026-01-05',
    entered_at: Date.parse('2026-01-05T00:00:00Z'),
    conflict: false,
    ...more,
  };
}

/** Evidence in which everything is as the claim says, but for what `serial` changes. */
export function evidenceFor(
  claim: ClaimEvent,
  change: (evidence: SerialEvidence, serial: string) => SerialEvidence = (found) => found,
  more: Partial<Evidence> = {},
): Evidence {
  return {
    source_partition: 0,
    source_offset: 0,
    created_on: createdOn,
    stamps: [{ partition: 0, stamp: 5, watermark: 7 }],
    serial_evidence: serialsOf(claim).map(({ item, serial, serial_key }) =>
      item.product === 'turbine'
        ? { product: item.product, serial_key, state: 'not_checked', entries: [] }
        : change({ product: item.product, serial_key, state: 'found', entries: [entry(item)] }, serial),
    ),
    model_evidence: modelsOf(claim).map((model) => ({
      ...model,
      state: 'listed',
      windows: [{ approved: '2024-01-01', expires: '2027-12-31', snapshot: 'list-1' }],
      usable_kwh: model.product === 'battery' ? '13' : '',
      nominal_kwh: model.product === 'battery' ? '13.5' : '',
      authority: 'not_checked',
      ineligible: '',
    })),
    snapshot: 'list-1',
    rules_version: currentRules.version,
    evidenced_at: receivedAt,
    rulings_offset: -1,
    ineligible_serials: [],
    ...more,
  };
}

/** What the next event of the same claim sees. */
export function after(state: Surroundings, changes: Changes): Surroundings {
  return {
    claim: changes.claim ?? state.claim,
    unit: changes.unit ?? state.unit,
    premises: changes.premises ?? state.premises,
    slots: new Map(
      [...new Map([...state.slots, ...(changes.slots ?? [])])].filter(([, slot]) => slot.length > 0),
    ),
    lastNumber: changes.lastNumber ?? state.lastNumber,
    lastCode: changes.lastCode ?? state.lastCode,
  };
}
