import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  auditEvent,
  type ClaimEvent,
  decideAgain,
  type EvidencedClaim,
  refusalEvent,
  registrationEvent,
  withdrawalEvent,
} from '#shared/domain/claims/index.ts';
import { MemoryStateStore } from '#shared/runtime/memory-state-store.ts';
import type { Applied, Read, Scope, StateStore } from '#shared/runtime/state-store.ts';
import { claimOf, equipment, receivedAt, solarFacts, windFacts } from '#test/support/claims.ts';
import { audit } from '#test/support/claims-audit.ts';
import { ClaimsLog, ClaimsReader, claimsScope, evidenced } from '#test/support/claims-log.ts';
import { eventWindowMs } from './decider.ts';

/**
 * Generated histories of claims, withdrawals, audits and copies, decided under crashes, zombies and a Redis that loses
 * its last writes, compared with a sequential reader of the same log. fast-check prints seed and path of what fails.
 */
type Happening =
  | {
      kind: 'claim';
      place: number;
      serials: readonly number[];
      account: number;
      wind: boolean;
      found: boolean;
    }
  | { kind: 'withdrawal'; of: number; account: number }
  | { kind: 'audit'; of: number; passed: boolean }
  /** A zombie gather publishes an earlier message again, with other evidence. */
  | { kind: 'copy'; of: number }
  /** The gateway's client retries: the same event at a new offset of its partition. */
  | { kind: 'retry'; of: number }
  /** A held claim is made again, with the same id. */
  | { kind: 'again'; of: number }
  /** The regulator's word: on a held claim, having seen its first assessment, and on the fee. */
  | { kind: 'release'; of: number }
  | { kind: 'refusal'; of: number }
  | { kind: 'registration'; of: number }
  /** So long that event ids are forgotten. */
  | { kind: 'pause' };

const index = fc.nat(1_000);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      place: fc.nat(5),
      serials: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 4 }),
      account: fc.nat(1),
      wind: fc.boolean(),
      found: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('withdrawal' as const), of: index, account: fc.nat(1) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('audit' as const), of: index, passed: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('copy' as const), of: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retry' as const), of: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), of: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), of: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refusal' as const), of: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('registration' as const), of: index }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'pause' as const }) },
);

const partitions = 3;

/** The log that these happenings leave in `claims.evidenced`. */
function logOf(happenings: readonly Happening[]): EvidencedClaim[] {
  const log: EvidencedClaim[] = [];
  const claims: ClaimEvent[] = [];
  const offsets = new Array<number>(partitions).fill(0);
  let now = receivedAt;
  const put = (event: ClaimEvent, found = true) => {
    const partition = Number.parseInt(event.unit.slice(0, 6), 16) % partitions;
    const offset = offsets[partition]!;
    offsets[partition] = offset + 1;
    const message = evidenced({ ...event, received_at: now }, partition, offset);
    log.push(found ? message : { ...message, serial_evidence: message.serial_evidence.map(lost) });
  };
  happenings.forEach((what, i) => {
    const sender = {
      event: `event-${i}`,
      account: 'regulator',
      submitted_by: 'key',
      received_at: receivedAt + i,
    };
    const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % Math.max(from.length, 1)];
    switch (what.kind) {
      case 'claim': {
        const facts = what.wind
          ? windFacts({
              address: `${what.place} Hill`,
              equipment: [equipment('turbine', [`T-${what.serials[0]}`])],
            })
          : solarFacts({
              address: `${what.place} Street`,
              panel_count: what.serials.length,
              equipment: [
                equipment(
                  'panel',
                  what.serials.map((n) => `S-${n}`),
                ),
                equipment('inverter', [`I-${i}`]),
              ],
            });
        const claim = claimOf(facts, {
          token: `${i}`,
          event: sender.event,
          account: `agent-${what.account}`,
        });
        claims.push(claim);
        put(claim, what.found);
        return;
      }
      case 'withdrawal': {
        const claim = pick(claims, what.of);
        if (claim) put(withdrawalEvent({ ...sender, account: `agent-${what.account}` }, claim.claim, ''));
        return;
      }
      case 'audit': {
        const claim = pick(claims, what.of);
        if (claim) put(auditEvent(sender, claim.claim, what.passed ? 'passed' : 'failed', ''));
        return;
      }
      case 'copy': {
        const message = pick(log, what.of);
        if (message)
          log.push({ ...message, serial_evidence: message.serial_evidence.map(lost), snapshot: 'copy' });
        return;
      }
      case 'retry': {
        const claim = pick(claims, what.of);
        if (claim) put(claim);
        return;
      }
      case 'again': {
        const claim = pick(claims, what.of);
        if (claim) put({ ...claim, event: sender.event });
        return;
      }
      case 'release': {
        const claim = pick(claims, what.of);
        if (!claim) return;
        const waived = claim.equipment.flatMap(({ serials }) =>
          serials.map((subject) => ({ code: 'serial_not_found', subject })),
        );
        const context = { based_on: claim.event, asked_by: 'regulator', waived };
        put({ ...claim, ...context, event: sender.event }, false);
        return;
      }
      case 'refusal': {
        const claim = pick(claims, what.of);
        if (claim) put(refusalEvent(sender, claim.claim, '', claim.event));
        return;
      }
      case 'registration': {
        const claim = pick(claims, what.of);
        if (claim) put(registrationEvent(sender, claim.claim, ''));
        return;
      }
      case 'pause':
        now += eventWindowMs + 1;
        return;
    }
  });
  return log;
}

function lost<T extends { state: string; entries: readonly unknown[] }>(evidence: T): T {
  return evidence.state === 'found' ? { ...evidence, state: 'not_found', entries: [] } : evidence;
}

type Fault =
  | { kind: 'step'; messages: number }
  /** The process dies after so many of its calls. */
  | { kind: 'crash'; calls: number; messages: number }
  /** Another worker takes a turn, or both at the same time. */
  | { kind: 'zombie'; messages: number }
  | { kind: 'race'; messages: number; others: number; calls: number }
  | { kind: 'remember' }
  /** Redis comes back with what it had at the last `remember`. */
  | { kind: 'rollback' };

const fault: fc.Arbitrary<Fault> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('step' as const), messages: fc.integer({ min: 1, max: 7 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      calls: fc.nat(9),
      messages: fc.integer({ min: 1, max: 7 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('zombie' as const), messages: fc.integer({ min: 1, max: 7 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('race' as const),
      messages: fc.integer({ min: 1, max: 7 }),
      others: fc.integer({ min: 1, max: 7 }),
      calls: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'remember' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'rollback' as const }) },
);

class Crash extends Error {}

/** Fails every call from the given one on, before or after it took effect. */
class Fuse {
  left = Number.POSITIVE_INFINITY;

  async burn<T>(call: () => Promise<T>): Promise<T> {
    const before = this.left;
    this.left -= 1;
    if (before <= 0) throw new Crash();
    const result = await call();
    // Every other death comes after the effect, with the answer lost.
    if (before === 1) throw new Crash();
    return result;
  }
}

class FusedStore implements StateStore {
  readonly #store: StateStore;
  readonly #fuse: Fuse;

  constructor(store: StateStore, fuse: Fuse) {
    this.#store = store;
    this.#fuse = fuse;
  }

  start(scope: Scope) {
    return this.#fuse.burn(() => this.#store.start(scope));
  }
  read(scope: Scope, expected: number, reads: readonly Read[]) {
    return this.#fuse.burn(() => this.#store.read(scope, expected, reads));
  }
  apply(scope: Scope, expected: number, applied: Applied) {
    return this.#fuse.burn(() => this.#store.apply(scope, expected, applied));
  }
  trim(scope: Scope, origins: readonly number[]) {
    return this.#fuse.burn(() => this.#store.trim(scope, origins));
  }
  activate(scope: Scope) {
    return this.#store.activate(scope);
  }
}

async function decideUnder(
  faults: readonly Fault[],
  messages: readonly EvidencedClaim[],
): Promise<ClaimsLog> {
  const log = new ClaimsLog();
  for (const message of messages) log.append(message);
  const store = new MemoryStateStore();
  await store.activate(claimsScope);
  const fuse = new Fuse();
  const ports = () => {
    const plain = log.ports(new FusedStore(store, fuse));
    return {
      ...plain,
      publish: (results: Parameters<typeof plain.publish>[0]) => fuse.burn(() => plain.publish(results)),
    };
  };
  const reader = new ClaimsReader(log, ports);
  const zombie = new ClaimsReader(log, ports);
  const passing = (error: unknown) => error instanceof Crash;
  let restore = store.snapshot();
  for (const what of faults) {
    switch (what.kind) {
      case 'step':
        await reader.step(what.messages, passing);
        break;
      case 'crash':
        fuse.left = what.calls;
        await reader.step(what.messages, passing);
        fuse.left = Number.POSITIVE_INFINITY;
        reader.crash();
        break;
      case 'zombie':
        await zombie.step(what.messages, passing);
        break;
      case 'race':
        fuse.left = what.calls;
        await Promise.all([reader.step(what.messages, passing), zombie.step(what.others, passing)]);
        fuse.left = Number.POSITIVE_INFINITY;
        break;
      case 'remember':
        restore = store.snapshot();
        break;
      case 'rollback':
        restore();
        break;
    }
  }
  while (!reader.atEnd) await reader.step(16, passing);
  return log;
}

/** Told from the log alone: the event stood in it before, and is still remembered. */
function isCopyWithinWindow(messages: readonly EvidencedClaim[], offset: number): boolean {
  const before = messages.slice(0, offset);
  const newest = Math.max(...messages.slice(0, offset + 1).map(({ received_at }) => received_at));
  return before.some(
    (message) => message.event === messages[offset]!.event && newest - message.received_at <= eventWindowMs,
  );
}

const runs = 150;

/** What chance leaves out now and then: a claim up to its registration, and one that is held and released. */
const wholeWay: Happening[] = [
  { kind: 'claim', place: 0, serials: [0], account: 0, wind: false, found: true },
  { kind: 'audit', of: 0, passed: true },
  { kind: 'registration', of: 0 },
  { kind: 'claim', place: 1, serials: [1], account: 0, wind: false, found: false },
  { kind: 'release', of: 1 },
];

test('any history, any faults: decided as one reader would, nothing claimed twice, no number skipped', async () => {
  let approved = 0;
  let freed = 0;
  let registered = 0;
  let released = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 4, maxLength: 60 }),
      fc.array(fault, { maxLength: 40 }),
      async (happenings, faults) => {
        const messages = logOf(happenings);
        const reference = await decideUnder([], messages);
        const log = await decideUnder(faults, messages);
        const decisions = log.decisions();
        expect([...decisions].sort(([a], [b]) => a - b)).toEqual([...reference.decisions()]);

        const { numbers, certificates, entitled } = audit((offset) => messages[offset]!, decisions);
        for (const [sequence, given] of numbers)
          expect([sequence, Math.max(...given)]).toEqual([sequence, given.size]);
        expect(certificates).toBe(entitled);

        // No message of the source is decided twice; a client's retry changes nothing, however late it comes.
        const sources = [...decisions.keys()].map((offset) => {
          const { source_partition, source_offset } = messages[offset]!;
          return `${source_partition}:${source_offset}`;
        });
        expect(new Set(sources).size).toBe(sources.length);
        const applied = [...decisions].flatMap(([offset, { decision }]) =>
          decision === 'not_applied' ? [] : [messages[offset]!.event],
        );
        expect(new Set(applied).size).toBe(applied.length);
        expect([...decisions.keys()].filter((offset) => isCopyWithinWindow(messages, offset))).toEqual([]);
        // Every verdict follows from what its decision carries, and from nothing else.
        for (const [offset, decided] of decisions) {
          const carried = { ...messages[offset]!, ...decided };
          if (carried.kind === 'claim' && carried.decision !== 'not_applied')
            expect(decideAgain(carried)).toEqual(decided);
        }
        const kinds = [...decisions.values()].map(({ decision }) => decision);
        registered += kinds.filter((kind) => kind === 'registered').length;
        released += [...decisions.values()].filter(({ decision, findings }) =>
          findings.some(({ effect }) => decision === 'approved' && effect === 'waived'),
        ).length;
        approved += kinds.filter((kind) => kind === 'approved').length;
        freed += kinds.filter((kind) => kind === 'withdrawn' || kind === 'audit_failed').length;
      },
    ),
    { numRuns: runs, examples: [[wholeWay, []]] },
  );
  // The histories must reach what they are about.
  expect(approved).toBeGreaterThan(runs);
  expect(freed).toBeGreaterThan(runs / 5);
  expect(registered).toBeGreaterThan(0);
  expect(released).toBeGreaterThan(0);
});
