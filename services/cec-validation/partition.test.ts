import { beforeEach, describe, expect, test } from 'vitest';
import { OperationalError } from '#shared/base/errors.ts';
import { readOriginHeaders, writeHeaders } from '#shared/codec/headers.ts';
import type { ListedTail } from '#shared/domain/batches.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import { type Listed, ListingPartition, type ListingPorts, type SubmittedView } from './partition.ts';

type Row = SubmittedView['records'][number];

const row = (model: string, finding = ''): Row => ({
  holder: 'H',
  series: '',
  model,
  finding,
  repeats: false,
});
const batchOf = (records: readonly Row[], more: Partial<SubmittedView> = {}): SubmittedView => ({
  product: 'panel',
  action: 'register',
  received_at: 1_776_000_000_000,
  records,
  ...more,
});

/** A message of `serials.submitted`, JSON for Avro; `null`: bytes that cannot be decoded. */
function submitted(offset: number, batch: SubmittedView | null, headers?: Record<string, string>): InMessage {
  const rows = batch?.records.length ?? 4;
  const written = { submission: `s${offset}`, batch: 1, rows, deadRows: 0, receivedAt: 5 };
  return {
    offset,
    key: null,
    value: batch && Buffer.from(JSON.stringify(batch)),
    headers: headers ?? writeHeaders(written),
    timestamp: 0,
  };
}

let published: Listed[];
let committed: number[];
let dead: { offset: number; rows: number }[];
let asked: { product: string; models: string[] }[];
/** Id of the snapshot that answers now. */
let snapshot: string;
let counts: Map<string, number>;
/** Stored beside the position. */
let inRow: number;

beforeEach(() => {
  published = [];
  committed = [];
  dead = [];
  asked = [];
  snapshot = 'april';
  counts = new Map();
  inRow = 0;
});

/** Models that begin with L are on the list. */
function start(more: Partial<ListingPorts> = {}) {
  const ports: ListingPorts = {
    decode: (message) => (message.value ? (JSON.parse(String(message.value)) as SubmittedView) : undefined),
    async ask(product, records) {
      asked.push({ product, models: records.map(({ model }) => model) });
      const listingOf = ({ model }: Row) => ({
        finding: model.startsWith('L') ? 'listed' : 'not_listed',
        note: snapshot,
      });
      return { snapshot, listingOf };
    },
    append: (message, tail) => Buffer.from(JSON.stringify([String(message.value), tail])),
    standIn: (headers, origin) => Buffer.from(JSON.stringify(['stand-in', headers.submission, origin])),
    publish: async (results) => {
      published.push(...results);
    },
    deadLetter: async ({ offset }, { rows }) => {
      dead.push({ offset, rows });
    },
    counted: (finding, rows) => counts.set(finding, (counts.get(finding) ?? 0) + rows),
    ...more,
  };
  const control = {
    commit: (offset: number, deadInRow = 0) => {
      committed.push(offset);
      inRow = deadInRow;
    },
    fail: () => {},
  };
  const partition = new ListingPartition(ports, { ...control, deadInRow: inRow }, 3);
  return (...messages: InMessage[]) => partition.handle(messages, { backlog: 0 });
}

const tailOf = ({ value }: Listed) => (JSON.parse(String(value)) as [string, ListedTail])[1];
const gone = () => Promise.reject(new OperationalError('kafka_unavailable', 'gone', { retryable: true }));

test('records that repeat the one before them are neither asked about nor answered again, but counted', async () => {
  const repeating = { ...row(''), holder: '', repeats: true };
  const refused = { ...row('X', 'serial_missing') };
  await start()(submitted(5, batchOf([row('L'), repeating, row('X'), repeating, refused, repeating])));
  expect(asked).toEqual([{ product: 'panel', models: ['L', 'X'] }]);
  expect(tailOf(published[0]!).listings.map(({ finding }) => finding)).toEqual([
    'listed',
    '',
    'not_listed',
    '',
    'not_checked',
    '',
  ]);
  expect([...counts]).toEqual([
    ['listed', 2],
    ['not_listed', 2],
    ['not_checked', 2],
  ]);
});

describe('V1: origin and link', () => {
  const coordinates = () => published.map(({ headers: { origin, link } }) => [origin, link]);
  const one = batchOf([row('L')]);

  test('origin is the offset, link the message before it, none for the first after a start', async () => {
    const handle = start();
    await handle(submitted(5, one), submitted(6, one));
    await handle(submitted(9, one));
    await start()(submitted(10, one));
    expect(coordinates()).toEqual([
      [5, undefined],
      [6, 5],
      [9, 6],
      [10, undefined],
    ]);
    expect(published.map((listed) => tailOf(listed).origin)).toEqual([5, 6, 9, 10]);
    expect(committed).toEqual([7, 10, 11]);
  });

  test('what the message says of itself is overruled, the rest of its headers travels on', async () => {
    await start()(submitted(5, one, { ...submitted(5, one).headers, origin: '77', link: '76' }));
    expect(published[0]!.headers).toEqual({
      submission: 's5',
      batch: 1,
      rows: 1,
      deadRows: 0,
      receivedAt: 5,
      origin: 5,
    });
  });

  test('ticks and batches without records are links of the chain', async () => {
    const handle = start();
    await handle(
      submitted(5, batchOf([], { action: 'tick', product: '' })),
      submitted(6, batchOf([])),
      submitted(7, one),
    );
    expect(coordinates()).toEqual([
      [5, undefined],
      [6, 5],
      [7, 6],
    ]);
    expect(asked).toEqual([{ product: 'panel', models: ['L'] }]);
  });

  test('what was not published is not linked to', async () => {
    let fail = true;
    const handle = start({
      publish: async (results) => {
        if (fail) await gone();
        published.push(...results);
      },
    });
    await expect(handle(submitted(5, one))).rejects.toThrow('gone');
    expect(committed).toEqual([]);
    fail = false;
    await handle(submitted(6, one));
    expect(coordinates()).toEqual([[6, undefined]]);
  });
});

describe('dead letters and their stand-ins (V1)', () => {
  const one = batchOf([row('L')]);

  test('bytes that cannot be decoded: kept with their rows, a stand-in takes their place', async () => {
    await start()(submitted(5, one), submitted(6, null), submitted(7, one));
    expect(dead).toEqual([{ offset: 6, rows: 4 }]);
    expect(published.map(({ headers }) => headers.origin)).toEqual([5, 6, 7]);
    expect(published[1]).toMatchObject({
      headers: {
        submission: 's6',
        batch: 1,
        rows: 0,
        deadRows: 4,
        deadStage: 'cec-validation',
        origin: 6,
        link: 5,
      },
      value: Buffer.from('["stand-in","s6",6]'),
    });
    expect(published[2]!.headers.link).toBe(6);
  });

  test('a dead letter that cannot be kept holds everything back', async () => {
    await expect(start({ deadLetter: gone })(submitted(5, one), submitted(6, null))).rejects.toThrow('gone');
    expect(published).toEqual([]);
    expect(committed).toEqual([]);
  });

  test.each([
    ['none', {}],
    ['not numbers', { submission: 's', batch: 'x', rows: '1', dead_rows: '0' }],
  ])('headers that are not ours (%s): a dead letter in its place in the chain', async (_what, headers) => {
    const handle = start();
    await handle(submitted(5, one));
    await handle(submitted(6, one, headers), submitted(7, one));
    expect(dead).toEqual([{ offset: 6, rows: 0 }]);
    // Readable between our own stages, with origin and link like any other.
    const written = published.map((listed) => readOriginHeaders(writeHeaders(listed.headers), 0));
    expect(written.map(({ origin, link, rows }) => [origin, link, rows])).toEqual([
      [5, undefined, 1],
      [6, 5, 0],
      [7, 6, 1],
    ]);
  });
});

describe('V2: the lists', () => {
  test('that do not answer are the world: nothing is published, never not_listed', async () => {
    const handle = start({ ask: async () => 'unavailable' });
    await expect(handle(submitted(5, batchOf([])), submitted(6, batchOf([row('X')])))).rejects.toMatchObject({
      code: 'lists_unavailable',
      retryable: true,
    });
    expect(published).toEqual([]);
    expect(committed).toEqual([]);
    expect(counts.size).toBe(0);
    // What needs no list goes on without one.
    await handle(
      submitted(5, batchOf([], { action: 'tick' })),
      submitted(6, batchOf([row('X')], { action: 'invalidate' })),
    );
    expect(published).toHaveLength(2);
  });

  test('a chunk is answered by one snapshot per product, which travels with each batch', async () => {
    const handle = start();
    await handle(
      submitted(5, batchOf([row('L1'), row('X')])),
      submitted(6, batchOf([row('L2')], { product: 'inverter' })),
      submitted(7, batchOf([row('L3')])),
    );
    expect(asked).toEqual([
      { product: 'panel', models: ['L1', 'X', 'L3'] },
      { product: 'inverter', models: ['L2'] },
    ]);
    expect(published.map((listed) => tailOf(listed))).toEqual([
      {
        origin: 5,
        snapshot: 'april',
        listings: [
          { finding: 'listed', note: 'april' },
          { finding: 'not_listed', note: 'april' },
        ],
      },
      { origin: 6, snapshot: 'april', listings: [{ finding: 'listed', note: 'april' }] },
      { origin: 7, snapshot: 'april', listings: [{ finding: 'listed', note: 'april' }] },
    ]);
    snapshot = 'may';
    await handle(submitted(8, batchOf([row('L')])));
    expect(tailOf(published[3]!).snapshot).toBe('may');
    expect(Object.fromEntries(counts)).toEqual({ listed: 4, not_listed: 1 });
  });

  test('rows that the gateway refused are not looked up, and keep their place', async () => {
    await start()(submitted(5, batchOf([row('L1'), row('', 'field_missing'), row('X')])));
    expect(asked).toEqual([{ product: 'panel', models: ['L1', 'X'] }]);
    expect(tailOf(published[0]!).listings.map(({ finding }) => finding)).toEqual([
      'listed',
      'not_checked',
      'not_listed',
    ]);
  });

  test('only registrations ask: other actions carry no snapshot', async () => {
    await start()(submitted(5, batchOf([row('X')], { action: 'invalidate' })));
    expect(asked).toEqual([]);
    expect(tailOf(published[0]!)).toEqual({
      origin: 5,
      snapshot: '',
      listings: [{ finding: 'not_checked', note: '' }],
    });
  });

  test('more messages than one chunk: the chain and the order hold', async () => {
    const batch = batchOf([row('L')]);
    await start()(...Array.from({ length: 150 }, (_, i) => submitted(i, batch)));
    expect(published.map(({ headers }) => headers.origin)).toEqual(Array.from({ length: 150 }, (_, i) => i));
    expect(published.map(({ headers }) => headers.link)).toEqual([
      undefined,
      ...Array.from({ length: 149 }, (_, i) => i),
    ]);
    expect(asked).toHaveLength(3);
    expect(committed).toEqual([64, 128, 150]);
  });
});

describe('dead letters in a row', () => {
  const one = batchOf([row('L')]);
  const none = batchOf([], { action: 'tick' });

  test('of a run that is too long nothing is set aside, across restarts; what came before goes on', async () => {
    const log = [submitted(0, one), ...[1, 2, 3, 4].map((offset) => submitted(offset, null))];
    await expect(start()(...log)).rejects.toMatchObject({ code: 'too_many_dead_letters', retryable: false });
    await expect(start()(...log.slice(1))).rejects.toMatchObject({ code: 'too_many_dead_letters' });
    expect(dead).toEqual([]);
    expect(committed).toEqual([1]);
  });

  test('one by one they are counted beside the position; ticks do not end a run, a batch does', async () => {
    for (const offset of [0, 1, 2]) await start()(submitted(offset, null));
    await start()(submitted(3, none));
    await expect(start()(submitted(4, null))).rejects.toMatchObject({ code: 'too_many_dead_letters' });
    expect(dead.map(({ offset }) => offset)).toEqual([0, 1, 2]);
    await start()(submitted(4, one));
    await start()(submitted(5, null));
    expect(inRow).toBe(1);
  });
});
