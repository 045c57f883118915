import type { Account, AccountKind } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import type { ClaimRow } from '#gateway/claims/state.ts';
import {
  type ClaimEvent,
  type ClaimFacts,
  decideEvent,
  type Evidence,
  emptyState,
  type Surroundings,
} from '#shared/domain/claims/index.ts';
import { after, evidenceFor } from './claims.ts';

export function identity(id: string, kind: AccountKind = 'agent'): Identity {
  const account: Account = {
    id,
    name: `Name of ${id}`,
    kinds: [kind],
    version: 1,
    users: [],
    subscriptions: [],
    keys: [],
    applications: [],
    authorities: [],
    providers: [],
    cecDetails: {},
    apiDeclarations: [],
  };
  return { account, key: `key-of-${id}` };
}

/**
 * Log, certificate service and ledger as a gateway sees them, in memory: what is published is decided at once, by the very
 * rule. `evidence` says what the ledger knows of the serials; `asleep` keeps decisions back.
 */
export class DecidedLedger {
  readonly published: ClaimEvent[] = [];
  evidence: (event: ClaimEvent) => Evidence = (event) => evidenceFor(event);
  #asleep = false;
  readonly #rows = new Map<string, ClaimRow[]>();
  readonly #states = new Map<string, Surroundings>();
  readonly #seen = new Set<string>();

  set asleep(asleep: boolean) {
    this.#asleep = asleep;
    if (!asleep) for (const event of this.published) this.#decide(event);
  }

  readonly ports = {
    now: () => 1_776_000_000_000,
    pause: async () => {},
    publish: async (events: readonly ClaimEvent[]) => {
      this.published.push(...events);
      if (!this.#asleep) for (const event of events) this.#decide(event);
    },
    rows: async (claim: string) => this.#rows.get(claim) ?? [],
    claimEvents: async (claim: string) =>
      (this.#rows.get(claim) ?? []).filter(({ kind }) => kind === 'claim').map(({ event }) => event),
    fileEvents: async (file: string) =>
      [...this.#rows.values()].flat().flatMap((row) => (row.file === file ? [row.event] : [])),
    facts: async (claim: string, event: string): Promise<ClaimFacts | undefined> =>
      this.published.find((sent) => sent.claim === claim && sent.event === event),
  };

  #decide(event: ClaimEvent): void {
    if (this.#seen.has(event.event)) return;
    this.#seen.add(event.event);
    const state = this.#states.get(event.claim) ?? emptyState;
    const evidenced = { ...event, ...this.evidence(event) };
    const offset = this.#seen.size;
    const { decided, changes } = decideEvent(evidenced, offset, state);
    this.#states.set(event.claim, after(state, changes));
    const rows = this.#rows.get(event.claim) ?? [];
    this.#rows.set(event.claim, [...rows, { ...evidenced, ...decided }]);
  }
}
