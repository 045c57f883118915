import { beforeEach, describe, expect, test } from 'vitest';
import { AssertionError, OperationalError } from '#shared/base/errors.ts';
import { Restart } from '#shared/runtime/stage.ts';
import { journalEntriesMax, type StateStore } from '#shared/runtime/state-store.ts';
import { Bench, batchOf, listed, monday, row, scope } from '#test/support/dedup.ts';

let bench: Bench;

beforeEach(async () => {
  bench = new Bench();
  await bench.store.activate(scope);
});

/** A batch of one new serial at each offset; origin = offset + 100, so that nobody can mistake one for the other. */
const message = (offset: number, serial = `S${offset}`, link?: number) =>
  listed(offset, batchOf([row(serial)]), {
    origin: offset + 100,
    submission: offset,
    ...(link === undefined ? {} : { link }),
  });

const gone = () => Promise.reject(new OperationalError('kafka_unavailable', 'gone', { retryable: true }));
const said = () => bench.published.map((one) => [one.origin, one.said]);
const started = async () => {
  const state = await bench.store.start(scope);
  if (state === 'no_index') throw new Error(state);
  return state;
};

describe('one chunk', () => {
  test('decides, journals, publishes in order, commits, trims', async () => {
    const { handle, worker, offset } = await bench.start();
    expect(offset).toBe(0);
    await handle(message(0, 'S'), message(1, 'S'));
    await worker.settled();
    expect(said()).toEqual([
      [100, ['registered']],
      [101, ['duplicate']],
    ]);
    expect(bench.committed).toEqual([2]);
    expect(Object.fromEntries(bench.counts)).toEqual({ registered: 1, duplicate: 1 });
    expect(await started()).toEqual({ position: 101, seekOffset: 2, journal: [] });
  });

  test('the position is committed after the acknowledgement only (K1)', async () => {
    const { handle } = await bench.start({ publish: gone });
    await expect(handle(message(0))).rejects.toThrow('gone');
    expect(bench.committed).toEqual([]);
    expect(await started()).toMatchObject({ position: 100, journal: [{ origin: 100, offset: 0 }] });
  });

  test('ticks and stand-ins move position and seek offset, and travel on', async () => {
    const { handle, worker } = await bench.start();
    await handle(listed(0, batchOf([], { action: 'tick' }), { origin: 100 }), message(1));
    await worker.settled();
    expect(said()).toEqual([
      [100, []],
      [101, ['registered']],
    ]);
    expect(await started()).toMatchObject({ position: 101, seekOffset: 2 });
  });

  test('a message without origin is our bug', async () => {
    const { handle } = await bench.start();
    await expect(handle({ ...message(0), headers: {} })).rejects.toBeInstanceOf(AssertionError);
  });
});

describe('D2: what was applied is not decided again', () => {
  test('a replay publishes what is journalled, the same, from the offset it was decided from (D6)', async () => {
    const first = await bench.start({ publish: gone });
    await expect(first.handle(message(4, 'S'), message(5, 'S'))).rejects.toThrow('gone');
    const second = await bench.start();
    expect(second.offset).toBe(4);
    await second.handle(message(4, 'S'), message(5, 'S'), message(6, 'S'));
    await second.worker.settled();
    expect(said()).toEqual([
      [104, ['registered']],
      [105, ['duplicate']],
      [106, ['duplicate']],
    ]);
    expect(await started()).toMatchObject({ position: 106, seekOffset: 7, journal: [] });
  });

  test('a replay of what is no longer journalled publishes nothing, and is committed', async () => {
    const first = await bench.start();
    await first.handle(message(0), message(1));
    await first.worker.settled();
    const second = await bench.start();
    expect(second.offset).toBe(2);
    await second.handle(message(0), message(1));
    expect(bench.published).toHaveLength(2);
    expect(bench.committed).toEqual([2, 2]);
  });

  test('a copy of the message at another offset does not get the journalled decisions (D6, must survive 1)', async () => {
    const first = await bench.start({ publish: gone });
    await expect(first.handle(message(4))).rejects.toThrow('gone');
    const second = await bench.start();
    // cec-validation died and published the message again, perhaps by another list.
    await second.handle({ ...message(4), offset: 5 });
    expect(bench.published).toEqual([]);
    await second.handle(message(4));
    expect(said()).toEqual([[104, ['registered']]]);
  });

  test('a release that decides otherwise publishes what the one before it had decided (D9, must survive 9)', async () => {
    const first = await bench.start({ publish: gone });
    await expect(first.handle(message(4, 'S'), message(5, 'S'))).rejects.toThrow('gone');
    // Whatever the next release makes of these messages: their state is in the index already.
    const next = { encodeDecisions: () => Buffer.from(JSON.stringify([{ outcome: 'conflict' }])) };
    const second = await bench.start(next);
    await second.handle(message(4, 'S'), message(5, 'S'), message(6, 'S'));
    expect(said()).toEqual([
      [104, ['registered']],
      [105, ['duplicate']],
      [106, ['conflict']],
    ]);
  });

  test('a journal that is not published is kept: it is trimmed after the acknowledgement', async () => {
    await expect((await bench.start({ publish: gone })).handle(message(0))).rejects.toThrow('gone');
    await expect((await bench.start({ publish: gone })).handle(message(0))).rejects.toThrow('gone');
    expect((await started()).journal).toHaveLength(1);
  });
});

describe('D3: copies', () => {
  const copy = (offset: number, of: number) => ({
    ...message(offset, `S${of}`),
    headers: { ...message(of).headers, origin: String(offset + 100) },
  });

  test('are published without records, so that link and watermark pass over them', async () => {
    const { handle, worker } = await bench.start();
    await handle(message(0), copy(1, 0));
    await handle(copy(2, 0));
    await worker.settled();
    expect(said()).toEqual([
      [100, ['registered']],
      [101, 'copy'],
      [102, 'copy'],
    ]);
    expect(await started()).toMatchObject({ position: 102, seekOffset: 3 });
  });

  test('are journalled as copies', async () => {
    const first = await bench.start({ publish: gone });
    await expect(first.handle(message(0), copy(1, 0))).rejects.toThrow('gone');
    const second = await bench.start();
    await second.handle(message(0), copy(1, 0));
    expect(said()).toEqual([
      [100, ['registered']],
      [101, 'copy'],
    ]);
  });

  test('with another number of rows: the process stops, and nothing is written', async () => {
    const { handle } = await bench.start();
    await handle(message(0));
    const wrong = listed(1, batchOf([row('A'), row('B')]), { origin: 101, submission: 0 });
    await expect(handle(wrong)).rejects.toBeInstanceOf(AssertionError);
    expect(await started()).toMatchObject({ position: 100 });
  });
});

describe('D4 and D5: positions', () => {
  test('a state that moved: the worker starts again, and nothing of it is published', async () => {
    const zombie = await bench.start();
    await (await bench.start()).handle(message(0));
    await expect(zombie.handle(message(0), message(1))).rejects.toBeInstanceOf(Restart);
    expect(said()).toEqual([[100, ['registered']]]);
  });

  test('a state that was rolled back under the worker: moved, although every origin is new (must survive 2)', async () => {
    const { handle, worker } = await bench.start();
    await handle(message(0));
    await worker.settled();
    const lose = bench.store.snapshot();
    await handle(message(1));
    lose();
    await expect(handle(message(2))).rejects.toBeInstanceOf(Restart);
    const again = await bench.start();
    expect(again.offset).toBe(1);
    await again.handle(message(1), message(2));
    expect(said().slice(-2)).toEqual([
      [101, ['registered']],
      [102, ['registered']],
    ]);
  });

  test('moved between reading and applying: nothing is published', async () => {
    const other = await bench.start();
    const store: StateStore = Object.create(bench.store, {
      read: {
        value: async (...asked: Parameters<StateStore['read']>) => {
          const values = await bench.store.read(...asked);
          await other.handle(message(0));
          return values;
        },
      },
      apply: { value: bench.store.apply.bind(bench.store) },
      start: { value: bench.store.start.bind(bench.store) },
    });
    await expect((await bench.start({}, store)).handle(message(0, 'S0'))).rejects.toBeInstanceOf(Restart);
    expect(said()).toEqual([[100, ['registered']]]);
  });

  test.each([
    ['no link: the first after a start', undefined, true],
    ['the message before it', 100, true],
    ['an older one: what lay between was applied', 99, true],
    ['a message that was never here', 101, false],
  ])('link to %s', async (_what, link, whole) => {
    const { handle } = await bench.start();
    await handle(message(0));
    const next = handle(message(5, 'S5', link));
    if (whole) await next;
    else await expect(next).rejects.toThrow('hole before origin 105: it follows 101');
    expect((await started()).position).toBe(whole ? 105 : 100);
  });

  test('a hole inside a chunk: nothing of the chunk is decided', async () => {
    const { handle } = await bench.start();
    await expect(handle(message(0), message(5, 'S5', 103))).rejects.toBeInstanceOf(AssertionError);
    expect((await started()).position).toBe(-1);
    expect(bench.published).toEqual([]);
  });
});

describe('D7: another generation, or none', () => {
  test('waits: retryable, at the start and later, and nothing is written (must survive 8)', async () => {
    const { handle } = await bench.start();
    await bench.store.activate({ ...scope, generation: '2' });
    await expect(handle(message(0))).rejects.toMatchObject({ code: 'no_index', retryable: true });
    await expect(bench.start()).rejects.toMatchObject({ code: 'no_index', retryable: true });
    expect(bench.published).toEqual([]);
    expect(await bench.store.start({ ...scope, generation: '2' })).toMatchObject({ position: -1 });
  });

  test('lost between acknowledgement and trim: told with the next message', async () => {
    const { handle, worker } = await bench.start({
      publish: async () => {
        await bench.store.activate({ ...scope, generation: '2' });
      },
    });
    await handle(message(0));
    await worker.settled();
    await expect(handle(message(1))).rejects.toMatchObject({ code: 'no_index' });
  });
});

describe('the journal', () => {
  test('full: nothing is written, and it is worth another try (D6)', async () => {
    const { handle } = await bench.start();
    const filler = Array.from({ length: journalEntriesMax }, (_, i) => ({
      origin: i,
      offset: i,
      payload: Buffer.from([2]),
    }));
    await bench.store.apply(scope, -1, { position: -1, seekOffset: 0, writes: [], journal: filler });
    await expect(handle(message(0))).rejects.toMatchObject({ code: 'journal_full', retryable: true });
    expect(await started()).toMatchObject({ position: -1, seekOffset: 0, journal: filler });
    expect(bench.published).toEqual([]);
  });

  test('never grows past what fits while all goes well: 200 messages in one delivery', async () => {
    const { handle, worker } = await bench.start();
    await handle(...Array.from({ length: 200 }, (_, i) => message(i)));
    await worker.settled();
    expect(bench.published.map(({ origin }) => origin)).toEqual(
      Array.from({ length: 200 }, (_, i) => i + 100),
    );
    expect(await started()).toMatchObject({ position: 299, seekOffset: 200, journal: [] });
  });
});

describe('dead letters', () => {
  test('are kept before the position passes them, and leave a stand-in', async () => {
    const damaged = listed(0, null, { origin: 100, submission: 0 }, 3);
    const failing = await bench.start({ deadLetter: gone });
    await expect(failing.handle(damaged, message(1))).rejects.toThrow('gone');
    expect((await started()).position).toBe(-1);
    const { handle, worker } = await bench.start();
    await handle(damaged, message(1));
    await worker.settled();
    expect(bench.dead).toEqual([0]);
    expect(said()).toEqual([
      [100, 'dead'],
      [101, ['registered']],
    ]);
    expect(await started()).toMatchObject({ position: 101 });
  });

  test('a replay of one publishes the stand-in again, and keeps no second letter', async () => {
    const damaged = listed(0, null, { origin: 100, submission: 0 }, 3);
    const first = await bench.start({ publish: gone });
    await expect(first.handle(damaged)).rejects.toThrow('gone');
    await (await bench.start()).handle(damaged);
    expect(said()).toEqual([[100, 'dead']]);
    expect(bench.dead).toEqual([0]);
  });

  test('the batch that was dead is no copy when it comes again whole (X1)', async () => {
    const { handle } = await bench.start();
    const whole = batchOf([row('S')], { received_at: monday });
    await handle(
      listed(0, null, { origin: 100, submission: 7 }, 1),
      listed(1, whole, { origin: 101, submission: 7 }),
    );
    expect(said()).toEqual([
      [100, 'dead'],
      [101, ['registered']],
    ]);
  });

  test('read again after a rebuild or a rollback they still are, whatever can be decoded by now (R1)', async () => {
    const { handle } = await bench.start({ deadBefore: new Set([100]) });
    await handle(message(0), message(1));
    expect(said()).toEqual([
      [100, 'dead'],
      [101, ['registered']],
    ]);
    expect(bench.dead).toEqual([]);
  });

  test('of a run that is too long nothing is set aside, across restarts; what came before goes on', async () => {
    const damaged = (offset: number) => listed(offset, null, { origin: 100 + offset, submission: offset }, 1);
    const log = [message(0), ...[1, 2, 3, 4].map(damaged), message(5)];
    await expect((await bench.start()).handle(...log)).rejects.toMatchObject({
      code: 'too_many_dead_letters',
      retryable: false,
    });
    expect(said()).toEqual([[100, ['registered']]]);
    const again = await bench.start();
    await expect(again.handle(...log.slice(again.offset))).rejects.toMatchObject({
      code: 'too_many_dead_letters',
    });
    expect(bench.dead).toEqual([]);
    expect((await started()).position).toBe(100);
  });

  test('one by one they are counted beside the position; a good message ends the run', async () => {
    const damaged = (offset: number) => listed(offset, null, { origin: 100 + offset, submission: offset }, 1);
    for (const offset of [0, 1, 2]) await (await bench.start()).handle(damaged(offset));
    await expect((await bench.start()).handle(damaged(3))).rejects.toMatchObject({
      code: 'too_many_dead_letters',
    });
    expect(bench.dead).toEqual([0, 1, 2]);
    await (await bench.start()).handle(message(3), damaged(4));
    expect(bench.dead).toEqual([0, 1, 2, 4]);
    expect(bench.inRow).toBe(1);
  });
});
