import { hash } from 'node:crypto';
import { joinKey } from '#shared/base/keys.ts';
import { normalise } from '../normalise.ts';
import type { ClaimFacts } from './claim.ts';

const unitChars = 20;
const tokenChars = 16;
const claimIdText = /^[0-9a-f]{20}-[0-9a-f]{16}$/;

/**
 * The unit that a claim is about: the same for every claim of one installation, whoever makes it and for whatever period.
 * A hash, so that no address stands in a Kafka key or in an id.
 */
export function unitOf(facts: ClaimFacts): string {
  return digest(facts.unit_kind, placeKey(facts), facts.installed_on).toString('hex').slice(0, unitChars);
}

/** The premises, whatever stands on them (SC-8, SC-10, FIND-18). */
export function premisesOf(facts: ClaimFacts): string {
  return digest('premises', placeKey(facts)).toString('hex').slice(0, unitChars);
}

/**
 * The id of a claim. It begins with its unit, so that a withdrawal finds the partition of its claim by the id alone
 * (C1). `token`: what makes the claim different from others for the unit, for example account and Idempotency-Key.
 */
export function claimIdOf(unit: string, token: string): string {
  return `${unit}-${digest('claim', token).toString('hex').slice(0, tokenChars)}`;
}

export function isClaimId(text: string): boolean {
  return claimIdText.test(text);
}

export function unitOfClaim(claim: string): string {
  return claim.slice(0, unitChars);
}

/** The partition of `claims.submitted`: all events of a unit are in one (C1). */
export function claimPartition(unit: string, partitions: number): number {
  return digest('partition', unit).readUInt32BE(0) % partitions;
}

/**
 * Where the reservation of a serial is kept: 20 characters of base64url, 120 bits, so that two serials never share one.
 * `serialKey` is normalised. The certificate holder is not part of it: see `Slot`.
 */
export function slotOf(product: string, serialKey: string): string {
  return digest(product, serialKey).toString('base64url').slice(0, 20);
}

function placeKey(facts: ClaimFacts): string {
  return joinKey(facts.postcode, normalise(facts.locality), normalise(facts.address));
}

function digest(...parts: readonly string[]): Buffer {
  return hash('sha256', joinKey(...parts), 'buffer');
}
