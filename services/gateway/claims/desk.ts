import { hash } from 'node:crypto';
import type { Identity } from '#gateway/accounts/book.ts';
import { derivedId, newId } from '#gateway/ids.ts';
import { Recent } from '#gateway/recent.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { joinKey } from '#shared/base/keys.ts';
import {
  type ClaimEvent,
  type ClaimFacts,
  claimEvent,
  claimIdOf,
  unitOf,
} from '#shared/domain/claims/index.ts';

export interface ClaimPorts {
  /** Resolves when the event is acknowledged. */
  publish(event: ClaimEvent): Promise<void>;
  /** Ids of the events of this kind that the ledger has of a claim. */
  claimEvents(claim: string): Promise<readonly string[]>;
  readonly now: () => number;
}

/** A claim that this instance has published, until the ledger has it. */
export interface PublishedClaim {
  readonly account: string;
  readonly event: string;
}

const recentMax = 10_000;

/**
 * Takes claims: gives each its id and publishes it. With an Idempotency-Key, claim and event follow from account, key and
 * facts, so that a repetition is the same event; the same key with other facts is refused where the first is known.
 */
export class ClaimDesk {
  readonly #ports: ClaimPorts;
  readonly #byKey = new Recent<string, string>(recentMax);
  readonly #published = new Recent<string, PublishedClaim>(recentMax);

  constructor(ports: ClaimPorts) {
    this.#ports = ports;
  }

  published(claim: string): PublishedClaim | undefined {
    return this.#published.get(claim);
  }

  async submit(
    facts: ClaimFacts,
    { account, key }: Identity,
    idempotencyKey: string | undefined,
  ): Promise<{ id: string } | Refusal> {
    const now = this.#ports.now();
    const unkeyed = newId(now);
    const token = idempotencyKey === undefined ? unkeyed : joinKey(account.id, idempotencyKey);
    const claim = claimIdOf(unitOf(facts), token);
    const event =
      idempotencyKey === undefined
        ? unkeyed
        : derivedId('claim', account.id, idempotencyKey, hash('sha256', JSON.stringify(facts), 'hex'));
    const sender = { event, account: account.id, submitted_by: key, received_at: now };
    if (idempotencyKey !== undefined) {
      const before = this.#byKey.get(token);
      if (before !== undefined && before !== event) return refuse('idempotency_key_reused');
      // Entered before anything is waited for: of two claims at once, one finds the other.
      this.#byKey.set(token, event);
    }
    try {
      if (idempotencyKey !== undefined && (await this.#usedOtherwise(claim, event))) {
        this.#byKey.delete(token);
        return refuse('idempotency_key_reused');
      }
      await this.#ports.publish(claimEvent(sender, claim, facts));
    } catch (error) {
      this.#byKey.delete(token);
      throw error;
    }
    this.#published.set(claim, { account: account.id, event });
    return { id: claim };
  }

  /** The key gave the claim its id: another event of it in the ledger came with the same key. */
  async #usedOtherwise(claim: string, event: string): Promise<boolean> {
    const known = await this.#ports.claimEvents(claim);
    return known.length > 0 && !known.includes(event);
  }
}
