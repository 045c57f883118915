import { AssertionError, assert } from '#shared/base/errors.ts';
import type { Decision, Outcome } from '#shared/domain/serials.ts';
import { entriesMax, otherStatus, type Slot } from './slots.ts';

/** What a decision needs of one record; holder, supplier and status as numbers of the partition's dictionaries. */
export interface Candidate {
  readonly action: string;
  readonly holder: number;
  readonly supplier: number;
  /** 0 unless the action is a change of status. */
  readonly status: number;
}

export interface Decided {
  readonly decision: Decision;
  /** The serial's slots afterwards; absent when nothing changed. */
  readonly slots?: readonly Slot[];
}

/**
 * Outcome of a record that may not reach the index: refused by the gateway, or not on the approved lists. In this order
 * of precedence: supplier_not_authorised, malformed, not_listed (SER-5). Undefined: the index decides.
 */
export function outcomeBeforeIndex(finding: string, listing: string): Outcome | undefined {
  if (finding === 'supplier_not_authorised') return 'supplier_not_authorised';
  if (finding !== '') return 'malformed';
  if (listing === 'not_listed') return 'not_listed';
  return undefined;
}

/**
 * Decides one record against the slots of its serial. Pure: no clock, no configuration (D9), nothing but the state that
 * earlier records of the same partition left. The same supplier again is a duplicate by whatever account; another
 * supplier is a conflict; another holder has a slot of its own (SER-3, SER-5).
 */
export function decideRecord(slots: readonly Slot[], candidate: Candidate): Decided {
  const held = slots.find((slot) => slot.holder === candidate.holder);
  switch (candidate.action) {
    case 'register':
      return decideRegister(slots, held, candidate);
    case 'invalidate':
      return decideInvalidate(slots, held, candidate);
    case 'update_status':
      return decideUpdateStatus(slots, held, candidate);
    default:
      throw new AssertionError(`no rule for the action ${candidate.action}`);
  }
}

function decideRegister(slots: readonly Slot[], held: Slot | undefined, candidate: Candidate): Decided {
  if (held?.state === 'registered')
    return unchanged(held.supplier === candidate.supplier ? 'duplicate' : 'conflict');
  const shared = slots.some((slot) => slot !== held && slot.state === 'registered');
  return changed(
    slots,
    held,
    { ...candidate, status: 0 },
    'registered',
    shared ? 'serial_shared_between_holders' : '',
  );
}

function decideInvalidate(slots: readonly Slot[], held: Slot | undefined, candidate: Candidate): Decided {
  if (!held) return unchanged('not_found');
  if (held.supplier !== candidate.supplier) return unchanged('not_yours');
  if (held.state === 'invalid') return unchanged('already_invalid');
  return changed(slots, held, { ...candidate, status: 0 }, 'invalid', '');
}

/** INVR-2: the status of a serial that is registered; the same status again changes nothing. */
function decideUpdateStatus(slots: readonly Slot[], held: Slot | undefined, candidate: Candidate): Decided {
  assert(candidate.status > 0, 'a change of status says no status');
  if (!held) return unchanged('not_found');
  if (held.supplier !== candidate.supplier) return unchanged('not_yours');
  if (held.state === 'invalid') return unchanged('already_invalid');
  if (held.status === candidate.status && candidate.status < otherStatus) return unchanged('unchanged');
  return changed(slots, held, candidate, 'registered', '');
}

function unchanged(outcome: Outcome): Decided {
  return { decision: { outcome, entry: 0, note: '' } };
}

/** The next entry of the serial. A serial changed more often than a slot can count is refused, not wrapped around. */
function changed(
  slots: readonly Slot[],
  held: Slot | undefined,
  candidate: Candidate,
  state: Slot['state'],
  note: string,
): Decided {
  const entry = (held?.entry ?? 0) + 1;
  if (entry > entriesMax) return unchanged('too_many_changes');
  const { holder, supplier, status } = candidate;
  const slot: Slot = { holder, supplier, entry, state, status };
  return {
    decision: { outcome: outcomeOf(state, status), entry, note },
    slots: held ? slots.map((other) => (other === held ? slot : other)) : [...slots, slot],
  };
}

function outcomeOf(state: Slot['state'], status: number): Outcome {
  if (state === 'invalid') return 'invalidated';
  return status === 0 ? 'registered' : 'status_updated';
}
