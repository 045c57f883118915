import { beforeEach, expect, test } from 'vitest';
import { AssertionError } from '#shared/base/errors.ts';
import { type ClaimEvent, withdrawalEvent } from '#shared/domain/claims/index.ts';
import { MemoryStateStore } from '#shared/runtime/memory-state-store.ts';
import { Restart } from '#shared/runtime/stage.ts';
import type { StateStore } from '#shared/runtime/state-store.ts';
import { claimOf, equipment, receivedAt, solarFacts } from '#test/support/claims.ts';
import { ClaimsLog, claimsScope, evidenced } from '#test/support/claims-log.ts';
import { eventWindowMs } from './decider.ts';
import { DecidePartition, type DecidePorts } from './partition.ts';

let store: MemoryStateStore;
let log: ClaimsLog;
let committed: number[];

beforeEach(async () => {
  store = new MemoryStateStore();
  await store.activate(claimsScope);
  log = new ClaimsLog();
  committed = [];
});

async function start(more: Partial<DecidePorts> = {}, over: StateStore = store) {
  const control = { commit: (offset: number) => committed.push(offset), fail: () => {} };
  const { worker, offset } = await DecidePartition.start(claimsScope, log.ports(over, more), control);
  return { worker, offset, run: (from = offset) => worker.handle(log.messages.slice(from), { backlog: 0 }) };
}

let places = 0;

/** A claim at a place of its own. */
function claim(token: string, serials: readonly string[], more: Partial<ClaimEvent> = {}): ClaimEvent {
  places += 1;
  const facts = solarFacts({
    address: `${places} Example Street`,
    panel_count: serials.length,
    equipment: [equipment('panel', serials), equipment('inverter', [`I-${token}`])],
  });
  return { ...claimOf(facts, { token }), ...more };
}

const decisions = () => log.published.map(({ decision }) => decision);

test('two claims for one serial: the first in the log wins, in one chunk and across chunks (must survive 10)', async () => {
  log.append(evidenced(claim('a', ['S-1', 'S-2']), 0, 0));
  log.append(evidenced(claim('b', ['S-2', 'S-3']), 1, 0));
  const { run } = await start();
  await run();
  log.append(evidenced(claim('c', ['S-1']), 2, 0));
  await run(2);
  expect(decisions()).toEqual(['approved', 'refused', 'refused']);
  expect(log.published[1]?.findings.map(({ code, subject }) => [code, subject])).toEqual([
    ['serial_already_claimed', 'S-2'],
  ]);
  // All or nothing: S-3 of the refused claim is free.
  log.append(evidenced(claim('d', ['S-3']), 2, 1));
  await run(3);
  expect(decisions().at(-1)).toBe('approved');
  expect(committed).toEqual([2, 3, 4]);
});

test('claim, withdrawal, late copy of the claim: the copy revives nothing (must survive 10)', async () => {
  const first = claim('a', ['S-1']);
  const sender = { event: 'w', account: 'agent', submitted_by: 'key', received_at: receivedAt };
  log.append(evidenced(first, 0, 4));
  log.append(evidenced(withdrawalEvent(sender, first.claim, ''), 0, 5));
  log.append(evidenced(first, 0, 4, { snapshot: 'another' }));
  // The gateway's copy: another offset, the same event.
  log.append(evidenced(first, 0, 6));
  log.append(evidenced(claim('b', ['S-1']), 1, 0));
  const { run } = await start();
  await run();
  expect(decisions()).toEqual(['approved', 'withdrawn', 'approved']);
  expect(log.published.map(({ evidenced_offset }) => evidenced_offset)).toEqual([0, 1, 4]);
});

test('event ids are remembered between receipts, whatever the clock says (D3)', async () => {
  const first = claim('a', ['S-1']);
  const late = { received_at: receivedAt + eventWindowMs };
  log.append(evidenced(first, 0, 0));
  log.append(evidenced(claim('b', ['S-2'], late), 1, 0));
  log.append(evidenced({ ...first, ...late }, 0, 1));
  log.append(evidenced(claim('c', ['S-3'], { received_at: late.received_at + 1 }), 1, 1));
  log.append(evidenced(first, 0, 2));
  const { run } = await start();
  await run();
  // Within the window a copy is passed over; after it, it is told that its claim is decided.
  expect(log.published.map(({ evidenced_offset, decision }) => [evidenced_offset, decision])).toEqual([
    [0, 'approved'],
    [1, 'approved'],
    [3, 'approved'],
    [4, 'not_applied'],
  ]);
});

test('what was decided and not published is published after a restart, the same (D6)', async () => {
  log.append(evidenced(claim('a', ['S-1']), 0, 0));
  log.append(evidenced(claim('b', ['S-2']), 0, 1));
  const first = await start({ publish: () => Promise.reject(new Error('gone')) });
  await expect(first.run()).rejects.toThrow('gone');
  expect(committed).toEqual([]);
  const second = await start();
  expect(second.offset).toBe(0);
  await second.run();
  await second.worker.settled();
  expect(log.published.map(({ evidenced_offset, first_number }) => [evidenced_offset, first_number])).toEqual(
    [
      [0, 1],
      [1, 1],
    ],
  );
  // Published and trimmed: a third one has nothing to repeat, and a replay publishes nothing.
  const third = await start();
  expect(third.offset).toBe(2);
  await third.run(0);
  expect(log.published).toHaveLength(2);
});

test('a worker that believes in another position changes nothing (D4)', async () => {
  log.append(evidenced(claim('a', ['S-1']), 0, 0));
  const zombie = await start();
  const other = await start();
  await other.run();
  log.append(evidenced(claim('b', ['S-2']), 0, 1));
  await expect(zombie.run(0)).rejects.toBeInstanceOf(Restart);
  expect(log.published).toHaveLength(1);
});

test('a hole in the log stops the process (C2)', async () => {
  log.append(evidenced(claim('a', ['S-1']), 0, 0));
  log.append(evidenced(claim('b', ['S-2']), 0, 1));
  log.append(evidenced(claim('c', ['S-3']), 0, 2));
  const { worker, run } = await start();
  await worker.handle(log.messages.slice(0, 1), { backlog: 0 });
  await expect(run(2)).rejects.toBeInstanceOf(AssertionError);
});

test('another generation of the state waits, it decides nothing (D7)', async () => {
  log.append(evidenced(claim('a', ['S-1']), 0, 0));
  const { run } = await start();
  await store.activate({ name: 'claims', generation: '2' });
  await expect(run()).rejects.toMatchObject({ code: 'no_index', retryable: true });
  await expect(start()).rejects.toMatchObject({ code: 'no_index' });
  expect(log.published).toEqual([]);
});

test('bytes that cannot be decoded become a dead letter before the position passes them', async () => {
  log.append(null);
  log.append(evidenced(claim('a', ['S-1']), 0, 0));
  const failing = await start({ deadLetter: () => Promise.reject(new Error('not kept')) });
  await expect(failing.run()).rejects.toThrow('not kept');
  const { run } = await start();
  await run();
  expect(log.dead).toEqual([0]);
  expect(decisions()).toEqual(['approved']);
  expect((await store.start(claimsScope)) === 'no_index').toBe(false);
});

test('a log of nothing but undecodable bytes moves the position too', async () => {
  log.append(null);
  const { run } = await start();
  await run();
  expect(await store.start(claimsScope)).toMatchObject({ position: 0, seekOffset: 1, journal: [] });
});

test('more events than one script call takes', async () => {
  for (let i = 0; i < 150; i++) log.append(evidenced(claim(`n${i}`, [`N-${i}`]), i % 6, i));
  const { worker, run } = await start();
  await run();
  await worker.settled();
  expect(decisions()).toEqual(new Array(150).fill('approved'));
  expect(new Set(log.published.map(({ accreditation_code }) => accreditation_code)).size).toBe(150);
  expect(await store.start(claimsScope)).toMatchObject({ position: 149, journal: [] });
});

test('dead letters: read again after a rebuild they still are (R2); of a run that is too long nothing is set aside', async () => {
  log.append(evidenced(claim('a', ['S-1']), 0, 0));
  log.append(evidenced(claim('b', ['S-2']), 0, 1));
  const { run } = await start({ deadBefore: new Set([0]) });
  await run();
  expect(log.dead).toEqual([]);
  expect(log.published.map(({ evidenced_offset }) => evidenced_offset)).toEqual([1]);
  for (let i = 0; i < 4; i++) log.append(null);
  await expect(run(2)).rejects.toMatchObject({ code: 'too_many_dead_letters', retryable: false });
  expect(log.dead).toEqual([]);
});
