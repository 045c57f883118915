import { joinKey } from '#shared/base/keys.ts';
import { normalise } from '../normalise.ts';
import type { ClaimEvent, EntryEvidence, Equipment, Evidence, Finding, SerialEvidence } from './claim.ts';
import { damageOf } from './damage.ts';
import { finding } from './findings.ts';
import { slotOf, unitOfClaim } from './identity.ts';
import type { Slot } from './state.ts';

/** One serial of a claim, once, however often it stands there. */
export interface ClaimedSerial {
  readonly item: Equipment;
  readonly serial: string;
  readonly serial_key: string;
  readonly slot: string;
}

/** What the ledger knows; turbines are in no ledger. */
export function inLedger(product: string): boolean {
  return product !== 'turbine';
}

/** Those of an event are asked for at every step of its way, and each costs a hash. */
const known = new WeakMap<readonly Equipment[], readonly ClaimedSerial[]>();

/** Every serial of a claim, each once, in the order of the claim. */
export function serialsOf({ equipment }: Pick<ClaimEvent, 'equipment'>): readonly ClaimedSerial[] {
  const serials = known.get(equipment) ?? readSerials(equipment);
  known.set(equipment, serials);
  return serials;
}

function readSerials(equipment: readonly Equipment[]): readonly ClaimedSerial[] {
  const bySlot = new Map<string, ClaimedSerial>();
  for (const item of equipment)
    for (const serial of item.serials) {
      const serialKey = normalise(serial);
      const slot = slotOf(item.product, serialKey);
      if (!bySlot.has(slot)) bySlot.set(slot, { item, serial, serial_key: serialKey, slot });
    }
  return [...bySlot.values()];
}

/** FIND-7. */
export function countFindings(claim: ClaimEvent): readonly Finding[] {
  const found: Finding[] = [];
  for (const item of claim.equipment)
    if (item.quantity >= 0 && item.quantity !== item.serials.length)
      found.push(mismatch(`${item.product} ${item.model}`, item.quantity, item.serials.length));
  const panels = claim.equipment.reduce(
    (sum, { product, serials }) => sum + (product === 'panel' ? serials.length : 0),
    0,
  );
  if (claim.unit_kind === 'solar' && claim.panel_count >= 0 && claim.panel_count !== panels)
    found.push(mismatch('panel_count', claim.panel_count, panels));
  return [...found, ...repeatFindings(claim)];
}

function mismatch(subject: string, stated: number, counted: number): Finding {
  return finding('quantity_mismatch', subject, `${stated} stated, ${counted} serials given`);
}

function repeatFindings(claim: ClaimEvent): readonly Finding[] {
  const counts = new Map<string, { serial: string; times: number }>();
  for (const { product, serials } of claim.equipment)
    for (const serial of serials) {
      const key = joinKey(product, normalise(serial));
      const times = (counts.get(key)?.times ?? 0) + 1;
      counts.set(key, { serial, times });
    }
  return [...counts.values()]
    .filter(({ times }) => times > 1)
    .map(({ serial, times }) =>
      finding('serial_repeated', serial, `${serial} stands ${times} times on the claim`),
    );
}

/** The evidence of each claimed serial, found without going through all of it again. */
export function evidenceBySerial(evidence: Evidence): ReadonlyMap<string, SerialEvidence> {
  return new Map(evidence.serial_evidence.map((found) => [joinKey(found.product, found.serial_key), found]));
}

export function evidenceOf(
  claimed: ClaimedSerial,
  evidence: ReadonlyMap<string, SerialEvidence>,
): SerialEvidence | undefined {
  return evidence.get(joinKey(claimed.item.product, claimed.serial_key));
}

/** The entry under the claimed holder. */
export function entryOf(
  claimed: ClaimedSerial,
  evidence: SerialEvidence | undefined,
): EntryEvidence | undefined {
  const holder = normalise(claimed.item.holder);
  return evidence?.entries.find((entry) => isEntry(entry) && entry.holder_key === holder);
}

/** Rows that were refused for want of authority made no entry; they are evidence all the same (G4, FIND-9). */
function isEntry({ entry }: EntryEvidence): boolean {
  return entry > 0;
}

/** FIND-12, for serials: the regulator's word counts whatever the ledger has. */
export function declaredFindings(
  serials: readonly ClaimedSerial[],
  { ineligible_serials: declared }: Evidence,
): readonly Finding[] {
  if (declared.length === 0) return [];
  const reasons = new Map(
    declared.map(({ product, serial_key, reason }) => [joinKey(product, serial_key), reason]),
  );
  return serials.flatMap(({ item, serial, serial_key }) => {
    const reason = reasons.get(joinKey(item.product, serial_key));
    return reason === undefined ? [] : [finding('serial_declared_ineligible', serial, reason)];
  });
}

/**
 * What ledger and other claims say of one serial, in the order of the catalogue: damaged, not there (yet), invalid,
 * another model or holder, in conflict, claimed. FIND-1 to 6, 8, 10.
 */
export function serialFindings(
  claim: ClaimEvent,
  claimed: ClaimedSerial,
  evidence: SerialEvidence | undefined,
  slot: Slot | undefined,
): readonly Finding[] {
  const damage = damageOf(claimed.serial);
  return [
    ...(damage ? [finding('serial_damaged', claimed.serial, `sign of damage: ${damage}`)] : []),
    ...(inLedger(claimed.item.product) ? ledgerFindings(claim, claimed, evidence) : []),
    ...reservationFindings(claim, claimed, evidence, slot),
  ];
}

function ledgerFindings(
  claim: ClaimEvent,
  claimed: ClaimedSerial,
  evidence: SerialEvidence | undefined,
): readonly Finding[] {
  const { serial, item } = claimed;
  const state = evidence?.state ?? 'not_yet';
  if (state === 'not_yet' || state === 'not_checked')
    return [finding('serial_not_yet', serial, 'the ledger has not caught up with the question')];
  const entry = entryOf(claimed, evidence);
  if (entry) return entryFindings(claim, claimed, entry);
  const offered = offerFindings(claimed, evidence?.entries ?? []);
  if (state === 'found') return [...offered, ...otherHolderFindings(claimed, evidence?.entries ?? [])];
  // Serials that were confirmed on site need not be in the ledger: it is the second check (TERM-4).
  if (claim.verified) return offered;
  return [
    ...offered,
    finding('serial_not_found', serial, `the ledger has no ${item.product} with this serial`),
  ];
}

/**
 * FIND-9. A row outside its account's authority never becomes an entry, so a registered serial had authority when it was
 * uploaded; one that was offered without is told apart from one that nobody supplied.
 */
function offerFindings(claimed: ClaimedSerial, entries: readonly EntryEvidence[]): readonly Finding[] {
  const offer = entries.find((entry) => !isEntry(entry));
  if (!offer) return [];
  return [
    finding(
      'supplier_not_authorised',
      claimed.serial,
      'the serial was offered by a supplier without authority for it, and not registered',
      { reference: offer.account },
    ),
  ];
}

function otherHolderFindings(claimed: ClaimedSerial, rows: readonly EntryEvidence[]): readonly Finding[] {
  const { serial, item } = claimed;
  if (rows.filter(isEntry).length > 1)
    return [
      finding(
        'serial_shared_between_holders',
        serial,
        `claimed as ${item.holder}, which is none of the holders that use it`,
      ),
    ];
  return [
    finding(
      'serial_other_model',
      serial,
      `claimed as ${item.holder} ${item.model}, registered under another certificate holder`,
    ),
  ];
}

function entryFindings(claim: ClaimEvent, claimed: ClaimedSerial, entry: EntryEvidence): readonly Finding[] {
  const { serial, item } = claimed;
  const found: Finding[] = [];
  if (entry.outcome === 'invalidated')
    found.push(finding('serial_invalid', serial, 'the serial was marked invalid'));
  if (normalise(entry.model) !== normalise(item.model))
    found.push(
      finding('serial_other_model', serial, `claimed as ${item.model}, registered as ${entry.model}`),
    );
  if (entry.conflict)
    found.push(
      finding('serial_in_conflict', serial, 'another supplier claims the serial too', {
        reference: entry.account,
      }),
    );
  if (entry.registered_on > claim.installed_on)
    found.push(
      finding(
        'registered_after_installation',
        serial,
        `registered on ${entry.registered_on}, installed on ${claim.installed_on}`,
      ),
    );
  return found;
}

/**
 * FIND-6. A reservation of the same unit is no obstacle: it belongs to an earlier deeming period, and whether this one
 * may follow it is asked of the unit. Two holders may share a serial when the ledger has it under both (SER-3).
 */
function reservationFindings(
  claim: ClaimEvent,
  claimed: ClaimedSerial,
  evidence: SerialEvidence | undefined,
  slot: Slot | undefined,
): readonly Finding[] {
  const holder = normalise(claimed.item.holder);
  const backed = entryOf(claimed, evidence) !== undefined;
  return (slot ?? []).flatMap((reservation) => {
    const other = reservation.claims.find((id) => unitOfClaim(id) !== claim.unit);
    if (other === undefined) return [];
    if (reservation.holder_key === holder)
      return [
        finding('serial_already_claimed', claimed.serial, 'the serial is in another live claim', {
          reference: other,
        }),
      ];
    if (reservation.backed && backed) return [];
    return [
      finding(
        'serial_shared_between_holders',
        claimed.serial,
        'the serial is in another live claim under another brand',
        { reference: other },
      ),
    ];
  });
}
