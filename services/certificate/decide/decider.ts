import { type Decided, decideEvent, type EvidencedClaim } from '#shared/domain/claims/index.ts';
import { type Bytes, type Read, utf8Bytes, type Write } from '#shared/runtime/state-store.ts';
import { Cells } from './cells.ts';
import {
  applyChanges,
  cellsHeldBy,
  cellsOf,
  keys,
  newestCell,
  sourceCell,
  surroundingsOf,
} from './claims-state.ts';

/** An event of `claims.evidenced` with its offset there: the coordinate of all claims. */
export interface Event {
  readonly offset: number;
  readonly claim: EvidencedClaim;
}

/** `replay`: the event was decided before, at another offset; nothing is published for it (C2). */
export type Verdict =
  | { readonly kind: 'decided'; readonly offset: number; readonly decided: Decided }
  | { readonly kind: 'replay'; readonly offset: number };

/**
 * How long an event id is remembered, measured between receipts. A copy that comes later still changes nothing, since
 * its claim is decided by then; it is only told so instead of being passed over.
 */
export const eventWindowMs = 30 * 86_400_000;

type ReadState = (reads: readonly Read[]) => Promise<readonly (readonly (Bytes | null)[])[]>;

/** Decides a chunk of events against one reading of the state. Between `load` and `decide` nothing else may change it. */
export class ClaimsDecider {
  readonly #cells = new Cells();
  readonly #seen = new Map<string, number>();
  readonly #events: readonly Event[];

  private constructor(events: readonly Event[]) {
    this.#events = events;
  }

  /** Reads what the events depend on: in two steps, because withdrawals and audits hold what their claims name. */
  static async load(events: readonly Event[], read: ReadState): Promise<ClaimsDecider> {
    const decider = new ClaimsDecider(events);
    await decider.#load(read);
    return decider;
  }

  async #load(read: ReadState): Promise<void> {
    const named = this.#cells.missing(this.#events.flatMap(({ claim }) => cellsOf(claim)));
    const ids = [...new Set(this.#events.map(({ claim }) => claim.event))];
    const members = ids.map(utf8Bytes);
    const values = await read([...named, { kind: 'score', key: keys.events, members }]);
    this.#cells.load(named, values);
    ids.forEach((id, i) => {
      const score = values.at(-1)?.[i];
      if (score !== null && score !== undefined) this.#seen.set(id, Number(score));
    });
    const held = this.#cells.missing(this.#events.flatMap(({ claim }) => cellsHeldBy(claim, this.#cells)));
    if (held.length > 0) this.#cells.load(held, await read(held));
  }

  /** In the order of the log; each event sees what the ones before it changed. */
  decide(): { readonly verdicts: readonly Verdict[]; readonly writes: readonly Write[] } {
    const remembered: [number, Bytes][] = [];
    const verdicts = this.#events.map((event) => this.#decideOne(event, remembered));
    if (remembered.length === 0) return { verdicts, writes: this.#cells.writes() };
    const newest = Number(this.#cells.get(newestCell));
    return {
      verdicts,
      writes: [
        ...this.#cells.writes(),
        { kind: 'score', key: keys.events, members: remembered },
        { kind: 'expire', key: keys.events, below: newest - eventWindowMs },
      ],
    };
  }

  #decideOne({ offset, claim }: Event, remembered: [number, Bytes][]): Verdict {
    const source = sourceCell(claim.source_partition);
    const highest = Number(this.#cells.get(source) ?? -1);
    if (claim.source_offset <= highest) return { kind: 'replay', offset };
    this.#cells.set(source, String(claim.source_offset));
    const newest = Math.max(Number(this.#cells.get(newestCell) ?? 0), claim.received_at);
    this.#cells.set(newestCell, String(newest));
    const seenAt = this.#seen.get(claim.event);
    if (seenAt !== undefined && seenAt >= newest - eventWindowMs) return { kind: 'replay', offset };
    this.#seen.set(claim.event, claim.received_at);
    remembered.push([claim.received_at, utf8Bytes(claim.event)]);
    const { decided, changes } = decideEvent(claim, offset, surroundingsOf(claim, this.#cells));
    applyChanges(claim, changes, this.#cells);
    return { kind: 'decided', offset, decided };
  }
}
