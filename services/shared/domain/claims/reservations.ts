import { normalise } from '../normalise.ts';
import type { Evidence } from './claim.ts';
import { type ClaimedSerial, entryOf, evidenceBySerial, evidenceOf } from './serials.ts';
import type { Slot } from './state.ts';

/** The slots after the claim has reserved its serials: all of them, in one change. */
export function reserve(
  claim: string,
  serials: readonly ClaimedSerial[],
  evidence: Evidence,
  slots: ReadonlyMap<string, Slot>,
): ReadonlyMap<string, Slot> {
  const bySerial = evidenceBySerial(evidence);
  const reserved = new Map<string, Slot>();
  for (const claimed of serials) {
    const backed = entryOf(claimed, evidenceOf(claimed, bySerial)) !== undefined;
    const slot = slots.get(claimed.slot) ?? [];
    reserved.set(claimed.slot, withClaim(slot, normalise(claimed.item.holder), backed, claim));
  }
  return reserved;
}

function withClaim(slot: Slot, holder: string, backed: boolean, claim: string): Slot {
  const held = slot.find(({ holder_key }) => holder_key === holder);
  if (!held) return [...slot, { holder_key: holder, backed, claims: [claim] }];
  return slot.map((other) => (other === held ? { ...held, claims: [...held.claims, claim] } : other));
}

/** The slots after the claim has let go of its serials; an empty slot is free. */
export function release(
  claim: string,
  held: readonly string[],
  slots: ReadonlyMap<string, Slot>,
): ReadonlyMap<string, Slot> {
  return new Map(held.map((slot) => [slot, withoutClaim(slots.get(slot) ?? [], claim)]));
}

function withoutClaim(slot: Slot, claim: string): Slot {
  return slot
    .map((reservation) => ({ ...reservation, claims: reservation.claims.filter((id) => id !== claim) }))
    .filter(({ claims }) => claims.length > 0);
}
