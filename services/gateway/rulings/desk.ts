import { hash } from 'node:crypto';
import { actorOf } from '#gateway/accounts/actor.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { derivedIdOf, newId } from '#gateway/ids.ts';
import { Recent } from '#gateway/recent.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { normalise } from '#shared/domain/normalise.ts';
import type { Ruling, RulingKind } from '#shared/domain/rulings/ruling.ts';
import { type ConflictRow, disputeOf } from './conflicts.ts';

export interface RulingPorts {
  /** Resolves when the ruling is acknowledged. */
  publish(ruling: Ruling): Promise<void>;
  /** Is it in the ledger, and so counts for every claim that is gathered from now on? */
  inLedger(ruling: string): Promise<boolean>;
  /** Ids of the rulings in the ledger that begin so. */
  beginningWith(beginning: string): Promise<readonly string[]>;
  conflict(of: {
    readonly product: string;
    readonly serial_key: string;
    readonly holder_key: string;
  }): Promise<ConflictRow | undefined>;
  readonly clock: () => number;
  /** The clock of patience: it jumps ahead when nobody may go on waiting. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/** Rulings before this offset, the newest first. */
export interface RulingPage {
  readonly before: number;
  readonly limit: number;
}

/** What a ruling says of what, in the regulator's words. */
export interface RulingOrder {
  readonly kind: RulingKind;
  readonly product: string;
  readonly reason: string;
  readonly holder?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly from?: string;
}

/** `in_force`: false when the ledger had not taken it in yet when this was answered; it will. */
export interface GivenRuling {
  readonly ruling: string;
  readonly in_force: boolean;
}

const inForceWaitMs = 5_000;
const pauseMs = 50;

const recentMax = 10_000;

/**
 * Takes the regulator's rulings. One with an Idempotency-Key is one ruling, however often it comes; its id begins with what
 * follows from the key alone, so that another ruling under the same key is found in the ledger, and refused.
 */
export class RulingDesk {
  readonly #ports: RulingPorts;
  /** Ids by how they begin: what the ledger may not have yet. */
  readonly #keyed = new Recent<string, string>(recentMax);

  constructor(ports: RulingPorts) {
    this.#ports = ports;
  }

  async rule(
    order: RulingOrder,
    identity: Identity,
    idempotencyKey: string | undefined,
  ): Promise<GivenRuling | Refusal> {
    const { account } = identity;
    const received_at = this.#ports.clock();
    const parties = await this.#partiesOf(order);
    if ('refused' in parties) return parties;
    const id = await this.#idOf(order, account.id, idempotencyKey, received_at);
    if (typeof id !== 'string') return id;
    const ruling: Ruling = {
      ruling: id,
      kind: order.kind,
      account: account.id,
      submitted_by: actorOf(identity),
      received_at,
      reason: order.reason,
      product: order.product,
      holder: order.holder ?? '',
      holder_key: normalise(order.holder ?? ''),
      model: order.model ?? '',
      model_key: normalise(order.model ?? ''),
      serial: order.serial ?? '',
      serial_key: normalise(order.serial ?? ''),
      from_day: order.from ?? '',
      ...parties,
    };
    await this.#ports.publish(ruling);
    return { ruling: ruling.ruling, in_force: await this.#inForce(ruling.ruling) };
  }

  async #idOf(
    order: RulingOrder,
    account: string,
    idempotencyKey: string | undefined,
    now: number,
  ): Promise<string | Refusal> {
    if (idempotencyKey === undefined) return newId(now);
    const sha256 = hash('sha256', JSON.stringify(order), 'hex');
    const { id, beginning } = derivedIdOf(['ruling', account, idempotencyKey], [sha256]);
    // Entered before anything is waited for: of two rulings at once, one finds the other.
    const before = this.#keyed.get(beginning) ?? id;
    this.#keyed.set(beginning, before);
    const known = before === id ? await this.#ports.beginningWith(beginning) : [before];
    if (known.length === 0 || known.includes(id)) return id;
    this.#keyed.set(beginning, known[0]!);
    return refuse('idempotency_key_reused');
  }

  /** A resolution speaks of the parties that the ledger shows; without a dispute there is nothing to resolve. */
  async #partiesOf(order: RulingOrder): Promise<Pick<Ruling, 'held_by' | 'disputed_by'> | Refusal> {
    if (order.kind !== 'conflict_resolved' && order.kind !== 'conflict_reopened')
      return { held_by: '', disputed_by: [] };
    const conflict = await this.#ports.conflict({
      product: order.product,
      serial_key: normalise(order.serial ?? ''),
      holder_key: normalise(order.holder ?? ''),
    });
    if (!conflict) return refuse('resource_not_found', 'no other supplier was refused this serial');
    const { held_by, disputed_by } = disputeOf(conflict);
    return { held_by, disputed_by };
  }

  async #inForce(ruling: string): Promise<boolean> {
    const until = this.#ports.now() + inForceWaitMs;
    for (;;) {
      if (await this.#ports.inLedger(ruling)) return true;
      if (this.#ports.now() >= until) return false;
      await this.#ports.pause(pauseMs);
    }
  }
}
