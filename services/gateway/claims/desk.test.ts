import { expect, test } from 'vitest';
import { isRefusal, type Refusal } from '#gateway/refusal.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { DecidedLedger, identity } from '#test/support/claim-desk.ts';
import { equipment, solarFacts } from '#test/support/claims.ts';
import { ClaimDesk } from './desk.ts';

const agent = identity('agent');
const facts = (n: number) =>
  solarFacts({ address: `${n} Street`, equipment: [equipment('panel', [`P-${n}`])], panel_count: 1 });
const filed = (...places: readonly number[]) => places.map((record) => ({ record, facts: facts(record) }));
const body = Buffer.from('the file');

function desks() {
  const ledger = new DecidedLedger();
  return { ledger, desk: new ClaimDesk(ledger.ports), other: new ClaimDesk(ledger.ports) };
}

function taken<T extends object>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(`refused: ${answer.refused}`);
  return answer;
}

test('a claim with a key is one claim, at whatever instance, also when it was assessed again meanwhile', async () => {
  const { ledger, desk, other } = desks();
  const first = taken(await desk.submit(facts(1), agent, 'k'));
  await ledger.ports.publish([{ ...ledger.published[0]!, event: 'again' }]);
  expect(await other.submit(facts(1), agent, 'k')).toEqual(first);
  expect(ledger.published[2]!.event).toBe(ledger.published[0]!.event);
  expect(await other.submit({ ...facts(1), owner: 'Other' }, agent, 'k')).toMatchObject({
    refused: 'idempotency_key_reused',
  });
  expect(taken(await other.submit(facts(1), agent, 'k2')).id).not.toBe(first.id);
  expect(taken(await other.submit(facts(1), agent, undefined)).id).not.toBe(first.id);
});

test('each claim of a file is its own; the same file again is the same claims', async () => {
  const { ledger, desk, other } = desks();
  const first = taken(await desk.submitFile(filed(1, 3), body, agent, undefined));
  expect([...first.claims.keys()]).toEqual([1, 3]);
  expect(new Set(first.claims.values()).size).toBe(2);
  expect(ledger.published.map(({ file, record }) => [file, record])).toEqual([
    [first.id, 1],
    [first.id, 3],
  ]);
  expect(taken(await other.submitFile(filed(1, 3), body, agent, undefined))).toEqual(first);
  const events = ledger.published.map(({ event }) => event);
  expect(events.slice(2)).toEqual(events.slice(0, 2));
});

test('with another key, or of another account, the same file is other claims', async () => {
  const { desk } = desks();
  const first = taken(await desk.submitFile(filed(1), body, agent, undefined));
  const keyed = taken(await desk.submitFile(filed(1), body, agent, 'k'));
  const rival = taken(await desk.submitFile(filed(1), body, identity('rival'), undefined));
  const ids = [first, keyed, rival].map(({ claims }) => claims.get(1));
  expect(new Set(ids).size).toBe(3);
});

test('one key with two files is refused where the first is known', async () => {
  const { desk, other } = desks();
  taken(await desk.submitFile(filed(1), body, agent, 'k'));
  const changed = Buffer.from('another file');
  for (const at of [desk, other])
    expect(await at.submitFile(filed(2), changed, agent, 'k')).toMatchObject({
      refused: 'idempotency_key_reused',
    });
  expect(isRefusal(await other.submitFile(filed(1), body, agent, 'k'))).toBe(false);
});

test('a file that could not be written leaves its key free', async () => {
  const ledger = new DecidedLedger();
  let down = true;
  const desk = new ClaimDesk({
    ...ledger.ports,
    async publish(events) {
      if (down) throw new OperationalError('down', 'down', { retryable: true });
      await ledger.ports.publish(events);
    },
  });
  await expect(desk.submitFile(filed(1), body, agent, 'k')).rejects.toThrow('down');
  down = false;
  taken(await desk.submitFile(filed(1), body, agent, 'k'));
  expect(ledger.published).toHaveLength(1);
});
