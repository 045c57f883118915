import { hash } from 'node:crypto';
import { actorOf } from '#gateway/accounts/actor.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { derivedId, newId } from '#gateway/ids.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { joinKey } from '#shared/base/keys.ts';
import { normalise } from '#shared/domain/normalise.ts';
import type { Ruling, RulingKind } from '#shared/domain/rulings/ruling.ts';
import { type ConflictRow, disputeOf } from './conflicts.ts';

export interface RulingPorts {
  /** Resolves when the ruling is acknowledged. */
  publish(ruling: Ruling): Promise<void>;
  /** Is it in the ledger, and so counts for every claim that is gathered from now on? */
  inLedger(ruling: string): Promise<boolean>;
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

/** Takes the regulator's rulings. One with an Idempotency-Key is one ruling, however often it comes. */
export class RulingDesk {
  readonly #ports: RulingPorts;

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
    const ruling: Ruling = {
      ruling:
        idempotencyKey === undefined
          ? newId(received_at)
          : derivedId(
              'ruling',
              joinKey(account.id, idempotencyKey),
              hash('sha256', JSON.stringify(order), 'hex'),
            ),
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
