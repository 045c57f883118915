import { expect, test } from 'vitest';
import {
  after,
  claimOf,
  createdOn,
  evidenceFor,
  receivedAt,
  solarFacts,
  windFacts,
} from '#test/support/claims.ts';
import type { ClaimEvent, Evidence } from './claim.ts';
import { decideAgain, decideEvent } from './decide.ts';
import { auditEvent, refusalEvent, registrationEvent, withdrawalEvent } from './events.ts';
import { emptyState, type Surroundings } from './state.ts';

function run(events: readonly (ClaimEvent & Partial<Evidence>)[], start: Surroundings = emptyState) {
  let state = start;
  const decided = events.map((event, offset) => {
    const result = decideEvent({ ...evidenceFor(event), ...event }, offset, state);
    state = after(state, result.changes);
    return result.decided;
  });
  return { decided, state };
}

const claim = claimOf(solarFacts());
const sender = { event: 'e2', account: 'agent', submitted_by: 'key', received_at: receivedAt };
const regulator = { ...sender, event: 'e3', account: 'regulator' };

test('a claim is approved: serials reserved, certificates numbered, unit coded', () => {
  const { decided, state } = run([claim]);
  expect(decided[0]).toMatchObject({
    decision: 'approved',
    status: 'approved',
    entitlement: 'eligible',
    certificates: 45,
    unrounded: '45.606',
    annual_mwh: '9.1212',
    accreditation_code: 'SGUS00000001',
    certificate_year: 2026,
    first_number: 1,
    last_number: 45,
    certificate_status: 'Pending audit',
    evidenced_offset: 0,
  });
  expect(decided[0]?.working.length).toBeGreaterThan(3);
  expect(state.slots.size).toBe(3);
  expect(state.lastNumber).toBe(45);
});

test('withdrawal frees the serials, and the numbers are not given again', () => {
  const again = claimOf(solarFacts(), { token: 'again' });
  const { decided, state } = run([claim, withdrawalEvent(sender, claim.claim, 'mistake')]);
  expect(decided[1]).toMatchObject({
    decision: 'withdrawn',
    certificates: 0,
    first_number: 1,
    last_number: 45,
    certificate_status: 'Withdrawn',
  });
  expect(state.slots.size).toBe(0);
  const next = run([again], { ...state, claim: undefined });
  expect(next.decided[0]).toMatchObject({
    decision: 'approved',
    first_number: 46,
    accreditation_code: 'SGUS00000001',
  });
});

test('a failed audit frees the serials, a passed one keeps them', () => {
  const failed = run([claim, auditEvent(regulator, claim.claim, 'failed', 'not there')]);
  expect(failed.decided[1]).toMatchObject({
    decision: 'audit_failed',
    certificate_status: 'Invalid due to audit',
  });
  expect(failed.state.slots.size).toBe(0);
  const passed = run([claim, auditEvent(regulator, claim.claim, 'passed', '')]);
  expect(passed.decided[1]).toMatchObject({
    decision: 'audit_passed',
    certificate_status: 'Pending creation fee payment',
  });
  expect(passed.state.slots.size).toBe(3);
});

test('a held claim may be made again with the same id, others may not', () => {
  expect(run([held, held]).decided[1]).toMatchObject({ decision: 'not_applied', status: 'held' });
  expect(run([held, claim]).decided.map(({ decision }) => decision)).toEqual(['held', 'approved']);
  expect(run([claim, claim]).decided[1]).toMatchObject({ decision: 'not_applied', status: 'approved' });
  expect(run([claim, claim]).decided[1]?.findings[0]?.code).toBe('claim_closed');
});

const held = { ...claim, event: 'e1', serial_evidence: [] };
const questions = solarFacts().equipment.flatMap(({ serials }) =>
  serials.map((subject) => ({ code: 'serial_not_found', subject })),
);
const lost = (event: ClaimEvent) => ({
  ...event,
  serial_evidence: evidenceFor(event).serial_evidence.map((found) => ({
    ...found,
    state: 'not_found' as const,
    entries: [],
  })),
});

test('once passed and paid, the certificates are registered and the serials stay reserved', () => {
  const { decided, state } = run([
    claim,
    auditEvent(regulator, claim.claim, 'passed', ''),
    registrationEvent({ ...regulator, event: 'e4' }, claim.claim, 'receipt 1'),
  ]);
  expect(decided[2]).toMatchObject({
    decision: 'registered',
    status: 'registered',
    certificates: 0,
    first_number: 1,
    last_number: 45,
    accreditation_code: 'SGUS00000001',
    certificate_status: 'Registered',
  });
  expect(state.slots.size).toBe(3);
});

test("the regulator's answer to every open question releases a held claim; one left open holds it", () => {
  const asked = { ...lost(claim), event: 'e1' };
  const released = { ...asked, event: 'e2', based_on: 'e1', asked_by: 'regulator', waived: questions };
  const { decided, state } = run([asked, released]);
  expect(decided.map(({ decision }) => decision)).toEqual(['held', 'approved']);
  expect(decided[1]?.findings.map(({ effect }) => effect)).toEqual(['waived', 'waived', 'waived']);
  expect(state.slots.size).toBe(3);
  expect(run([asked, { ...released, waived: questions.slice(1) }]).decided[1]?.decision).toBe('held');
  // What refuses cannot be waived.
  const refusing = { ...asked, owner: '', waived: [{ code: 'field_missing', subject: 'owner' }] };
  expect(run([refusing]).decided[0]?.decision).toBe('refused');
});

test('the regulator refuses what is held; nothing can follow', () => {
  const refusal = refusalEvent(regulator, claim.claim, 'no such panels', 'e1');
  const { decided, state } = run([held, refusal, claim]);
  expect(decided.map(({ decision, status }) => [decision, status])).toEqual([
    ['held', 'held'],
    ['refused', 'refused'],
    ['not_applied', 'refused'],
  ]);
  expect(state.slots.size).toBe(0);
});

test('a claim is decided again from what its decision carries, also when others hold its serials', () => {
  const first = claimOf(solarFacts({ address: '1 Other Street' }), { token: 'first' });
  const start = run([first]).state;
  const { decided } = run([claim], { ...start, claim: undefined, unit: undefined, premises: undefined });
  expect(decided[0]?.decision).toBe('refused');
  const carried = { ...claim, ...evidenceFor(claim), ...decided[0]! };
  expect(decideAgain(carried)).toEqual(decided[0]);
  expect(decideAgain({ ...carried, state_before: '' })).toBeUndefined();
  expect(decideAgain({ ...carried, kind: 'audit' })).toBeUndefined();
});

test.each([
  ['claim_changed', [held, { ...held, event: 'e2' }, { ...claim, based_on: 'e1' }]],
  ['claim_changed', [held, { ...held, event: 'e2' }, refusalEvent(regulator, claim.claim, '', 'e1')]],
  ['claim_closed', [claim, refusalEvent(regulator, claim.claim, '', '')]],
  ['claim_unknown', [refusalEvent(regulator, claim.claim, '', '')]],
  ['claim_closed', [claim, registrationEvent(regulator, claim.claim, '')]],
  ['claim_unknown', [registrationEvent(regulator, claim.claim, '')]],
  ['claim_unknown', [withdrawalEvent(sender, claim.claim, '')]],
  ['claim_unknown', [auditEvent(regulator, claim.claim, 'failed', '')]],
  ['not_claimant', [claim, withdrawalEvent({ ...sender, account: 'rival' }, claim.claim, '')]],
  ['not_claimant', [claim, { ...claim, account: 'rival', event: 'e9' }]],
  [
    'claim_closed',
    [claim, withdrawalEvent(sender, claim.claim, ''), withdrawalEvent(sender, claim.claim, '')],
  ],
  [
    'claim_closed',
    [claim, auditEvent(regulator, claim.claim, 'passed', ''), withdrawalEvent(sender, claim.claim, '')],
  ],
  ['claim_closed', [{ ...claim, owner: '' }, auditEvent(regulator, claim.claim, 'passed', '')]],
  ['field_invalid', [claim, { ...auditEvent(regulator, claim.claim, 'passed', ''), audit: 'perhaps' }]],
  ['field_invalid', [{ ...claim, unit: 'f'.repeat(20) }]],
] as const)('%s: an event that does not apply changes nothing', (code, events) => {
  const { decided, state } = run(events);
  expect(decided.at(-1)).toMatchObject({ decision: 'not_applied', certificates: 0 });
  expect(decided.at(-1)?.findings.map((finding) => finding.code)).toEqual([code]);
  expect(state).toEqual(run(events.slice(0, -1)).state);
});

test('periods of a unit follow one another (DEEM-8)', () => {
  const first = claimOf(windFacts({ deeming: '1' }), { token: '1' });
  const facts = { deeming: '1', years_already_deemed: '1', still_installed: 'yes' };
  const second = claimOf(windFacts(facts), { token: '2' });
  const { decided, state } = run([first]);
  const next = run([second], { ...state, claim: undefined });
  expect([...decided, ...next.decided].map(({ decision }) => decision)).toEqual(['approved', 'approved']);
  expect(next.state.unit?.live.map(({ years }) => years)).toEqual([1, 1]);
  const third = run([claimOf(windFacts(facts), { token: '3' })], { ...next.state, claim: undefined });
  expect(third.decided[0]?.findings.map(({ code }) => code)).toEqual(['period_already_claimed']);
  // The serial stays reserved until the last claim that holds it lets go.
  const withdrawn = run([withdrawalEvent(sender, first.claim, '')], { ...next.state, claim: state.claim });
  expect([...withdrawn.state.slots.values()].flatMap((slot) => slot.flatMap(({ claims }) => claims))).toEqual(
    [second.claim],
  );
});

test('the maximum leaves nothing for a later period (DEEM-7)', () => {
  const { state } = run([claim]);
  expect(state.unit?.live).toEqual([{ claim: claim.claim, years: 'max' }]);
});

test('Solar Credits are given once for the premises (SC-10), and given back with the claim', () => {
  const credits = {
    ...solarFacts().credits,
    requested: 'yes',
    premises: 'house',
    unit_programmes: 'none',
    premises_programmes: 'none',
    new_unit: 'yes',
    metered: 'yes',
    multiplied_before: 'no',
  };
  const facts = solarFacts({
    installed_on: '2010-03-02',
    equipment: solarFacts().equipment.slice(0, 1),
    credits,
  });
  const multiplied = claimOf(facts);
  const evidence = {
    created_on: '2010-05-01',
    model_evidence: evidenceFor(multiplied).model_evidence.map((model) => ({
      ...model,
      windows: [{ approved: '2009-01-01', expires: '2012-01-01', snapshot: '' }],
    })),
  };
  // 1.5 kW: 155.475; 5.1 kW: 105.723; sum 261.198.
  const { decided, state } = run([{ ...multiplied, ...evidence }]);
  expect(decided[0]).toMatchObject({ decision: 'approved', certificates: 261 });
  expect(state.premises?.multiplied).toBe(multiplied.claim);
  const gone = run([withdrawalEvent(sender, multiplied.claim, '')], state);
  expect(gone.state.premises?.multiplied).toBe('');
});

test('the year of the numbers is the Sydney year of creation', () => {
  const { decided } = run([{ ...claim, created_on: '2027-01-01' }]);
  expect(decided[0]).toMatchObject({ certificate_year: 2027, first_number: 1 });
  expect(createdOn.slice(0, 4)).toBe('2026');
});
