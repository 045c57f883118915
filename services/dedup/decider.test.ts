import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Decision } from '#shared/domain/serials.ts';
import { MemoryStateStore } from '#shared/runtime/memory-state-store.ts';
import { batchOf, day, incoming, layout, listed, monday, row, scope } from '#test/support/dedup.ts';
import { type BatchView, Decider, idempotencyWindowMs, type Verdict } from './decider.ts';
import type { Incoming } from './partition.ts';
import { unpackName } from './slots.ts';

const decider = new Decider(layout);
let store: MemoryStateStore;
let position: number;

beforeEach(async () => {
  store = new MemoryStateStore();
  await store.activate(scope);
  position = -1;
});

/** Plan, read, decide, apply: what a partition does with one chunk. */
async function decide(...messages: Incoming[]): Promise<readonly Verdict[]> {
  const plan = decider.plan(messages);
  const values = await store.read(scope, position, plan.reads);
  if (typeof values === 'string') throw new Error(values);
  const { results, writes } = decider.decide(plan, values);
  const next = messages.at(-1)!.headers.origin;
  await store.apply(scope, position, { position: next, seekOffset: next + 1, writes, journal: [] });
  position = next;
  return results;
}

let origins = 0;
const message = (batch: BatchView | null, submission = ++origins, number = 0) =>
  incoming(listed(origins, batch, { origin: ++origins, submission, batch: number }));

const outcomes = (verdict: Verdict) =>
  verdict.kind === 'decided' ? verdict.decisions.map(({ outcome }) => outcome) : verdict.kind;

describe('what sees what', () => {
  test('rows of one batch see each other, in their order', async () => {
    const batch = batchOf([
      row('S1'),
      row('S1'),
      row('S1', { supplier_key: 'OTHER' }),
      row('S1', { holder_key: 'SECOND' }),
      row('S2', { listing: 'not_listed' }),
      row('S2'),
    ]);
    const [verdict] = await decide(message(batch));
    expect(verdict).toMatchObject({
      decisions: [
        { outcome: 'registered', entry: 1, note: '' },
        { outcome: 'duplicate', entry: 0 },
        { outcome: 'conflict', entry: 0 },
        { outcome: 'registered', entry: 1, note: 'serial_shared_between_holders' },
        { outcome: 'not_listed', entry: 0 },
        { outcome: 'registered', entry: 1, note: '' },
      ],
    });
  });

  test('messages of one chunk see each other, and later chunks what was written', async () => {
    const verdicts = await decide(
      message(batchOf([row('S1')])),
      message(batchOf([row('S1')], { action: 'invalidate' })),
      message(batchOf([row('S1', { supplier_key: 'OTHER' })])),
    );
    expect(verdicts.map(outcomes)).toEqual([['registered'], ['invalidated'], ['registered']]);
    const later = await decide(message(batchOf([row('S1'), row('S1', { supplier_key: 'OTHER' })])));
    expect(later.map(outcomes)).toEqual([['conflict', 'duplicate']]);
  });

  test('statuses: compared as they are, numbered by those that were set', async () => {
    const update = (...statuses: string[]) =>
      message(
        batchOf(
          statuses.map((status) => row('S1', { status })),
          { action: 'update_status' },
        ),
      );
    await decide(message(batchOf([row('S1'), row('S2')])));
    const [verdict] = await decide(update('in_stock', 'in_stock', 'sold', 'in_stock', 'in_stock'));
    expect(verdict).toMatchObject({
      decisions: [
        { outcome: 'status_updated', entry: 2 },
        { outcome: 'unchanged', entry: 0 },
        { outcome: 'status_updated', entry: 3 },
        { outcome: 'status_updated', entry: 4 },
        { outcome: 'unchanged', entry: 0 },
      ],
    });
    // One that is refused takes no number: numbers are what a rebuild finds in the ledger.
    const lost = row('S3', { status: 'lost' });
    const returned = row('S2', { status: 'returned' });
    await decide(message(batchOf([lost, returned], { action: 'update_status' })));
    const [numbers] = (await store.read(scope, position, [
      {
        kind: 'hash',
        key: 'statuses',
        fields: ['', 'in_stock', 'sold', 'lost', 'returned'],
      },
    ])) as (string | null)[][];
    expect(numbers!.map((packed) => packed && unpackName(packed))).toEqual([3, 1, 2, null, 3]);
    expect((await decide(update('in_stock'))).map(outcomes)).toEqual([['unchanged']]);
  });

  test('a status that stands in a registration is not set by it', async () => {
    await decide(message(batchOf([row('S1', { status: 'Sold' })])));
    const sold = batchOf([row('S1', { status: 'Sold' })], { action: 'update_status' });
    expect((await decide(message(sold))).map(outcomes)).toEqual([['status_updated']]);
  });

  test('the same serial of another product is another serial', async () => {
    await decide(message(batchOf([row('S1')])));
    const other = await decide(message(batchOf([row('S1')], { product: 'inverter' })));
    expect(other.map(outcomes)).toEqual([['registered']]);
  });

  test('records that repeat the one before them say the same, and so does the list', async () => {
    const repeating = (serial: string, at: number) =>
      row(serial, { row: at, repeats: true, supplier_key: '', holder_key: '', listing: '' });
    const batch = batchOf([
      row('S1', { row: 1 }),
      repeating('S2', 2),
      row('S3', { row: 3, listing: 'not_listed' }),
      repeating('S4', 4),
      row('', { row: 5, finding: 'serial_missing' }),
      repeating('', 6),
    ]);
    const all = ['registered', 'registered', 'not_listed', 'not_listed', 'malformed', 'malformed'];
    expect((await decide(message(batch))).map(outcomes)).toEqual([all]);
    expect((await decide(message(batchOf([row('S2')])))).map(outcomes)).toEqual([['duplicate']]);
    const others = batchOf([row('S1', { supplier_key: 'OTHER' }), { ...repeating('S2', 2) }]);
    expect((await decide(message(others))).map(outcomes)).toEqual([['conflict', 'conflict']]);
  });

  test('the first row of a serial counts, wherever its record stands in the batch', async () => {
    const batch = batchOf([
      row('S1', { row: 3 }),
      row('S2', { row: 4, repeats: true, supplier_key: '', holder_key: '' }),
      row('S1', { row: 1, supplier_key: 'OTHER' }),
      row('S2', { row: 7, repeats: true, supplier_key: '', holder_key: '' }),
    ]);
    const decided = await decide(message(batch));
    expect(decided.map(outcomes)).toEqual([['conflict', 'registered', 'registered', 'conflict']]);
  });

  test('what is refused before the index leaves no trace in it', async () => {
    const batch = batchOf([
      row('S1', { listing: 'not_listed', holder_key: 'NEW' }),
      row('', { finding: 'serial_missing' }),
    ]);
    const plan = decider.plan([message(batch)]);
    const { writes } = decider.decide(
      plan,
      plan.reads.map((read) => (read.kind === 'hash' ? read.fields : read.members).map(() => null)),
    );
    expect(writes.map(({ key }) => key)).toEqual(['seen', 'seen', 'receipts']);
  });
});

describe('copies (D3)', () => {
  const batch = batchOf([row('S1'), row('S2', { listing: 'not_listed' })]);

  test('are known in the same chunk and later, and change nothing', async () => {
    const first = await decide(message(batch, 1), message(batch, 1));
    expect(first.map(outcomes)).toEqual([['registered', 'not_listed'], 'copy']);
    await decide(message(batchOf([row('S1')], { action: 'invalidate' })));
    // A copy may not revive what was marked invalid since (must survive 1).
    expect((await decide(message(batch, 1))).map(outcomes)).toEqual(['copy']);
    expect((await decide(message(batchOf([row('S1')])))).map(outcomes)).toEqual([['registered']]);
  });

  test('another batch of the submission, or the same batch of another, is no copy', async () => {
    const verdicts = await decide(
      message(batch, 1, 0),
      message(batch, 1, 1),
      message(batch, 2, 0),
      message(batch, 1, 256),
    );
    expect(verdicts.map(({ kind }) => kind)).toEqual(new Array(4).fill('decided'));
  });

  test('batches without records are never remembered: ticks and stand-ins', async () => {
    const empty = batchOf([]);
    const verdicts = await decide(message(empty, 1), message(empty, 1), message(batch, 1));
    expect(verdicts.map(({ kind }) => kind)).toEqual(['decided', 'decided', 'decided']);
  });

  test.each([['in one chunk'], ['in two']])('with another number of rows: our bug, %s', async (when) => {
    const other = batchOf([row('S1')]);
    if (when === 'in two') await decide(message(batch, 1));
    const rest = when === 'in two' ? [message(other, 1)] : [message(batch, 1), message(other, 1)];
    await expect(decide(...rest)).rejects.toThrow('a copy of a batch has 1 rows, the first had 2');
  });

  test.each([
    [-1, 'copy'],
    [0, 'copy'],
    [1, 'decided'],
  ])('are known for a week of receipts (%i ms later), whatever a clock says', async (late, kind) => {
    await decide(message(batch, 1));
    const after = batchOf([row('S3')], { received_at: monday + idempotencyWindowMs + late });
    await decide(message(after));
    expect((await decide(message(batch, 1))).map((verdict) => verdict.kind)).toEqual([kind]);
  });

  test('a batch that waited for longer than the window, in a dead letter, is remembered for a whole window', async () => {
    await decide(message(batchOf([row('S3')], { received_at: monday + idempotencyWindowMs + day })));
    expect((await decide(message(batch, 1))).map(outcomes)).toEqual([['registered', 'not_listed']]);
    await decide(message(batchOf([row('S4')], { received_at: monday + idempotencyWindowMs + 3 * day })));
    expect((await decide(message(batch, 1))).map(outcomes)).toEqual(['copy']);
  });

  test('bytes that cannot be decoded are no copy, and leave no mark', async () => {
    const verdicts = await decide(message(null, 1), message(null, 1), message(batch, 1));
    expect(verdicts.map(({ kind }) => kind)).toEqual(['dead', 'dead', 'decided']);
  });

  test('a batch number that the name of a batch cannot hold is our bug', () => {
    expect(() => decider.plan([message(batch, 1, 65_535)])).not.toThrow();
    expect(() => decider.plan([message(batch, 1, 65_536)])).toThrow('does not fit');
  });

  test('more rows than a mark can count are our bug', () => {
    const many = batchOf(Array.from({ length: 1_000 }, (_, i) => row(`S${i}`)));
    expect(() => decider.plan([message(many)])).toThrow('rows');
  });
});

describe('determinism (D9)', () => {
  const someRow = fc.record({
    serial: fc.constantFrom('S1', 'S2', 'S3'),
    supplier: fc.constantFrom('A', 'B'),
    holder: fc.constantFrom('H', 'I'),
    listing: fc.constantFrom('listed', 'listed', 'not_listed'),
  });
  const someBatch = fc.record({
    action: fc.constantFrom('register', 'register', 'invalidate'),
    rows: fc.array(someRow, { maxLength: 3 }),
    /** Of the history before it, this batch again; none when there is not so much. */
    again: fc.option(fc.nat(8), { nil: undefined }),
    /** Since the message before. A copy is written again byte for byte, but for its receipt (K4). */
    days: fc.constantFrom(0, 0, 1, 4, 9, -9),
  });

  /** Messages of a history: new batches and copies of earlier ones, received at times that leap. */
  function historyOf(
    steps: readonly (typeof someBatch extends fc.Arbitrary<infer T> ? T : never)[],
  ): Incoming[] {
    const messages: { batch: BatchView; submission: number }[] = [];
    let at = monday;
    steps.forEach(({ action, rows, again, days }, i) => {
      at += days * day;
      const copied = again === undefined ? undefined : messages[again];
      const records = rows.map(({ serial, supplier, holder, listing }) =>
        row(serial, { supplier_key: supplier, holder_key: holder, listing }),
      );
      const batch = copied?.batch ?? batchOf(records, { action });
      messages.push({ batch: { ...batch, received_at: at }, submission: copied?.submission ?? i });
    });
    return messages.map(({ batch, submission }, i) => incoming(listed(i, batch, { origin: i, submission })));
  }

  async function run(messages: readonly Incoming[], sizes: readonly number[]) {
    store = new MemoryStateStore();
    await store.activate(scope);
    position = -1;
    const said: (readonly Decision[] | string)[] = [];
    for (let at = 0, i = 0; at < messages.length; i++) {
      const size = sizes[i % sizes.length]!;
      for (const verdict of await decide(...messages.slice(at, at + size)))
        said.push(verdict.kind === 'decided' ? verdict.decisions : verdict.kind);
      at += size;
    }
    const state = await store.read(scope, position, [
      { kind: 'hash', key: 'holders', fields: ['', 'H', 'I'] },
      { kind: 'hash', key: 'suppliers', fields: ['', 'A', 'B'] },
    ]);
    return { said, state };
  }

  test('decisions and state do not depend on where a chunk ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(someBatch, { maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        async (steps, sizes) => {
          const messages = historyOf(steps);
          expect(await run(messages, sizes)).toEqual(await run(messages, [1]));
        },
      ),
      { numRuns: 400 },
    );
  });
});
