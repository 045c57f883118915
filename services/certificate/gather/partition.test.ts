import { describe, expect, test, vi } from 'vitest';
import { OperationalError } from '#shared/base/errors.ts';
import { type ClaimEvent, type ClaimFacts, withdrawalEvent } from '#shared/domain/claims/index.ts';
import type { RulingFacts } from '#shared/domain/rulings/ruling.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import { claimOf, equipment, receivedAt, solarFacts } from '#test/support/claims.ts';
import { type Gathered, GatherPartition, type GatherPorts } from './partition.ts';
import type { Answer, LedgerEntry, Question, RulingsAnswer } from './questions.ts';

const noRulings: RulingsAnswer = { offset: -1, rulings: [] };

interface Asked {
  readonly question: Question;
  readonly answer: (entries?: readonly LedgerEntry[], rulings?: RulingsAnswer) => void;
  readonly fail: (error: unknown) => void;
}

function harness(more: Partial<GatherPorts> = {}) {
  const asked: Asked[] = [];
  const published: Gathered[][] = [];
  const dead: number[] = [];
  const committed: number[] = [];
  const ports: GatherPorts = {
    questions: {
      ask: (question, signal) =>
        new Promise<Answer>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          const answer = (entries: readonly LedgerEntry[] = [], rulings: RulingsAnswer = noRulings) =>
            resolve({
              stamps: new Map([[1, 5]]),
              watermarks: new Map([[1, 7]]),
              entries,
              listings: { snapshot: 'list-1', products: new Set(['panel']), models: [] },
              rulings,
            });
          asked.push({ question, answer, fail: reject });
        }),
    },
    serialPartitions: 6,
    waitMsMax: 60_000,
    deadLettersInRowMax: 3,
    decode: (message) => (message.value ? (JSON.parse(message.value.toString()) as ClaimEvent) : undefined),
    async publish(gathered) {
      published.push([...gathered]);
    },
    async deadLetter(message) {
      dead.push(message.offset);
    },
    counted: () => {},
    now: () => 1_234,
    ...more,
  };
  const control = { commit: (offset: number) => committed.push(offset), fail: () => {} };
  const worker = new GatherPartition(2, ports, control);
  const offsets = () => published.map((sent) => sent.map(({ message }) => message.offset));
  return { worker, asked, published, offsets, dead, committed };
}

function message(offset: number, claim: ClaimEvent | null): InMessage {
  return {
    offset,
    key: null,
    value: claim && Buffer.from(JSON.stringify(claim)),
    headers: {},
    timestamp: 0,
  };
}

function claimed(token: string, more: Partial<ClaimFacts> = {}): ClaimEvent {
  return claimOf(solarFacts({ equipment: [equipment('panel', [`P-${token}`])], ...more }), { token });
}

const flush = () => new Promise((resolve) => setImmediate(resolve));

test('nothing overtakes a claim that waits, and what waits holds up only what came after it (C1)', async () => {
  const { worker, asked, offsets, committed } = harness();
  const claims = ['a', 'b', 'c', 'd'].map((token) => claimed(token));
  const sender = { event: 'w', account: 'agent', submitted_by: 'key', received_at: receivedAt };
  const handled = worker.handle(
    [
      ...claims.map((claim, i) => message(10 + i, claim)),
      message(14, withdrawalEvent(sender, claims[3]!.claim, '')),
    ],
    { backlog: 0 },
  );
  expect(asked).toHaveLength(4);
  asked[3]!.answer();
  asked[2]!.answer();
  await flush();
  expect(offsets()).toEqual([]);
  asked[0]!.answer();
  await flush();
  expect(offsets()).toEqual([[10]]);
  expect(committed).toEqual([11]);
  asked[1]!.answer();
  await handled;
  expect(offsets()).toEqual([[10], [11, 12, 13, 14]]);
  expect(committed).toEqual([11, 15]);
});

test('evidence tells where the message came from, what was asked, and what was found', async () => {
  const { worker, asked, published } = harness();
  const claim = claimed('a', {
    equipment: [equipment('panel', ['P-1', 'P-2']), equipment('turbine', ['T-1'])],
  });
  const handled = worker.handle([message(3, claim)], { backlog: 0 });
  expect(asked[0]!.question.serials.map(({ serial_key }) => serial_key)).toEqual(['P-1', 'P-2']);
  asked[0]!.answer([
    {
      product: 'panel',
      serial_key: 'P-1',
      holder_key: 'H',
      holder: 'h',
      supplier: 's',
      account: 'a',
      series: '',
      model: 'm',
      entry: 2,
      outcome: 'invalidated',
      status: '',
      // The day began in Sydney while it was still the day before in Greenwich.
      registered_at: Date.parse('2026-01-04T13:00:00Z'),
      entered_at: 5,
      held_by: 'S',
      disputed_by: ['S2'],
    },
  ]);
  await handled;
  const { evidence } = published[0]![0]!;
  expect(evidence).toMatchObject({
    source_partition: 2,
    source_offset: 3,
    created_on: '2026-04-20',
    stamps: [{ partition: 1, stamp: 5, watermark: 7 }],
    snapshot: 'list-1',
  });
  expect(evidence.serial_evidence.map(({ serial_key, state }) => [serial_key, state])).toEqual([
    ['P-1', 'found'],
    ['P-2', 'not_found'],
    ['T-1', 'not_checked'],
  ]);
  expect(evidence.serial_evidence[0]?.entries[0]).toMatchObject({
    registered_on: '2026-01-05',
    outcome: 'invalidated',
    conflict: true,
  });
  expect(evidence.serial_evidence[0]?.entries[0]).not.toHaveProperty('disputed_by');
  expect(evidence).toMatchObject({ evidenced_at: 1_234, rulings_offset: -1, ineligible_serials: [] });
  expect(evidence.model_evidence.map(({ product, state }) => [product, state])).toEqual([
    ['panel', 'not_listed'],
  ]);
});

describe('what rulings and refused rows say', () => {
  const row: LedgerEntry = {
    product: 'panel',
    serial_key: 'P-1',
    holder_key: 'H',
    holder: 'h',
    supplier: 's',
    account: 'a',
    series: '',
    model: 'M',
    entry: 1,
    outcome: 'registered',
    status: '',
    registered_at: 1,
    entered_at: 1,
    held_by: 'S',
    disputed_by: ['S2'],
  };
  const refused = { ...row, entry: 0, outcome: 'supplier_not_authorised', disputed_by: [] };
  const ruling: RulingFacts = {
    kind: '',
    product: 'panel',
    holder_key: 'H',
    model_key: '',
    serial_key: '',
    reason: 'unsafe',
    from_day: '',
    held_by: '',
    disputed_by: [],
  };

  async function evidenceOf(entries: readonly LedgerEntry[], rulings: readonly RulingFacts[] = []) {
    const { worker, asked, published } = harness();
    const claim = claimed('a', { equipment: [equipment('panel', ['P-1'], { holder: 'h', model: 'm' })] });
    const handled = worker.handle([message(3, claim)], { backlog: 0 });
    asked[0]!.answer(entries, { offset: 8, rulings });
    await handled;
    return published[0]![0]!.evidence;
  }

  test('a conflict is open until the parties are ruled upon', async () => {
    const resolved = { ...ruling, kind: 'conflict_resolved', serial_key: 'P-1', held_by: 'S' };
    const conflictOf = async (disputed_by: readonly string[]) =>
      (await evidenceOf([row], [{ ...resolved, disputed_by }])).serial_evidence[0]!.entries[0]!.conflict;
    expect(await conflictOf(['S2'])).toBe(false);
    expect(await conflictOf(['S3'])).toBe(true);
  });

  test('a model or a serial declared ineligible is named with the reason', async () => {
    const evidence = await evidenceOf(
      [row],
      [
        { ...ruling, kind: 'model_ineligible', model_key: 'M' },
        { ...ruling, kind: 'serial_ineligible', holder_key: '', serial_key: 'P-1', reason: 'stolen' },
      ],
    );
    expect(evidence).toMatchObject({
      rulings_offset: 8,
      model_evidence: [{ ineligible: 'unsafe' }],
      ineligible_serials: [{ product: 'panel', serial_key: 'P-1', reason: 'stolen' }],
    });
  });

  test('a row that was refused for want of authority is no entry, and stays visible', async () => {
    const evidence = await evidenceOf([refused]);
    expect(evidence.serial_evidence).toMatchObject([
      { state: 'not_found', entries: [{ entry: 0, outcome: 'supplier_not_authorised', conflict: false }] },
    ]);
  });

  test('authority is told from registered rows of the model alone', async () => {
    const authority = async (entries: readonly LedgerEntry[]) =>
      (await evidenceOf(entries)).model_evidence[0]!.authority;
    expect(await authority([row])).toBe('authorised');
    expect(await authority([refused])).toBe('not_checked');
    expect(await authority([{ ...row, model: 'other' }])).toBe('not_checked');
    expect(await authority([{ ...row, holder_key: 'H2' }])).toBe('not_checked');
  });
});

test('bytes that cannot be decoded are kept, and the stream goes on', async () => {
  const { worker, asked, offsets, dead, committed } = harness();
  const handled = worker.handle([message(0, null), message(1, claimed('a'))], { backlog: 0 });
  asked[0]!.answer();
  await handled;
  expect(dead).toEqual([0]);
  expect(offsets().flat()).toEqual([1]);
  expect(committed.at(-1)).toBe(2);
});

test('a claim is never refused for lag: after a while the partition asks again', async () => {
  vi.useFakeTimers();
  try {
    const { worker, offsets, committed } = harness({ waitMsMax: 1_000 });
    const handled = worker.handle([message(0, claimed('a'))], { backlog: 0 });
    const failed = handled.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1_000);
    const error = await failed;
    expect(error).toBeInstanceOf(OperationalError);
    expect(error).toMatchObject({ code: 'ledger_behind', retryable: true });
    expect(offsets()).toEqual([]);
    expect(committed).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test('who drains does not wait for the ledger', async () => {
  const { worker, offsets } = harness();
  const handled = worker.handle([message(0, claimed('a'))], { backlog: 0 });
  const failed = handled.catch((error: unknown) => error);
  await worker.settled();
  expect(await failed).toMatchObject({ code: 'ledger_behind' });
  expect(offsets()).toEqual([]);
});

test('an engine that fails restarts the partition; what came before is published', async () => {
  const { worker, asked, offsets } = harness();
  const handled = worker.handle([message(0, claimed('a')), message(1, claimed('b'))], { backlog: 0 });
  const failed = handled.catch((error: unknown) => error);
  const down = new OperationalError('down', 'down', { retryable: true });
  asked[1]!.fail(down);
  asked[0]!.answer();
  expect(await failed).toBe(down);
  expect(offsets()).toEqual([[0]]);
});

test('dead letters in a row: of a run that is too long nothing is set aside, and the process stops', async () => {
  const { worker, asked, offsets, dead, committed } = harness();
  const handled = worker.handle(
    [message(0, null), message(1, claimed('a')), ...[2, 3, 4, 5].map((offset) => message(offset, null))],
    { backlog: 0 },
  );
  asked[0]!.answer();
  await expect(handled).rejects.toMatchObject({ code: 'too_many_dead_letters', retryable: false });
  expect(offsets()).toEqual([[1]]);
  expect(dead).toEqual([0]);
  expect(committed.at(-1)).toBe(2);
});
