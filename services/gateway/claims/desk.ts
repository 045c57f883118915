import { hash } from 'node:crypto';
import { actorOf } from '#gateway/accounts/actor.ts';
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
  /** Resolves when all events are acknowledged. Those of one unit keep their order. */
  publish(events: readonly ClaimEvent[]): Promise<void>;
  /** Ids of the events of this kind that the ledger has of a claim. */
  claimEvents(claim: string): Promise<readonly string[]>;
  /** Ids of the events that the ledger has of a claim file. */
  fileEvents(file: string): Promise<readonly string[]>;
  readonly now: () => number;
}

/** A claim that this instance has published, until the ledger has it. */
export interface PublishedClaim {
  readonly account: string;
  readonly event: string;
}

/** One claim of a file, with its place there. */
export interface FiledClaim {
  readonly record: number;
  readonly facts: ClaimFacts;
}

/** A file that was taken: the ids of its claims, by record. */
export interface TakenFile {
  readonly id: string;
  readonly claims: ReadonlyMap<number, string>;
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
    identity: Identity,
    idempotencyKey: string | undefined,
  ): Promise<{ id: string } | Refusal> {
    const { account } = identity;
    const now = this.#ports.now();
    const unkeyed = newId(now);
    const token = idempotencyKey === undefined ? unkeyed : joinKey(account.id, idempotencyKey);
    const claim = claimIdOf(unitOf(facts), token);
    const event =
      idempotencyKey === undefined
        ? unkeyed
        : derivedId('claim', account.id, idempotencyKey, hash('sha256', JSON.stringify(facts), 'hex'));
    const sender = { event, account: account.id, submitted_by: actorOf(identity), received_at: now };
    const publish = () => this.#publish([claimEvent(sender, claim, facts)]);
    if (idempotencyKey === undefined) {
      await publish();
      return { id: claim };
    }
    const known = () => this.#ports.claimEvents(claim);
    const refusal = await this.#once(token, event, known, new Set([event]), publish);
    return refusal ?? { id: claim };
  }

  /**
   * Takes the claims of a file. The ids follow from account, key and place in the file; without a key, the file itself is
   * the key, so that a repetition after a lost answer makes no second claims. Whoever means them anew gives a new key.
   */
  async submitFile(
    claims: readonly FiledClaim[],
    body: Buffer,
    identity: Identity,
    idempotencyKey: string | undefined,
  ): Promise<TakenFile | Refusal> {
    const { account } = identity;
    const now = this.#ports.now();
    const bodySha256 = hash('sha256', body, 'hex');
    const token = joinKey('file', account.id, idempotencyKey ?? bodySha256);
    const file = derivedId('claim-file', token);
    const events = claims.map(({ record, facts }) => {
      const sender = {
        event: derivedId('claim-file', token, bodySha256, String(record)),
        account: account.id,
        submitted_by: actorOf(identity),
        received_at: now,
      };
      const claim = claimIdOf(unitOf(facts), joinKey(token, String(record)));
      return claimEvent(sender, claim, facts, { file, record });
    });
    const refusal = await this.#once(
      token,
      bodySha256,
      () => this.#ports.fileEvents(file),
      new Set(events.map(({ event }) => event)),
      () => this.#publish(events),
    );
    if (refusal) return refusal;
    return { id: file, claims: new Map(events.map(({ record, claim }) => [record, claim])) };
  }

  /** Publishes what a key stands for, unless the key is known to stand for something else (A2). */
  async #once(
    token: string,
    meaning: string,
    known: () => Promise<readonly string[]>,
    own: ReadonlySet<string>,
    publish: () => Promise<void>,
  ): Promise<Refusal | undefined> {
    const before = this.#byKey.get(token);
    if (before !== undefined && before !== meaning) return refuse('idempotency_key_reused');
    // Entered before anything is waited for: of two claims at once, one finds the other.
    this.#byKey.set(token, meaning);
    try {
      const earlier = await known();
      if (earlier.length > 0 && !earlier.some((event) => own.has(event))) {
        this.#byKey.delete(token);
        return refuse('idempotency_key_reused');
      }
      await publish();
      return undefined;
    } catch (error) {
      this.#byKey.delete(token);
      throw error;
    }
  }

  async #publish(events: readonly ClaimEvent[]): Promise<void> {
    await this.#ports.publish(events);
    for (const { claim, account, event } of events) this.#published.set(claim, { account, event });
  }
}
