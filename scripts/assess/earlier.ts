import { Cells } from '#certificate/decide/cells.ts';
import { applyChanges, cellsHeldBy, cellsOf, surroundingsOf } from '#certificate/decide/claims-state.ts';
import { joinKey } from '#shared/base/keys.ts';
import {
  type Changes,
  type DecidedClaim,
  decideEvent,
  type EvidencedClaim,
  type Surroundings,
  stateOf,
} from '#shared/domain/claims/index.ts';
import { utf8Bytes } from '#shared/runtime/state-store.ts';

/** A cell of the state of claims, as it is kept for later records. */
export type KeptCell = readonly [key: string, field: string, value: string | null];

/**
 * The state that a record is judged on, told from the decisions before it: those of the registry, then those of earlier
 * records of the file. The cells and the rules are those of the live decision.
 */
export class EarlierClaims {
  /** Cells that earlier records of the file have changed. */
  readonly #kept = new Map<string, string | null>();

  /** Takes in what a verdict left, before it is known as anything but text. */
  restore(cells: readonly KeptCell[]): void {
    for (const [key, field, value] of cells) this.#kept.set(joinKey(key, field), value);
  }

  /** The state of a claim. `registry`: every event of the claims that it can depend on, in the order of the log. */
  before(
    claim: EvidencedClaim,
    registry: readonly DecidedClaim[],
  ): { readonly state: Surroundings; readonly cells: Cells } {
    const decided = foldDecided(registry, claim);
    const cells = new Cells();
    know(cells, claim, (key, field) => {
      const kept = this.#kept.get(joinKey(key, field));
      return kept === undefined ? (decided?.get({ key, field }) ?? null) : kept;
    });
    return { state: surroundingsOf(claim, cells), cells };
  }

  /** Keeps what a claim changed, and says what that is. */
  after(claim: EvidencedClaim, changes: Changes, cells: Cells): readonly KeptCell[] {
    applyChanges(claim, changes, cells);
    const kept = cells.writes().flatMap((write): KeptCell[] => {
      if (write.kind === 'set')
        return write.fields.map(([field, value]) => [
          write.key,
          String(field),
          Buffer.from(value as string, 'latin1').toString('utf8'),
        ]);
      return write.kind === 'delete' ? write.fields.map((field) => [write.key, String(field), null]) : [];
    });
    this.restore(kept);
    return kept;
  }
}

/** The registry's state, as far as it concerns a claim: each decision on the state that it carries. */
function foldDecided(events: readonly DecidedClaim[], claim: EvidencedClaim): Cells | undefined {
  if (events.length === 0) return undefined;
  const cells = new Cells();
  for (const event of events) {
    if (event.decision === 'not_applied') continue;
    know(cells, event);
    const state = event.state_before === '' ? surroundingsOf(event, cells) : stateOf(event.state_before);
    applyChanges(event, decideEvent(event, event.evidenced_offset, state).changes, cells);
  }
  know(cells, claim);
  return cells;
}

type ReadCell = (key: string, field: string) => string | null;

/** What was never written is empty. */
function know(cells: Cells, event: EvidencedClaim, readCell: ReadCell = () => null): void {
  for (const named of [() => cellsOf(event), () => cellsHeldBy(event, cells)]) {
    const reads = cells.missing(named());
    cells.load(
      reads,
      reads.map((read) => {
        if (read.kind !== 'hash') return [];
        return read.fields.map((field) => {
          const value = readCell(read.key, field as string);
          return value === null ? null : utf8Bytes(value);
        });
      }),
    );
  }
}
