import { assert } from '#shared/base/errors.ts';
import type { Bytes } from '#shared/runtime/state-store.ts';

/**
 * What the index keeps of a serial: one packed slot of 8 bytes per holder (SER-3), so that ten million serials fit in
 * 24 bytes each. Holder and supplier are numbers of the partition's dictionaries, which are part of the same state.
 */
export interface Slot {
  /** 24 bits */
  readonly holder: number;
  /** 24 bits: who registered the serial, or did so before it was marked invalid. */
  readonly supplier: number;
  /** 11 bits: number of the last entry, from 1. */
  readonly entry: number;
  readonly state: 'registered' | 'invalid';
  /**
   * Of a registered serial: the dictionary's number of its status, 0 when none was ever set. Numbers above `statusesMax`
   * come back as `otherStatus`, which equals no status: then a repetition is a new entry, never wrongly "unchanged".
   */
  readonly status: number;
}

export const slotBytes = 8;
export const entriesMax = 2 ** 11 - 1;
export const statusesMax = 28;
export const otherStatus = statusesMax + 1;
export const namesMax = 2 ** 24 - 1;

/** Codes of 5 bits: invalid, then registered without a status, then registered with the status 1, 2, ... */
const invalidCode = 1;
const registeredCode = 2;

export function packSlots(slots: readonly Slot[]): Bytes {
  let packed = '';
  for (const slot of slots) {
    const { holder, supplier, entry } = slot;
    assert(entry >= 1 && entry <= entriesMax, `entry ${entry} does not fit a slot`);
    packed += packName(holder) + packName(supplier) + packShort((entry << 5) | stateCode(slot));
  }
  return packed;
}

export function unpackSlots(packed: Bytes | null): readonly Slot[] {
  if (packed === null) return [];
  const slots: Slot[] = [];
  for (let at = 0; at < packed.length; at += slotBytes) {
    const last = (packed.charCodeAt(at + 6) << 8) | packed.charCodeAt(at + 7);
    const code = last & 31;
    slots.push({
      holder: unpackName(packed, at),
      supplier: unpackName(packed, at + 3),
      entry: last >> 5,
      state: code === invalidCode ? 'invalid' : 'registered',
      status: Math.max(code - registeredCode, 0),
    });
  }
  return slots;
}

function stateCode({ state, status }: Slot): number {
  return state === 'invalid' ? invalidCode : registeredCode + Math.min(status, otherStatus);
}

/** The number of a name as the dictionaries keep it: three bytes. */
export function packName(id: number): Bytes {
  assert(id >= 1 && id <= namesMax, `name ${id} does not fit a slot`);
  return String.fromCharCode(id >> 16, (id >> 8) & 255, id & 255);
}

export function unpackName(packed: Bytes, at = 0): number {
  return (packed.charCodeAt(at) << 16) | (packed.charCodeAt(at + 1) << 8) | packed.charCodeAt(at + 2);
}

function packShort(value: number): Bytes {
  return String.fromCharCode(value >> 8, value & 255);
}
