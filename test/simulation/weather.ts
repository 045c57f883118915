import type { Random } from './random.ts';

/** Everything that can go wrong, by the name under which it is counted. */
export const faultKinds = [
  'process killed',
  'process stopped in order',
  'process frozen past its session',
  'rebalance',
  'request lost',
  'answer lost',
  'request late',
  'request sent twice',
  'insert written in part',
  'Redis rolled back',
  'Redis emptied',
  'lists lost',
  'list changed',
  'stale fetch',
  'gateway killed in its transaction',
  'submission written again',
  'undecodable in serials.submitted',
  'undecodable in serials.listed',
  'undecodable in serials.decided',
  'foreign message',
  'refused by ClickHouse',
  'retention passed',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** How often, at most, each kind happens: to a turn, a request, or a message. */
const mostOften: Readonly<Record<FaultKind, number>> = {
  'process killed': 0.02,
  'process stopped in order': 0.006,
  'process frozen past its session': 0.01,
  rebalance: 0.01,
  'request lost': 0.06,
  'answer lost': 0.06,
  'request late': 0.04,
  'request sent twice': 0.04,
  'insert written in part': 0.1,
  'Redis rolled back': 0.01,
  'Redis emptied': 0.006,
  'lists lost': 0.004,
  'list changed': 0.08,
  'stale fetch': 0.5,
  'gateway killed in its transaction': 0.05,
  'submission written again': 0.5,
  'undecodable in serials.submitted': 0.15,
  'undecodable in serials.listed': 0.1,
  'undecodable in serials.decided': 0.1,
  'foreign message': 0.01,
  'refused by ClickHouse': 0.15,
  'retention passed': 1,
};

const intensities = [0.05, 0.3, 1] as const;

/**
 * What goes wrong in one run, and how often. Each run has its own mixture, and most have only some of the kinds: many
 * faults at once hide each other.
 */
export class Weather {
  readonly counts = new Map<FaultKind, number>();
  readonly #random: Random;
  readonly #often = new Map<FaultKind, number>();
  calm = false;

  constructor(random: Random) {
    this.#random = random;
    for (const kind of faultKinds) if (random.chance(0.5)) this.#often.set(kind, random.pick(intensities));
  }

  /** Draws whether the fault happens now, and counts it when it does. */
  strikes(kind: FaultKind): boolean {
    if (this.calm) return false;
    const often = this.#often.get(kind);
    if (often === undefined || !this.#random.chance(often * mostOften[kind])) return false;
    this.happened(kind);
    return true;
  }

  happened(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
