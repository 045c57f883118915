import { Cells } from '#certificate/decide/cells.ts';
import { applyChanges, cellsHeldBy, cellsOf, surroundingsOf } from '#certificate/decide/claims-state.ts';
import { type DecidedClaim, decideEvent, type Surroundings, stateOf } from '#shared/domain/claims/index.ts';

/**
 * What a claim was decided on, told from the log alone: the decisions before it are gone through in their order, each on
 * the state that it carries. `earlier` holds all events of the claims that this one can depend on; what others of them
 * depend on is of no interest here, and need not be among them.
 */
export function stateBefore(
  claim: DecidedClaim,
  earlier: readonly DecidedClaim[],
  lastCode: number,
): Surroundings {
  const cells = new Cells();
  for (const event of earlier) {
    if (event.evidenced_offset >= claim.evidenced_offset) break;
    if (event.decision === 'not_applied') continue;
    know(cells, event);
    const state = event.state_before === '' ? surroundingsOf(event, cells) : stateOf(event.state_before);
    applyChanges(event, decideEvent(event, event.evidenced_offset, state).changes, cells);
  }
  know(cells, claim);
  return { ...surroundingsOf(claim, cells), lastCode };
}

/** What was never written is empty. */
function know(cells: Cells, event: DecidedClaim): void {
  for (const named of [() => cellsOf(event), () => cellsHeldBy(event, cells)]) {
    const reads = cells.missing(named());
    cells.load(
      reads,
      reads.map((read) => (read.kind === 'hash' ? read.fields.map(() => null) : [])),
    );
  }
}
