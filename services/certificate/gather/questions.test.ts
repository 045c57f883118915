import { expect, test, vi } from 'vitest';
import { OperationalError } from '#shared/base/errors.ts';
import { type AskedSerial, type LedgerPorts, LedgerQuestions, type Question } from './questions.ts';

/** A ledger whose ticks and watermarks the test moves by hand. */
function ledger(partitions = 3) {
  const offsets = new Array<number>(partitions).fill(9);
  const watermarks = new Map<number, number>();
  const ticks: number[][] = [];
  const queries: AskedSerial[][] = [];
  const sleepers: (() => void)[] = [];
  const ports: LedgerPorts = {
    async tick(asked) {
      ticks.push([...asked]);
      return new Map(
        asked.map((partition) => {
          offsets[partition] = offsets[partition]! + 1;
          return [partition, offsets[partition]!];
        }),
      );
    },
    watermarks: async () => new Map(watermarks),
    async entries(serials) {
      queries.push([...serials]);
      return [];
    },
    listings: async () => ({ snapshot: '', products: new Set(), models: [] }),
    rulings: async () => ({ offset: -1, rulings: [] }),
    wait: (ms) => (ms === 0 ? Promise.resolve() : new Promise((resolve) => sleepers.push(resolve))),
  };
  /** Lets the poll go round once. */
  const poll = async () => {
    await vi.waitFor(() => expect(sleepers.length).toBeGreaterThan(0));
    for (const wake of sleepers.splice(0)) wake();
  };
  return { ports, watermarks, ticks, queries, poll };
}

function about(...partitions: number[]): Question {
  return {
    serials: partitions.map((partition) => ({ product: 'panel', serial_key: `S${partition}`, partition })),
    models: [],
  };
}

const { signal } = new AbortController();

function track<T>(promise: Promise<T>) {
  const state = { done: false };
  promise.then(
    () => {
      state.done = true;
    },
    () => {
      state.done = true;
    },
  );
  return state;
}

test('a question is answered when each of its partitions is at or past its stamp, not before (Q1)', async () => {
  const { ports, watermarks, poll } = ledger();
  const answer = new LedgerQuestions(ports).ask(about(0, 1), signal);
  const state = track(answer);
  watermarks.set(0, 10).set(1, 9).set(2, 99);
  await poll();
  await poll();
  expect(state.done).toBe(false);
  watermarks.set(1, 10);
  await poll();
  expect((await answer).stamps).toEqual(
    new Map([
      [0, 10],
      [1, 10],
    ]),
  );
  expect((await answer).watermarks.get(1)).toBe(10);
});

test('questions of one moment share a tick a partition, and one query', async () => {
  const { ports, watermarks, ticks, queries } = ledger();
  const questions = new LedgerQuestions(ports);
  watermarks.set(0, 99).set(1, 99).set(2, 99);
  await Promise.all([questions.ask(about(0, 1), signal), questions.ask(about(1, 2), signal)]);
  expect(ticks).toEqual([[0, 1, 2]]);
  expect(queries).toHaveLength(1);
  expect(queries[0]).toHaveLength(4);
});

test('a tick that is under way is no stamp for a later question', async () => {
  const { ports, watermarks, ticks } = ledger();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const tick = ports.tick.bind(ports);
  const questions = new LedgerQuestions({
    ...ports,
    async tick(asked) {
      const offsets = await tick(asked);
      if (ticks.length === 1) await held;
      return offsets;
    },
  });
  watermarks.set(0, 99);
  const first = questions.ask(about(0), signal);
  await vi.waitFor(() => expect(ticks).toHaveLength(1));
  const second = questions.ask(about(0), signal);
  release();
  expect([...(await first).stamps.values(), ...(await second).stamps.values()]).toEqual([10, 11]);
});

test('a question that waits holds up no other', async () => {
  const { ports, watermarks, poll } = ledger();
  const questions = new LedgerQuestions(ports);
  const stuck = track(questions.ask(about(0), signal));
  await poll();
  watermarks.set(1, 99);
  const answer = questions.ask(about(1), signal);
  await poll();
  await answer;
  expect(stuck.done).toBe(false);
});

test('an engine that fails rejects those who ask it, and the next question is asked afresh', async () => {
  const { ports, watermarks } = ledger();
  const down = new OperationalError('down', 'down', { retryable: true });
  let failures = 2;
  const failing = <T>(result: () => Promise<T>) => (failures-- > 0 ? Promise.reject(down) : result());
  const questions = new LedgerQuestions({
    ...ports,
    tick: (asked) => failing(() => ports.tick(asked)),
    watermarks: () => failing(() => ports.watermarks()),
  });
  watermarks.set(0, 99);
  await expect(questions.ask(about(0), signal)).rejects.toBe(down);
  failures = 1;
  const later = questions.ask(about(0), signal);
  await expect(later).rejects.toBe(down);
  await expect(questions.ask(about(0), signal)).resolves.toBeDefined();
});

test('who gives up is forgotten, and nothing polls for him', async () => {
  const { ports, poll } = ledger();
  const questions = new LedgerQuestions(ports);
  const watermarks = vi.spyOn(ports, 'watermarks');
  const giveUp = new AbortController();
  const answer = questions.ask(about(0), giveUp.signal);
  await poll();
  giveUp.abort(new Error('drained'));
  await expect(answer).rejects.toThrow('drained');
  await poll();
  const polls = watermarks.mock.calls.length;
  await new Promise((resolve) => setImmediate(resolve));
  expect(watermarks.mock.calls.length).toBe(polls);
});
