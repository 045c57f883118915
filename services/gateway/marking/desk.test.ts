import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal, type Refusal } from '#gateway/refusal.ts';
import {
  type FoundEntry,
  matches,
  type Place,
  type SearchQuery,
  type SearchScope,
} from '#gateway/search/query.ts';
import { OpenStreams } from '#gateway/streams/open.ts';
import type { PartTold, StreamResult } from '#gateway/streams/run.ts';
import type { KnownPart } from '#gateway/submissions/recent.ts';
import { outcomeSeenBy } from '#gateway/submissions/seen.ts';
import type { Submission } from '#gateway/submissions/submission.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { accountOf } from '#test/support/accounts.ts';
import { catalogue } from '#test/support/catalogue.ts';
import { MarkingDesk, type MarkingGiven, type MarkingPorts, type Selection } from './desk.ts';

const sun = { account: accountOf('sun', 'supplier', { suppliers: ['Sun'] }), key: 'k', user: 'ann' };
const scope: SearchScope = { kind: 'own', account: 'sun', served: ['SUN'], suppliers: ['SUN', 'OLD'] };

const entry = (serial: string, more: Partial<FoundEntry> = {}): FoundEntry => ({
  supplier_key: 'SUN',
  serial_key: serial,
  holder_key: 'HOLDER',
  entry: 1,
  outcome: 'registered',
  status: '',
  reason: '',
  note: '',
  account: 'sun',
  supplier: 'Sun',
  holder: 'Holder',
  series: '',
  model: 'M-1',
  serial,
  submission: 's',
  row: 1,
  received_at: 1,
  listing_note: '',
  decision_note: '',
  ...more,
});
const serials = (count: number) => Array.from({ length: count }, (_, i) => `S${String(i).padStart(4, '0')}`);
const keyOf = ({ supplier_key, serial_key, holder_key }: FoundEntry) =>
  JSON.stringify([supplier_key, serial_key, holder_key]);

/** A ledger in memory, decided as soon as it is written, with a desk on it; what is lost of a process is made anew. */
class World {
  entries = new Map<string, FoundEntry>();
  readonly written: Submission[] = [];
  /** Called before each write; may throw. */
  beforeWrite: () => void = () => undefined;
  /** Called behind each block of a search. */
  betweenBlocks: () => void = () => undefined;

  constructor(entries: readonly FoundEntry[]) {
    for (const one of entries) this.put(one);
  }

  put(one: FoundEntry): void {
    this.entries.set(keyOf(one), one);
  }

  #sorted(): FoundEntry[] {
    return [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  }

  async *#matching(query: SearchQuery, after: Place | undefined) {
    let behind = after === undefined ? '' : JSON.stringify(after);
    for (;;) {
      const block = this.#sorted()
        .filter((one) => keyOf(one) > behind)
        .slice(0, 7);
      if (block.length === 0) return;
      yield block.filter((one) => matches(query, scope, one));
      behind = keyOf(block.at(-1)!);
      this.betweenBlocks();
    }
  }

  #write(submission: Submission): void {
    this.beforeWrite();
    this.written.push(submission);
    for (const record of submission.batches.flatMap(({ records }) => records)) {
      const key = JSON.stringify([record.supplier_key, record.serial_key, record.holder_key]);
      const held = this.entries.get(key);
      if (record.finding === '' && held && held.outcome !== 'invalidated')
        this.entries.set(key, {
          ...held,
          outcome: 'invalidated',
          entry: held.entry + 1,
          reason: record.reason,
        });
    }
  }

  #parts(stream: string): KnownPart[] {
    const parts = this.written.map((of) => ({
      stream: of.stream!.id,
      submission: of.id,
      firstRow: of.stream!.firstRow,
      rows: of.rows,
      bodySha256: of.bodySha256,
    }));
    return parts.filter((part) => part.stream === stream);
  }

  desk(ports: Partial<MarkingPorts> = {}): MarkingDesk {
    const made: MarkingPorts = {
      catalogue,
      open: new OpenStreams({ openMax: 9, accountMax: 9 }),
      streams: {
        state: async (id) => {
          const parts = this.#parts(id);
          const committedRow = Math.max(0, ...parts.map(({ firstRow, rows }) => firstRow + rows - 1));
          const of = { account: 'sun', product: 'panel', action: 'invalidate', firstAt: 1, lastAt: 1 };
          return parts.length === 0 ? undefined : { ...of, committedRow };
        },
        parts: async (id, fromRow) => this.#parts(id).filter(({ firstRow }) => firstRow >= fromRow),
      },
      recent: { stream: () => undefined, part: () => undefined },
      earlier: {
        withKey: async (_, key) =>
          this.written
            .filter(({ idempotencyKey }) => idempotencyKey === key)
            .map(({ id, product, action, bodySha256, rows, stream }) => ({
              id,
              product,
              action,
              bodySha256,
              rows,
              stream: stream!.id,
            })),
      },
      partitions: 3,
      partRows: 10,
      permit: () => ({ supplier: 'Sun', mayUploadFor: (supplier) => supplier === 'SUN' }),
      count: async (query) => this.#sorted().filter((one) => matches(query, scope, one)).length,
      matching: (query, _, after) => this.#matching(query, after),
      latest: async (_, places) =>
        places.flatMap((place) => {
          const found = this.entries.get(JSON.stringify(place));
          return found ? [found] : [];
        }),
      kept: async (id) => gunzipSync(this.written.find((of) => of.id === id)!.bodyGzip),
      encode: async (submission) => async () => this.#write(submission),
      rowsAllowed: async () => undefined,
      failed: () => undefined,
      now: () => 1,
      ...ports,
    };
    return new MarkingDesk(made);
  }

  /** What dedup makes of the rows, as the account is told. */
  outcomes(): readonly string[] {
    const { entries } = this;
    return this.written.flatMap(({ batches }) =>
      batches
        .flatMap(({ records }) => records)
        .sort((a, b) => a.row - b.row)
        .map(({ finding, supplier_key, serial_key, holder_key }) => {
          if (finding !== '') return finding;
          const held = [...entries.values()].find(
            (one) => one.serial_key === serial_key && one.holder_key === holder_key,
          );
          if (!held) return outcomeSeenBy(sun.account, 'not_found');
          return outcomeSeenBy(sun.account, held.supplier_key === supplier_key ? 'invalidated' : 'not_yours');
        }),
    );
  }

  rows(): readonly string[] {
    return this.written.flatMap(({ batches }) =>
      batches
        .flatMap(({ records }) => records)
        .sort((a, b) => a.row - b.row)
        .map(({ serial }) => serial),
    );
  }

  invalid(): readonly string[] {
    return this.#sorted().flatMap(({ outcome, serial }) => (outcome === 'invalidated' ? [serial] : []));
  }
}

const matched = (count: number, query: Partial<SearchQuery> = {}): Selection => ({
  kind: 'matched',
  query: { product: 'panel', state: 'registered', ...query },
  count,
});

function given(selection: Selection, more: Partial<MarkingGiven> = {}): MarkingGiven {
  return { key: 'once', product: 'panel', reason: 'Model number is wrong', note: '', selection, ...more };
}

interface Marked {
  readonly told: readonly PartTold[];
  readonly result: StreamResult;
}

async function mark(desk: MarkingDesk, of: MarkingGiven, identity = sun): Promise<Marked | Refusal> {
  const admitted = await desk.admit(of, identity);
  if (isRefusal(admitted)) return admitted;
  const told: PartTold[] = [];
  const result = await admitted.take((part) => void told.push(part));
  return { told, result };
}

describe('all that matched', () => {
  it('is marked in submissions of their own, and nothing else is', async () => {
    const others = [
      entry('S9999', { model: 'M-2' }),
      entry('S0001', { supplier_key: 'MOON', account: 'moon' }),
    ];
    const world = new World([...serials(25).map((serial) => entry(serial)), ...others]);
    const answer = (await mark(world.desk(), given(matched(25, { model: 'm-1' })))) as Marked;
    expect(answer.result).toMatchObject({ rows: 25, submissions: 3, repeated: 0, committedRow: 25 });
    expect(answer.result.refusal).toBeUndefined();
    expect(answer.told.map(({ part }) => [part.firstRow, part.rows])).toEqual([
      [1, 10],
      [11, 10],
      [21, 5],
    ]);
    expect(world.rows()).toEqual(serials(25));
    expect(world.invalid()).toEqual(serials(25));
    expect(world.written[0]).toMatchObject({
      action: 'invalidate',
      channel: 'json',
      declaration: '',
      declaredBy: 'user:ann',
      idempotencyKey: 'once',
    });
    const [line] = gunzipSync(world.written[0]!.bodyGzip).toString().split('\n');
    expect(JSON.parse(line!)).toMatchObject({
      supplier: 'Sun',
      serial: 'S0000',
      reason: 'model_wrong',
      note: '',
    });
  });

  it.each([24, 26])(
    'with another count than was seen (%i) is refused, and nothing is done',
    async (count) => {
      const world = new World(serials(25).map((serial) => entry(serial)));
      const answer = await mark(world.desk(), given(matched(count)));
      expect(answer).toMatchObject({ refused: 'selection_changed', facts: { count: 25, committed_row: 0 } });
      expect(world.written).toEqual([]);
    },
  );

  it('that changes between counting and marking is left from there on', async () => {
    const world = new World(serials(40).map((serial) => entry(serial)));
    let blocks = 0;
    world.betweenBlocks = () => {
      blocks += 1;
      // The plan reads six blocks; something comes before the marking reads its fourth.
      if (blocks === 9) world.put(entry('S0025X'));
    };
    const { result } = (await mark(world.desk(), given(matched(40)))) as Marked;
    expect(result).toMatchObject({ refusal: { refused: 'selection_changed' }, committedRow: 20 });
    expect(world.invalid()).toEqual(serials(20));
  });

  it('of which the last go between counting and marking is not said to be complete', async () => {
    const world = new World(serials(20).map((serial) => entry(serial)));
    let blocks = 0;
    world.betweenBlocks = () => {
      blocks += 1;
      // The plan reads three blocks; when it is done, ten serials are marked by somebody else.
      if (blocks !== 3) return;
      for (const serial of serials(20).slice(10))
        world.put(entry(serial, { outcome: 'invalidated', entry: 2 }));
    };
    const { result } = (await mark(world.desk(), given(matched(20)))) as Marked;
    expect(result).toMatchObject({ refusal: { refused: 'selection_changed' }, committedRow: 10 });
    expect(world.rows()).toEqual(serials(10));
  });

  it('that grows before it is planned is not marked at all, although the count was right', async () => {
    const world = new World(serials(12).map((serial) => entry(serial)));
    const desk = world.desk({ count: async () => 11 });
    const { result } = (await mark(desk, given(matched(11)))) as Marked;
    expect(result).toMatchObject({
      refusal: { refused: 'selection_changed', facts: { count: 12 } },
      rows: 0,
    });
    expect(world.written).toEqual([]);
  });

  it('may hold what the account has no authority for: its outcome says so, unless the account has sent it', async () => {
    const world = new World([
      entry('S1', { supplier_key: 'OLD', supplier: 'Old' }),
      entry('S2', { account: 'vsp' }),
      entry('S3'),
    ]);
    const desk = world.desk({ permit: () => ({ supplier: 'Sun', mayUploadFor: () => false }) });
    const { result } = (await mark(desk, given(matched(3)))) as Marked;
    expect(result.findings.get('supplier_not_authorised')).toBe(1);
    expect(world.invalid().toSorted()).toEqual(['S1', 'S3']);
  });
});

describe('a marking that comes again', () => {
  it('does nothing, and tells the same', async () => {
    const world = new World(serials(25).map((serial) => entry(serial)));
    const first = (await mark(world.desk(), given(matched(25)))) as Marked;
    const again = (await mark(world.desk(), given(matched(25)))) as Marked;
    expect(world.written).toHaveLength(3);
    expect(again.result).toMatchObject({ rows: 25, submissions: 3, repeated: 3, committedRow: 25 });
    expect(again.result.refusal).toBeUndefined();
    expect(again.told.map(({ id, repeated }) => [id, repeated])).toEqual(
      first.told.map(({ id }) => [id, true]),
    );
  });

  it('although its serials were registered again since: those are other entries', async () => {
    const world = new World(serials(25).map((serial) => entry(serial)));
    await mark(world.desk(), given(matched(25)));
    for (const serial of serials(25)) world.put(entry(serial, { entry: 3, model: 'M-2' }));
    await mark(world.desk(), given(matched(25)));
    expect([world.written.length, world.invalid()]).toEqual([3, []]);
  });

  it.each<[string, Partial<MarkingGiven>]>([
    ['another reason', { reason: 'serial_wrong' }],
    ['another note', { note: 'x' }],
    ['another count', { selection: matched(24) }],
    ['another search', { selection: matched(25, { model: 'M-1' }) }],
    ['serials instead', { selection: { kind: 'listed', serials: [entry('S0001')] } }],
  ])('with %s is refused', async (_, more) => {
    const world = new World(serials(25).map((serial) => entry(serial)));
    await mark(world.desk(), given(matched(25)));
    expect(await mark(world.desk(), given(matched(25), more))).toMatchObject({
      refused: 'idempotency_key_reused',
    });
    expect(world.written).toHaveLength(3);
  });

  it('after whatever broke it marks the rest, each once, whatever the search asks for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 8 }),
        fc.boolean(),
        fc.boolean(),
        async (count, breaks, anyState, listed) => {
          const all = serials(count);
          const world = new World(all.map((serial) => entry(serial)));
          const asked = given(
            listed
              ? { kind: 'listed', serials: all.map((serial) => entry(serial)) }
              : matched(count, anyState ? { state: undefined as never, holder: 'holder' } : {}),
          );
          const failing = new OperationalError('gone', 'gone', { retryable: false });
          for (const at of [...breaks, Number.POSITIVE_INFINITY]) {
            let writes = 0;
            world.beforeWrite = () => {
              writes += 1;
              if (writes > at) throw failing;
            };
            const answer = await mark(world.desk(), asked);
            if (isRefusal(answer)) throw new Error(answer.refused);
            expect(answer.result.committedRow).toBe(world.rows().length);
          }
          expect(world.rows()).toEqual(all);
          expect(world.invalid()).toEqual(all);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('waits for the ledger where that does not know yet where the rest begins', async () => {
    const world = new World(serials(25).map((serial) => entry(serial)));
    let writes = 0;
    world.beforeWrite = () => {
      writes += 1;
      if (writes > 1) throw new OperationalError('gone', 'gone', { retryable: false });
    };
    await mark(world.desk(), given(matched(25)));
    world.beforeWrite = () => undefined;
    const { result } = (await mark(
      world.desk({ kept: async () => undefined }),
      given(matched(25)),
    )) as Marked;
    expect(result).toMatchObject({ refusal: { refused: 'temporarily_unavailable' }, committedRow: 10 });
    expect(world.written).toHaveLength(1);
  });
});

describe('serials that are named', () => {
  const named = (...list: readonly FoundEntry[]): Selection => ({
    kind: 'listed',
    serials: list.map(({ supplier, holder, series, model, serial }) => ({
      supplier,
      holder,
      series,
      model,
      serial,
    })),
  });

  it('are marked as they are named, also those of which the ledger knows nothing', async () => {
    const world = new World([entry('S1')]);
    const { result } = (await mark(world.desk(), given(named(entry('s1'), entry('S2'))))) as Marked;
    expect(result).toMatchObject({ rows: 2, submissions: 1 });
    expect([world.invalid(), world.rows()]).toEqual([['S1'], ['s1', 'S2']]);
  });

  it('that the account has no authority for are marked if it has sent them', async () => {
    const mine = entry('S1', { supplier_key: 'OLD', supplier: 'Old' });
    const theirs = entry('S2', { supplier_key: 'OLD', supplier: 'Old', account: 'old' });
    const unknown = entry('S3', { supplier_key: 'OLD', supplier: 'Old' });
    const world = new World([mine, theirs]);
    const { result } = (await mark(world.desk(), given(named(mine, theirs, unknown)))) as Marked;
    expect(result.findings.get('supplier_not_authorised')).toBe(2);
    expect(world.invalid()).toEqual(['S1']);
  });
});

describe('before anything is looked at', () => {
  it.each<[string, Partial<MarkingGiven>, string | undefined]>([
    ['a reason that there is not', { reason: 'Mistake' }, 'marking_reason_unknown'],
    ['the reason of a change of status', { reason: 'theft' }, 'marking_reason_unknown'],
    ['Other without a note', { reason: 'Other' }, 'marking_note_missing'],
    ['Other with a blank note', { reason: 'other', note: ' ' }, 'marking_note_missing'],
    ['Other with a note', { reason: 'other', note: 'gone' }, undefined],
  ])('%s', async (_, more, refused) => {
    const world = new World([entry('S1')]);
    const answer = await mark(world.desk(), given(matched(1), more));
    expect('refused' in answer ? answer.refused : undefined).toBe(refused);
    expect(world.written).toHaveLength(refused === undefined ? 1 : 0);
  });

  it('whoever may not is told so, and no search is made', async () => {
    const world = new World([entry('S1')]);
    const refusal: Refusal = { refused: 'product_not_registered' };
    const count = () => Promise.reject(new Error('asked'));
    expect(await mark(world.desk({ permit: () => refusal, count }), given(matched(1)))).toEqual(refusal);
  });
});

it('a process that stops ends a marking behind what is committed', async () => {
  const world = new World(serials(25).map((serial) => entry(serial)));
  const open = new OpenStreams({ openMax: 9, accountMax: 9 });
  let blocks = 0;
  world.betweenBlocks = () => {
    blocks += 1;
    if (blocks === 6) open.stop();
  };
  const { result } = (await mark(world.desk({ open }), given(matched(25)))) as Marked;
  expect(result.refusal).toMatchObject({ refused: 'temporarily_unavailable' });
  expect(world.rows()).toEqual(serials(result.committedRow));
  expect(result.committedRow).toBeLessThan(25);
});

describe('SEC-1: whatever others have in the ledger, an account is answered the same', () => {
  const serial = fc.constantFrom('S1', 'S2', 'S3', 'S4');
  const holder = fc.constantFrom('Holder', 'Second');
  const foreign = fc.record({
    serial,
    holder,
    supplier: fc.constantFrom('Moon', 'Mars'),
    model: fc.constantFrom('M-1', 'M-2'),
    outcome: fc.constantFrom('registered', 'invalidated', 'status_updated'),
  });
  const asked = fc.oneof(
    fc.record({
      kind: fc.constant('listed' as const),
      serials: fc.array(
        fc.record({
          serial,
          holder,
          supplier: fc.constantFrom('Sun', 'Moon'),
          model: fc.constantFrom('M-1', 'M-2'),
        }),
        { minLength: 1, maxLength: 5 },
      ),
    }),
    fc.record({
      kind: fc.constant('matched' as const),
      count: fc.integer({ min: 1, max: 3 }),
      query: fc.record(
        {
          serial,
          holder,
          supplier: fc.constantFrom('Sun', 'Moon'),
          model: fc.constantFrom('M-1', 'M-2'),
          submission: fc.constantFrom('s', 'theirs'),
        },
        { requiredKeys: [] },
      ),
    }),
  );

  const put = (
    of: { serial: string; holder: string; supplier: string; model: string },
    more: Partial<FoundEntry>,
  ) =>
    entry(of.serial, {
      supplier: of.supplier,
      supplier_key: of.supplier.toUpperCase(),
      holder: of.holder,
      holder_key: of.holder.toUpperCase(),
      model: of.model,
      ...more,
    });

  const selectionOf = (of: typeof asked extends fc.Arbitrary<infer T> ? T : never): Selection =>
    of.kind === 'listed'
      ? { kind: 'listed', serials: of.serials.map((one) => ({ ...one, series: '' })) }
      : { kind: 'matched', count: of.count, query: { product: 'panel', ...of.query } };

  it('when it marks, named or searched for', async () => {
    let differing = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ serial, holder, model: fc.constantFrom('M-1', 'M-2') }), { maxLength: 3 }),
        fc.array(foreign, { minLength: 1, maxLength: 5 }),
        asked,
        async (own, others, of) => {
          const mine = own.map((one) => put({ ...one, supplier: 'Sun' }, {}));
          const taken = new Set(mine.map(({ serial_key, holder_key }) => `${serial_key} ${holder_key}`));
          const theirs = others
            .map((one) => put(one, { account: 'moon', submission: 'theirs', outcome: one.outcome }))
            .filter(({ serial_key, holder_key }) => !taken.has(`${serial_key} ${holder_key}`));
          const answers = [];
          for (const world of [new World(mine), new World([...mine, ...theirs])]) {
            const answer = await mark(world.desk(), given(selectionOf(of)));
            answers.push({ answer, outcomes: world.outcomes() });
          }
          if (theirs.length > 0) differing += 1;
          expect(answers[1]).toEqual(answers[0]);
        },
      ),
      { numRuns: 300 },
    );
    expect(differing).toBeGreaterThan(50);
  });
});
