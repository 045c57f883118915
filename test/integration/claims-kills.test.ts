import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decidedClaims } from '#scripts/reassess/decided-claims.ts';
import { reassess } from '#scripts/reassess/reassess.ts';
import { serialPartitions } from '#shared/adapters/kafka/topics.ts';
import { entitlementOf } from '#shared/domain/claims/entitlement.ts';
import {
  auditEvent,
  type ClaimEvent,
  claimEvent,
  claimIdOf,
  type DecidedClaim,
  decideAgain,
  registrationEvent,
  rulesOf,
  stateOf,
  unitOf,
  withdrawalEvent,
} from '#shared/domain/claims/index.ts';
import { equipment, solarFacts } from '#test/support/claims.ts';
import { audit } from '#test/support/claims-audit.ts';
import { ClaimsFleet, installed } from '#test/support/claims-fleet.ts';

/**
 * Concurrent claims for a few serials at a few places, withdrawn, audited, sent twice, while certificate services are
 * killed: whatever the order in which all of it meets, no serial is in two live claims, no number of a sequence is missing
 * or given twice, and what was given is what the claims are entitled to.
 */
const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
const places = 24;
const serials = 36;
const rounds = 5;
const sendersAtOnce = 4;
const eventsOfSender = 12;
const instances = [1, 2] as const;

let fleet: ClaimsFleet;

beforeAll(async () => {
  fleet = await ClaimsFleet.start();
  await fleet.startWorker('certificate', 2);
});
afterAll(() => fleet?.stop());

test(`no serial twice, no number missing, nothing given that is not due (SEED=${seed})`, async () => {
  const random = generator(seed);
  const inverters = Array.from({ length: places }, (_, i) => `K-INV-${i}`);
  await fleet.register(Array.from({ length: serials }, (_, i) => `K-${i}`));
  await fleet.submit('inverter', 'register', inverters);

  const claims: ClaimEvent[] = [];
  const sent: ClaimEvent[] = [];
  for (let round = 0; round < rounds; round++) {
    const senders = Array.from({ length: sendersAtOnce }, () =>
      Array.from({ length: eventsOfSender }, () => happening(random, claims, inverters)),
    );
    sent.push(...senders.flat());
    const sending = senders.map(async (events) => {
      for (const event of events) await fleet.send(event);
    });
    const victim = instances[random(instances.length)]!;
    await Promise.race(sending);
    fleet.worker('certificate', victim).kill('SIGKILL');
    await Promise.all(sending);
    await fleet.startWorker('certificate', victim);
  }

  // By chance alone no claim that was approved might fail its audit, or be withdrawn. The first ones found everything free.
  for (const [i, { claim, account }] of claims.slice(0, 40).entries()) {
    const ending =
      i % 2 === 0
        ? auditEvent(fleet.sender('regulator'), claim, 'failed', '')
        : withdrawalEvent(fleet.sender(account), claim, '');
    sent.push(ending);
    await fleet.send(ending);
  }

  const events = new Set(sent.map(({ event }) => event));
  await fleet.until(
    'every event decided',
    async () => ((await decidedEvents([...events])) === events.size ? true : undefined),
    120_000,
  );
  const decided = await decidedClaims(fleet.clickhouse, [...new Set(sent.map(({ claim }) => claim))]);
  expect(decided).toHaveLength(events.size);
  const byOffset = new Map(decided.map((event) => [event.evidenced_offset, event]));
  expect(byOffset.size).toBe(decided.length);

  const { numbers, certificates, entitled } = audit((offset) => byOffset.get(offset)!, byOffset);
  for (const [sequence, given] of numbers)
    expect([sequence, Math.min(...given), Math.max(...given)]).toEqual([sequence, 1, given.size]);
  expect(certificates).toBe(entitled);
  const approved = decided.filter(({ decision }) => decision === 'approved');
  expect(certificates).toBe(approved.reduce((sum, claim) => sum + entitlement(claim), 0));
  for (const claim of decided.filter(({ kind, decision }) => kind === 'claim' && decision !== 'not_applied'))
    expect(claim).toMatchObject(decideAgain(claim)!);

  // The run must have met what it is about.
  const counts = Object.groupBy(decided, ({ decision }) => decision);
  for (const decision of ['approved', 'refused', 'withdrawn', 'audit_failed', 'not_applied'] as const)
    expect(counts[decision]?.length ?? 0, `${decision}, of ${decided.length}`).toBeGreaterThan(0);

  // From the ledger alone: rows up to the watermarks, and the state from the decisions before.
  const partitions = serialPartitions('local');
  for (const { claim } of approved.slice(0, 5).concat(counts.refused!.slice(0, 5))) {
    const found = await reassess(fleet.clickhouse, { claim, by: () => true, partitions });
    expect(found).toMatchObject({ same: true, carried: found!.recorded });
  }
});

/** By the facts and what was known of the unit and its place, by the engine that computes entitlements. */
function entitlement(claim: DecidedClaim): number {
  const { unit, premises } = stateOf(claim.state_before);
  const known = { createdOn: claim.created_on, unit, premises };
  return entitlementOf(claim, known, rulesOf(claim.rules_version)).stcs!;
}

function happening(
  random: (below: number) => number,
  claims: ClaimEvent[],
  inverters: readonly string[],
): ClaimEvent {
  const earlier = claims[random(Math.max(claims.length, 1))];
  const kind = earlier ? random(10) : 0;
  if (kind < 6 || !earlier) {
    const place = random(places);
    const panels = [...new Set(Array.from({ length: 1 + random(3) }, () => `K-${random(serials)}`))];
    const facts = solarFacts({
      installed_on: installed,
      address: `${place} Kill Street`,
      panel_count: panels.length,
      equipment: [equipment('panel', panels), equipment('inverter', [inverters[place]!])],
    });
    const sender = fleet.sender(`agent-${random(2)}`);
    const claim = claimEvent(sender, claimIdOf(unitOf(facts), randomUUID()), facts);
    claims.push(claim);
    return claim;
  }
  switch (kind) {
    case 6:
      return withdrawalEvent(fleet.sender(earlier.account), earlier.claim, '');
    case 7:
      return auditEvent(fleet.sender('regulator'), earlier.claim, random(2) === 0 ? 'passed' : 'failed', '');
    case 8:
      return registrationEvent(fleet.sender('regulator'), earlier.claim, '');
    default:
      // A client that lost its answer sends the same event again.
      return earlier;
  }
}

async function decidedEvents(events: readonly string[]): Promise<number> {
  const sql = 'SELECT toInt64(uniqExact(event)) AS decided FROM claims WHERE event IN {events:Array(String)}';
  const [row] = await fleet.clickhouse.query<{ decided: number }>(sql, { events });
  return row!.decided;
}

/** Whole numbers below a bound, the same for the same seed (mulberry32). */
function generator(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
