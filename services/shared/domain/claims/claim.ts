/**
 * The words of claims. Shapes mirror `schemas/{ClaimEvent,EvidencedClaim,DecidedClaim}.avsc` field by field; times are
 * epoch milliseconds, dates `YYYY-MM-DD`, quantities decimal text. A text that was not given is empty.
 */
/** `refusal`: the regulator's word on a held claim; `registration`: the creation fee is paid. */
export type EventKind = 'claim' | 'withdrawal' | 'refusal' | 'audit' | 'registration';
export const unitKinds = ['solar', 'wind', 'hydro', 'battery'] as const;
export type UnitKind = (typeof unitKinds)[number];
/** `turbine`: the equipment module of a wind or hydro unit. The ledger knows the other three. */
export const equipmentProducts = ['panel', 'inverter', 'battery', 'turbine'] as const;
export type EquipmentProduct = (typeof equipmentProducts)[number];
export const claimants = ['owner', 'builder', 'agent', 'other'] as const;
export const installationTypes = ['New', 'Replacement', 'Extension', 'Additional system'] as const;

/** A fact that may also be not stated. */
export type YesNo = 'yes' | 'no' | '';

export interface Equipment {
  readonly product: string;
  readonly holder: string;
  readonly series: string;
  readonly model: string;
  /** -1 when not stated. */
  readonly quantity: number;
  readonly serials: readonly string[];
}

export interface SolarCreditsFacts {
  readonly requested: string;
  readonly premises: string;
  readonly unit_programmes: string;
  readonly premises_programmes: string;
  readonly new_unit: string;
  readonly metered: string;
  readonly multiplied_before: string;
  readonly off_grid: string;
  readonly contract_on: string;
  readonly statutory_declaration: string;
}

/** What a claimant states (CLM-1 to CLM-15). */
export interface ClaimFacts {
  readonly unit_kind: string;
  readonly installed_on: string;
  readonly compliance_on: string;
  readonly address: string;
  readonly locality: string;
  readonly state: string;
  readonly postcode: string;
  readonly installation_type: string;
  readonly complete_unit: string;
  readonly earlier_code: string;
  readonly existing_kw: string;
  readonly rated_power_kw: string;
  /** -1 when not stated. */
  readonly panel_count: number;
  readonly equipment: readonly Equipment[];
  readonly resource_hours: string;
  readonly hours_audit: string;
  readonly auditor: string;
  readonly nominal_kwh: string;
  readonly usable_kwh: string;
  readonly with_solar: string;
  readonly vpp_ready: string;
  /** 1, 5 or max. */
  readonly deeming: string;
  readonly years_already_deemed: string;
  readonly still_installed: string;
  readonly installer: string;
  readonly installer_accreditation: string;
  readonly designer_accreditation: string;
  readonly accredited: string;
  readonly owner: string;
  readonly owner_contact: string;
  readonly claimant: string;
  readonly assignment: string;
  readonly assigned_on: string;
  readonly verified: boolean;
  readonly spv_package: string;
  readonly retailer_abn: string;
  readonly nmi: string;
  readonly credits: SolarCreditsFacts;
  /** -1 when not stated. */
  readonly claimed_certificates: number;
}

/** Who says what about which claim. */
export interface EventHead {
  readonly event: string;
  readonly kind: string;
  readonly claim: string;
  readonly unit: string;
  readonly account: string;
  readonly submitted_by: string;
  readonly received_at: number;
  readonly reason: string;
  /** passed, failed; empty unless the event is an audit. */
  readonly audit: string;
}

/** An open question that the regulator has answered: the finding holds the claim no longer. */
export interface Waiver {
  readonly code: string;
  readonly subject: string;
}

/** How an event came about: what it follows, and what it came in. */
export interface EventContext {
  /** The assessment that whoever sent the event had seen; empty when it is based on none. */
  readonly based_on: string;
  /** The account that asks when it is not the claimant; empty otherwise. */
  readonly asked_by: string;
  readonly waived: readonly Waiver[];
  readonly file: string;
  /** 0 without a file. */
  readonly record: number;
}

export interface ClaimEvent extends EventHead, ClaimFacts, EventContext {}

export interface LedgerStamp {
  readonly partition: number;
  readonly stamp: number;
  readonly watermark: number;
}

export interface EntryEvidence {
  readonly holder: string;
  readonly holder_key: string;
  readonly supplier: string;
  readonly account: string;
  readonly series: string;
  readonly model: string;
  readonly entry: number;
  readonly outcome: string;
  readonly status: string;
  readonly registered_on: string;
  readonly entered_at: number;
  readonly conflict: boolean;
}

export type EvidenceState = 'found' | 'not_found' | 'not_yet' | 'not_checked';

export interface SerialEvidence {
  readonly product: string;
  readonly serial_key: string;
  readonly state: EvidenceState;
  readonly entries: readonly EntryEvidence[];
}

export interface ListingWindow {
  readonly approved: string;
  readonly expires: string;
  readonly snapshot: string;
}

export interface ModelEvidence {
  readonly product: string;
  readonly holder_key: string;
  readonly series_key: string;
  readonly model_key: string;
  readonly state: 'listed' | 'not_listed' | 'not_checked';
  readonly windows: readonly ListingWindow[];
  readonly usable_kwh: string;
  readonly nominal_kwh: string;
  readonly authority: 'authorised' | 'none' | 'not_checked';
  /** Reason for which the model was declared ineligible (ELIG-6), or empty. */
  readonly ineligible: string;
}

/** A serial that the regulator has declared ineligible (ELIG-6). */
export interface IneligibleSerial {
  readonly product: string;
  readonly serial_key: string;
  readonly reason: string;
}

/** What `gather` appends. `created_on` is the Sydney day of receipt, so that no decision depends on a time-zone table. */
export interface Evidence {
  readonly source_partition: number;
  readonly source_offset: number;
  readonly created_on: string;
  readonly stamps: readonly LedgerStamp[];
  readonly serial_evidence: readonly SerialEvidence[];
  readonly model_evidence: readonly ModelEvidence[];
  readonly snapshot: string;
  readonly rules_version: number;
  /** Epoch milliseconds; for the register alone, no decision depends on it. */
  readonly evidenced_at: number;
  /** Highest offset of the rulings that was read, -1 for none: with the watermarks, the ledger as it stood. */
  readonly rulings_offset: number;
  readonly ineligible_serials: readonly IneligibleSerial[];
}

export interface EvidencedClaim extends ClaimEvent, Evidence {}

/** `waived`: a question (`ask`) that the regulator has answered. */
export type Effect = 'refuse' | 'ask' | 'wait' | 'waived' | 'note';

export interface Finding {
  readonly code: string;
  readonly effect: Effect;
  /** Serial, model or field concerned, or empty. */
  readonly subject: string;
  /** Sentence for the claimant. */
  readonly detail: string;
  /** What only the regulator may see: another claim or account, or empty. */
  readonly reference: string;
}

export type ClaimDecision = 'approved' | 'held' | 'refused';
/** What became of an event: of a claim its decision; `not_applied`: the event changed nothing. */
export type EventDecision =
  | ClaimDecision
  | 'withdrawn'
  | 'audit_passed'
  | 'audit_failed'
  | 'registered'
  | 'not_applied';

/** Of a claim. It is live, and its serials are reserved, while approved, passed or registered. */
export const claimStatuses = [
  'approved',
  'held',
  'refused',
  'withdrawn',
  'passed',
  'failed',
  'registered',
] as const;
export type ClaimStatus = (typeof claimStatuses)[number];

/** CERT-6; `Withdrawn` is ours. Empty while there are no certificates. */
export type CertificateStatus =
  | ''
  | 'Pending audit'
  | 'Pending creation fee payment'
  | 'Registered'
  | 'Invalid due to audit'
  | 'Withdrawn';

/** What `decide` appends. */
export interface Decided {
  readonly evidenced_offset: number;
  readonly decision: EventDecision;
  readonly status: ClaimStatus | '';
  readonly findings: readonly Finding[];
  readonly entitlement: string;
  readonly certificates: number;
  readonly unrounded: string;
  readonly annual_mwh: string;
  readonly working: readonly string[];
  readonly rule_ids: readonly string[];
  readonly rule_set: string;
  readonly accreditation_code: string;
  readonly certificate_year: number;
  readonly first_number: number;
  readonly last_number: number;
  readonly certificate_status: CertificateStatus;
  /** Key of the premises; empty unless the event is a claim. */
  readonly premises: string;
  /** The state that a claim was decided on, by `stateText`; with the message it is all that the decision depends on. */
  readonly state_before: string;
}

export interface DecidedClaim extends EvidencedClaim, Decided {}

/** Of an event that comes by itself. */
export const noContext: EventContext = Object.freeze({
  based_on: '',
  asked_by: '',
  waived: [],
  file: '',
  record: 0,
});

/** Of any event but a claim: no facts. */
export const noFacts: ClaimFacts = Object.freeze({
  unit_kind: '',
  installed_on: '',
  compliance_on: '',
  address: '',
  locality: '',
  state: '',
  postcode: '',
  installation_type: '',
  complete_unit: '',
  earlier_code: '',
  existing_kw: '',
  rated_power_kw: '',
  panel_count: -1,
  equipment: [],
  resource_hours: '',
  hours_audit: '',
  auditor: '',
  nominal_kwh: '',
  usable_kwh: '',
  with_solar: '',
  vpp_ready: '',
  deeming: '',
  years_already_deemed: '',
  still_installed: '',
  installer: '',
  installer_accreditation: '',
  designer_accreditation: '',
  accredited: '',
  owner: '',
  owner_contact: '',
  claimant: '',
  assignment: '',
  assigned_on: '',
  verified: false,
  spv_package: '',
  retailer_abn: '',
  nmi: '',
  credits: Object.freeze({
    requested: '',
    premises: '',
    unit_programmes: '',
    premises_programmes: '',
    new_unit: '',
    metered: '',
    multiplied_before: '',
    off_grid: '',
    contract_on: '',
    statutory_declaration: '',
  }),
  claimed_certificates: -1,
});
