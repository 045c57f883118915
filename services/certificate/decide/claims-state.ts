import {
  type Changes,
  type ClaimRecord,
  certificateYear,
  type EvidencedClaim,
  type PremisesRecord,
  premisesOf,
  type Slot,
  type Surroundings,
  sequenceOf,
  serialsOf,
  type UnitRecord,
} from '#shared/domain/claims/index.ts';
import type { Cell, Cells } from './cells.ts';

/** Hash tag of all keys of the claims (C2). */
export const claimsScope = 'claims';

/**
 * Where the state of all claims lies, under the tag `{claims}` (C2). Serials are spread over buckets of a few hundred,
 * which Redis keeps packed: a third of the memory of one large hash.
 */
export const keys = {
  claims: 'claims',
  units: 'units',
  premises: 'premises',
  sequences: 'sequences',
  counters: 'counters',
  sources: 'sources',
  /** Event ids of the window, scored with their receipt. */
  events: 'events',
} as const;

const bucketChars = 3;

export function slotCell(slot: string): Cell {
  return { key: `slots:${slot.slice(0, bucketChars)}`, field: slot.slice(bucketChars) };
}

/** Every key that slots can be under: a slot is written in base64url. */
export function slotKeys(): readonly string[] {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
  return letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => `slots:${a}${b}${c}`)));
}

export const lastCodeCell: Cell = { key: keys.counters, field: 'code' };
/** The latest receipt among the events applied: what the window is measured from, since no clock may decide (D3, D9). */
export const newestCell: Cell = { key: keys.counters, field: 'newest' };

export function sourceCell(partition: number): Cell {
  return { key: keys.sources, field: String(partition) };
}

function claimCell(claim: string): Cell {
  return { key: keys.claims, field: claim };
}

function unitCell(unit: string): Cell {
  return { key: keys.units, field: unit };
}

function premisesCell(premises: string): Cell {
  return { key: keys.premises, field: premises };
}

function sequenceCell(event: EvidencedClaim): Cell {
  const year = certificateYear(event.created_on);
  return { key: keys.sequences, field: sequenceOf({ unit: event.unit, account: event.account, year }) };
}

/** Cells that an event names itself. Those that its claim's record names can only be told once that is read. */
export function cellsOf(event: EvidencedClaim): readonly Cell[] {
  const own = [
    claimCell(event.claim),
    unitCell(event.unit),
    sequenceCell(event),
    lastCodeCell,
    newestCell,
    sourceCell(event.source_partition),
  ];
  if (event.kind !== 'claim') return own;
  return [...own, premisesCell(premisesOf(event)), ...serialsOf(event).map(({ slot }) => slotCell(slot))];
}

/** Cells that the claim of a withdrawal or an audit holds. `cells`: with those of `cellsOf` loaded. */
export function cellsHeldBy(event: EvidencedClaim, cells: Cells): readonly Cell[] {
  const record = claimRecord(event, cells);
  if (event.kind === 'claim' || !record) return [];
  return [premisesCell(record.premises), ...record.slots.map(slotCell)];
}

function claimRecord(event: EvidencedClaim, cells: Cells): ClaimRecord | undefined {
  return parsed<ClaimRecord>(cells.get(claimCell(event.claim)));
}

function premisesOfEvent(event: EvidencedClaim, cells: Cells): string | undefined {
  return event.kind === 'claim' ? premisesOf(event) : claimRecord(event, cells)?.premises;
}

function slotsOf(event: EvidencedClaim, cells: Cells): readonly string[] {
  return event.kind === 'claim'
    ? serialsOf(event).map(({ slot }) => slot)
    : (claimRecord(event, cells)?.slots ?? []);
}

/** What the rule sees of the state. */
export function surroundingsOf(event: EvidencedClaim, cells: Cells): Surroundings {
  const premises = premisesOfEvent(event, cells);
  const slots = new Map<string, Slot>();
  for (const slot of slotsOf(event, cells)) {
    const held = parsed<Slot>(cells.get(slotCell(slot)));
    if (held) slots.set(slot, held);
  }
  return {
    claim: claimRecord(event, cells),
    unit: parsed<UnitRecord>(cells.get(unitCell(event.unit))),
    premises: premises === undefined ? undefined : parsed<PremisesRecord>(cells.get(premisesCell(premises))),
    slots,
    lastNumber: Number(cells.get(sequenceCell(event)) ?? 0),
    lastCode: Number(cells.get(lastCodeCell) ?? 0),
  };
}

export function applyChanges(event: EvidencedClaim, changes: Changes, cells: Cells): void {
  const premises = premisesOfEvent(event, cells);
  if (changes.premises && premises !== undefined) {
    const empty = Object.keys(changes.premises.live).length === 0;
    cells.set(premisesCell(premises), empty ? null : JSON.stringify(changes.premises));
  }
  for (const [slot, held] of changes.slots ?? [])
    cells.set(slotCell(slot), held.length === 0 ? null : JSON.stringify(held));
  if (changes.unit) cells.set(unitCell(event.unit), JSON.stringify(changes.unit));
  if (changes.lastNumber !== undefined) cells.set(sequenceCell(event), String(changes.lastNumber));
  if (changes.lastCode !== undefined) cells.set(lastCodeCell, String(changes.lastCode));
  if (changes.claim) cells.set(claimCell(event.claim), JSON.stringify(changes.claim));
}

function parsed<T>(text: string | null): T | undefined {
  return text === null ? undefined : (JSON.parse(text) as T);
}
