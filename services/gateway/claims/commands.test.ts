import { beforeEach, expect, test } from 'vitest';
import { isRefusal } from '#gateway/refusal.ts';
import type { ClaimEvent } from '#shared/domain/claims/index.ts';
import { DecidedLedger, identity } from '#test/support/claim-desk.ts';
import { createdOn, evidenceFor, solarFacts } from '#test/support/claims.ts';
import { ClaimCommands } from './commands.ts';
import { ClaimDesk } from './desk.ts';
import { claimView, historyView, visibleClaim } from './state.ts';

const agent = identity('agent');
const rival = identity('rival');
const regulator = identity('cer', 'regulator');

let ledger: DecidedLedger;
let desk: ClaimDesk;
let commands: ClaimCommands;
let claim: string;

beforeEach(async () => {
  ledger = new DecidedLedger();
  desk = new ClaimDesk(ledger.ports);
  commands = new ClaimCommands({ ...ledger.ports, published: (id) => desk.published(id) });
});

/** A claim, held when `unknown` serials are in no ledger. */
async function submit(...unknown: readonly string[]): Promise<void> {
  ledger.evidence = lacking(...unknown);
  const answer = await desk.submit(solarFacts(), agent, undefined);
  if (isRefusal(answer)) throw new Error(answer.refused);
  claim = answer.id;
}

function lacking(...unknown: readonly string[]) {
  return (event: ClaimEvent) =>
    evidenceFor(event, (found, serial) =>
      unknown.includes(serial) ? { ...found, state: 'not_found', entries: [] } : found,
    );
}

const order = (who = regulator) => ({ claim, identity: who, reason: 'because' });
const history = async (who = regulator) => {
  const known = await visibleClaim(reads(), claim, who, 0);
  return historyView(known!, who) as { events: Record<string, unknown>[] };
};
const reads = () => ({ ...ledger.ports, published: (id: string) => desk.published(id) });
const statuses = async () => (await history()).events.map(({ kind, status }) => [kind, status]);

test('from created to registered: each step once its predecessor was taken', async () => {
  await submit();
  expect(await commands.register(order())).toMatchObject({
    refused: 'claim_not_in_state',
    facts: { status: 'approved', permitted: ['passed'] },
  });
  await commands.audit({ ...order(), result: 'passed' });
  expect(await commands.audit({ ...order(), result: 'failed' })).toMatchObject({
    refused: 'claim_not_in_state',
  });
  await commands.register(order());
  expect(await statuses()).toEqual([
    ['claim', 'approved'],
    ['audit', 'passed'],
    ['registration', 'registered'],
  ]);
  const [created, , registered] = (await history()).events;
  expect(created).toMatchObject({ by: 'claimant', certificate_status: 'Pending audit' });
  expect(registered).toMatchObject({
    by: 'regulator',
    certificate_status: 'Registered',
    account: 'cer',
    submitted_by: 'key:key-of-cer',
    reason: 'because',
  });
});

test('a claim is withdrawn by its account alone, also while it is on its way', async () => {
  ledger.asleep = true;
  await submit();
  expect(await commands.withdraw(order(rival))).toMatchObject({ refused: 'resource_not_found' });
  expect(await commands.audit({ ...order(), result: 'passed' })).toMatchObject({
    refused: 'claim_not_in_state',
    facts: { status: 'pending' },
  });
  expect(await commands.withdraw(order(agent))).toMatchObject({ event: expect.any(String) });
  ledger.asleep = false;
  expect(await statuses()).toEqual([
    ['claim', 'approved'],
    ['withdrawal', 'withdrawn'],
  ]);
  expect(await commands.withdraw(order(agent))).toMatchObject({ refused: 'claim_not_in_state' });
});

test('a held claim is assessed again by what the ledger has now, whoever asks', async () => {
  await submit('SW-0001');
  expect(await commands.reassess(order(rival))).toMatchObject({ refused: 'resource_not_found' });
  await commands.reassess(order(agent));
  ledger.evidence = lacking();
  await commands.reassess(order(regulator));
  const events = (await history()).events;
  expect(events.map(({ status, by }) => [status, by])).toEqual([
    ['held', 'claimant'],
    ['held', 'claimant'],
    ['approved', 'regulator'],
  ]);
  // The claim stays the claimant's, and says what it said.
  const [first, , last] = ledger.published;
  expect(last).toEqual({
    ...first,
    event: last!.event,
    submitted_by: 'key:key-of-cer',
    asked_by: 'cer',
    based_on: ledger.published[1]!.event,
    reason: 'because',
  });
  expect(await commands.reassess(order(agent))).toMatchObject({ refused: 'claim_not_in_state' });
});

test('corrected facts are the claimant’s to give, and of the same unit', async () => {
  await submit('SW-0001');
  const facts = solarFacts({ owner: 'Olga Owner' });
  expect(await commands.reassess({ ...order(), facts })).toMatchObject({ refused: 'not_permitted' });
  const elsewhere = solarFacts({ address: '13 Example Street' });
  expect(await commands.reassess({ ...order(agent), facts: elsewhere })).toMatchObject({
    refused: 'claim_of_other_unit',
  });
  await commands.reassess({ ...order(agent), facts });
  expect(ledger.published.at(-1)).toMatchObject({ owner: 'Olga Owner', claim });
});

test('a release answers what is open, and nothing that the regulator has not seen', async () => {
  await submit('SW-0001', 'SW-0002');
  const question = (subject: string) => ({ code: 'serial_not_found', subject });
  const release = { ruling: 'release', answered: [question('SW-0001')] } as const;
  expect(await commands.rule({ ...order(), ...release, answered: [question('SW-0003')] })).toMatchObject({
    refused: 'finding_not_open',
  });
  await commands.rule({ ...order(), ...release });
  const seen = ledger.published[0]!.event;
  expect(await commands.rule({ ...order(), ruling: 'release', assessment: seen })).toMatchObject({
    refused: 'claim_changed',
    facts: { assessment: ledger.published[1]!.event },
  });
  await commands.reassess(order(agent));
  expect((await history()).events.at(-1)).toMatchObject({ status: 'held', waived: [question('SW-0001')] });
  await commands.rule({ ...order(), ruling: 'release' });
  // One answer after another: those given before stand.
  expect((await history()).events.map(({ status }) => status)).toEqual(['held', 'held', 'held', 'approved']);
  expect((await history()).events.at(-1)).toMatchObject({
    waived: [question('SW-0001'), question('SW-0002')],
  });
});

test('with corrected facts the answers are open again', async () => {
  await submit('SW-0001', 'SW-0002');
  await commands.rule({
    ...order(),
    ruling: 'release',
    answered: [{ code: 'serial_not_found', subject: 'SW-0001' }],
  });
  await commands.reassess({ ...order(agent), facts: solarFacts({ owner: 'Olga Owner' }) });
  expect((await history()).events.at(-1)).toMatchObject({ status: 'held', waived: [] });
});

test('the regulator refuses what is held', async () => {
  await submit('SW-0001');
  await commands.rule({ ...order(), ruling: 'refuse' });
  expect(await statuses()).toEqual([
    ['claim', 'held'],
    ['refusal', 'refused'],
  ]);
});

test('an order with a key is one event, and its repetition has the answer of the first time', async () => {
  await submit();
  const audit = { ...order(), result: 'passed', idempotencyKey: 'k' } as const;
  const first = await commands.audit(audit);
  expect(await commands.audit(audit)).toEqual(first);
  const other = new ClaimCommands({ ...ledger.ports, published: () => undefined });
  expect(await other.audit(audit)).toEqual(first);
  expect(await commands.audit({ ...audit, result: 'failed' })).toMatchObject({
    refused: 'idempotency_key_reused',
  });
  expect(ledger.published).toHaveLength(2);
});

test('two orders at the same moment, based on one assessment: the second changes nothing, and says so', async () => {
  await submit('SW-0001');
  ledger.asleep = true;
  await commands.rule({ ...order(), ruling: 'refuse' });
  await commands.rule({ ...order(), ruling: 'release' });
  ledger.asleep = false;
  expect((await history()).events.map(({ status, applied }) => [status, applied])).toEqual([
    ['held', true],
    ['refused', true],
    ['refused', false],
  ]);
});

test('of another claim and of other accounts the claimant reads nothing, in no view', async () => {
  await submit();
  const first = claim;
  const known = await visibleClaim(reads(), first, agent, 0);
  const [row] = known!.rows;
  const found = {
    code: 'serial_already_claimed',
    effect: 'refuse',
    subject: 'SW-0001',
    detail: 'the serial is in another live claim',
    reference: 'ffff-other',
  } as const;
  const told = { ...known!, rows: [{ ...row!, findings: [found] }] };
  for (const view of [claimView(told, agent), historyView(told, agent)]) {
    expect(JSON.stringify(view)).toContain('serial_already_claimed');
    expect(JSON.stringify(view)).not.toMatch(/ffff-other|reference|key-of/);
  }
  for (const view of [claimView(told, regulator), historyView(told, regulator)])
    expect(JSON.stringify(view)).toContain('ffff-other');
  expect(await visibleClaim(reads(), first, rival, 0)).toBeUndefined();
  expect(createdOn).toBe('2026-04-20');
});
