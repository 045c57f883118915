import { hash } from 'node:crypto';
import { actorOf } from '#gateway/accounts/actor.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { derivedId, newId } from '#gateway/ids.ts';
import { Recent } from '#gateway/recent.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { joinKey } from '#shared/base/keys.ts';
import {
  auditEvent,
  type ClaimEvent,
  type ClaimFacts,
  type ClaimStatus,
  claimEvent,
  refusalEvent,
  registrationEvent,
  type Sender,
  unitOf,
  unitOfClaim,
  type Waiver,
  withdrawalEvent,
} from '#shared/domain/claims/index.ts';
import type { ClaimPorts } from './desk.ts';
import {
  type ClaimReads,
  type ClaimRow,
  latestAssessment,
  statusOf,
  type VisibleClaim,
  visibleClaim,
} from './state.ts';

export interface CommandPorts extends ClaimReads {
  readonly publish: ClaimPorts['publish'];
  /** What a claim stated in one of its events. */
  facts(claim: string, event: string): Promise<ClaimFacts | undefined>;
}

/** Who asks for what to happen to which claim. */
export interface Order {
  readonly claim: string;
  readonly identity: Identity;
  readonly reason: string;
  readonly idempotencyKey?: string;
}

export interface ReassessmentOrder extends Order {
  /** Corrected facts; left out: the facts as they are. */
  readonly facts?: ClaimFacts;
}

export interface RulingOrder extends Order {
  readonly ruling: 'release' | 'refuse';
  /** The assessment that the regulator has seen; left out: the latest in the ledger. */
  readonly assessment?: string;
  /** Open questions that are answered; left out: all of that assessment. */
  readonly answered?: readonly Waiver[];
}

export interface AuditOrder extends Order {
  readonly result: 'passed' | 'failed';
}

/** `pending`: not decided yet. */
type OpenStatus = ClaimStatus | 'pending';

const recentMax = 10_000;

/**
 * What may happen to a claim after it was made. Each order becomes one event in the log of its claim, which the
 * certificate service applies or not; what the ledger shows to be in vain already is refused at once. An order with an
 * Idempotency-Key is one event, however often it comes.
 */
export class ClaimCommands {
  readonly #ports: CommandPorts;
  readonly #byKey = new Recent<string, string>(recentMax);

  constructor(ports: CommandPorts) {
    this.#ports = ports;
  }

  /** Also a claim that is still on its way may be withdrawn: the withdrawal comes after it in the log. */
  withdraw(order: Order): Promise<{ event: string } | Refusal> {
    return this.#carryOut(order, 'withdrawal', ['pending', 'approved', 'held'], async (sender) =>
      withdrawalEvent(sender, order.claim, order.reason),
    );
  }

  /** Assesses a held claim once more: by what the ledger has now, or by corrected facts. */
  reassess(order: ReassessmentOrder): Promise<{ event: string } | Refusal> {
    const { claim, facts, reason } = order;
    if (facts && unitOf(facts) !== unitOfClaim(claim)) return Promise.resolve(refuse('claim_of_other_unit'));
    const what = joinKey('assessment', facts ? JSON.stringify(facts) : '');
    return this.#carryOut(order, what, ['held'], async (sender, known) => {
      const latest = latestAssessment(known.rows)!;
      if (facts && order.identity.account.id !== known.claimant) return refuse('not_permitted');
      // What the regulator answered stands as long as the claim says what it said then.
      return this.#again(sender, known, latest, { facts, reason, waived: facts ? [] : latest.waived });
    });
  }

  /** The regulator's word on a held claim. */
  rule(order: RulingOrder): Promise<{ event: string } | Refusal> {
    const { claim, ruling, reason, assessment, answered } = order;
    const what = joinKey(ruling, assessment ?? '', JSON.stringify(answered ?? null));
    return this.#carryOut(order, what, ['held'], async (sender, known) => {
      const latest = latestAssessment(known.rows)!;
      if (assessment !== undefined && assessment !== latest.event)
        return refuse('claim_changed', `the latest assessment is ${latest.event}`, {
          assessment: latest.event,
        });
      if (ruling === 'refuse') return refusalEvent(sender, claim, reason, latest.event);
      const open = openQuestions(latest);
      const waived = answered ?? open;
      const strange = waived.find(
        (waiver) => !open.some(({ code, subject }) => code === waiver.code && subject === waiver.subject),
      );
      if (strange) return refuse('finding_not_open', `${strange.code} of ${strange.subject}`);
      return this.#again(sender, known, latest, { reason, waived: [...latest.waived, ...waived] });
    });
  }

  audit(order: AuditOrder): Promise<{ event: string } | Refusal> {
    const { claim, result, reason } = order;
    return this.#carryOut(order, joinKey('audit', result), ['approved'], async (sender) =>
      auditEvent(sender, claim, result, reason),
    );
  }

  register(order: Order): Promise<{ event: string } | Refusal> {
    return this.#carryOut(order, 'registration', ['passed'], async (sender) =>
      registrationEvent(sender, order.claim, order.reason),
    );
  }

  /** The claim once more, as the claimant's, based on the assessment that was seen. */
  async #again(
    sender: Sender,
    { id, claimant }: VisibleClaim,
    latest: ClaimRow,
    how: { facts?: ClaimFacts | undefined; reason: string; waived: readonly Waiver[] },
  ): Promise<ClaimEvent | Refusal> {
    const facts = how.facts ?? (await this.#ports.facts(id, latest.event));
    if (!facts) return refuse('resource_not_found');
    const asked_by = sender.account === claimant ? '' : sender.account;
    const context = { based_on: latest.event, asked_by, waived: how.waived };
    return { ...claimEvent({ ...sender, account: claimant }, id, facts, context), reason: how.reason };
  }

  async #carryOut(
    order: Order,
    what: string,
    permitted: readonly OpenStatus[],
    make: (sender: Sender, claim: VisibleClaim) => Promise<ClaimEvent | Refusal>,
  ): Promise<{ event: string } | Refusal> {
    const { identity, idempotencyKey } = order;
    const known = await visibleClaim(this.#ports, order.claim, identity, 0);
    if (!known) return refuse('resource_not_found');
    const now = this.#ports.now();
    const event = idempotencyKey === undefined ? newId(now) : this.#eventOf(order, idempotencyKey, what);
    if (typeof event !== 'string') return event;
    // A repetition gets the answer of the first time, whatever the claim has become meanwhile.
    if (known.rows.some((row) => row.event === event)) return { event };
    const refusal = notPermitted(known, permitted);
    if (refusal) return refusal;
    const sender = { event, account: identity.account.id, submitted_by: actorOf(identity), received_at: now };
    const made = await make(sender, known);
    if (isRefusal(made)) return made;
    await this.#ports.publish([made]);
    return { event };
  }

  /** The id follows from account, key, claim and order; a key that comes with another order is refused where it is known. */
  #eventOf(order: Order, idempotencyKey: string, what: string): string | Refusal {
    const { claim, identity, reason } = order;
    const token = joinKey(identity.account.id, idempotencyKey);
    const meaning = hash('sha256', joinKey(claim, what, reason), 'hex');
    const before = this.#byKey.get(token);
    if (before !== undefined && before !== meaning) return refuse('idempotency_key_reused');
    this.#byKey.set(token, meaning);
    return derivedId('claim-order', token, meaning);
  }
}

/** What holds a claim, and an answer can waive. */
export function openQuestions({ findings }: Pick<ClaimRow, 'findings'>): readonly Waiver[] {
  return findings.filter(({ effect }) => effect === 'ask').map(({ code, subject }) => ({ code, subject }));
}

function notPermitted({ rows }: VisibleClaim, permitted: readonly OpenStatus[]): Refusal | undefined {
  const status = statusOf(rows) ?? 'pending';
  if (permitted.some((candidate) => candidate === status)) return undefined;
  return refuse('claim_not_in_state', `the claim is ${status}`, { status, permitted });
}
