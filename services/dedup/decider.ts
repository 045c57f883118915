import { assert } from '#shared/base/errors.ts';
import { carriedOn } from '#shared/domain/records.ts';
import type { Decision } from '#shared/domain/serials.ts';
import { type Bytes, type Read, utf8Bytes, type Write } from '#shared/runtime/state-store.ts';
import { decideRecord, outcomeBeforeIndex } from './decide.ts';
import {
  bucketKey,
  type IndexLayout,
  indexKeys,
  newestField,
  type SerialPlace,
  serialPlace,
} from './layout.ts';
import type { Incoming } from './partition.ts';
import { packName, packSlots, type Slot, unpackName, unpackSlots } from './slots.ts';

export type { IndexLayout } from './layout.ts';

/** What dedup reads of a ListedBatch. */
export interface BatchView {
  readonly product: string;
  readonly action: string;
  readonly received_at: number;
  readonly records: readonly {
    readonly row: number;
    readonly supplier_key: string;
    readonly holder_key: string;
    readonly serial_key: string;
    /** An id of the gateway's catalogue: compared as it is, like everything that was normalised there. */
    readonly status: string;
    readonly finding: string;
    /** Says the same as the record before it: texts are empty, but for the serial, and so is its listing. */
    readonly repeats: boolean;
  }[];
  readonly listings: readonly { readonly finding: string }[];
}

/** A record that the index must decide. */
interface Pending {
  /** Number of its serial's place in the plan. */
  readonly place: number;
  readonly holder: string;
  readonly supplier: string;
  /** Empty unless the action is a change of status. */
  readonly status: string;
}

interface PlannedMessage {
  readonly message: Incoming;
  /** Name in the seen-set; absent for ticks, stand-ins and dead letters, which are never in it (D3). */
  readonly seenAs?: Bytes;
  readonly records: readonly (Pending | Decision)[];
}

export interface Plan {
  readonly messages: readonly PlannedMessage[];
  readonly reads: readonly Read[];
  readonly places: Places;
  readonly names: Readonly<Record<'holders' | 'suppliers' | 'statuses', readonly string[]>>;
  readonly seen: readonly Bytes[];
}

export type Verdict =
  | { readonly kind: 'decided'; readonly message: Incoming; readonly decisions: readonly Decision[] }
  | { readonly kind: 'copy'; readonly message: Incoming }
  | { readonly kind: 'dead'; readonly message: Incoming };

/** Copies of a batch are told from new ones for this long, by the messages' own received_at (D3). */
export const idempotencyWindowMs = 7 * 24 * 3_600_000;

/** One score keeps a time and the number of rows: time * 1000 + rows. */
const rowsScale = 1_000;
const batchNumberMax = 0xffff;

/** The score of a batch in the seen-set. */
export function seenScore(seenAt: number, rows: number): number {
  return seenAt * rowsScale + rows;
}

/**
 * The latest receipt of all batches decided: what the window is measured from. Part of the state, so that a decision
 * does not depend on where a chunk ended (D9).
 */
const newestRead: Read = { kind: 'hash', key: indexKeys.receipts, fields: [newestField] };

/**
 * Turns messages into reads, and what was read into decisions and writes. Pure: state comes in as values, and leaves as
 * writes; messages of one chunk and records of one batch see each other.
 */
export class Decider {
  readonly #layout: IndexLayout;

  constructor(layout: IndexLayout) {
    this.#layout = layout;
  }

  plan(messages: readonly Incoming[]): Plan {
    const places = new Places();
    const holders = new Set<string>();
    const suppliers = new Set<string>();
    const statuses = new Set<string>();
    const seen = new Set<Bytes>();
    const planned = messages.map((message): PlannedMessage => {
      const records = this.#pending(message.batch, places);
      for (const record of records) {
        if ('outcome' in record) continue;
        holders.add(record.holder);
        suppliers.add(record.supplier);
        if (record.status !== '') statuses.add(record.status);
      }
      if (records.length === 0) return { message, records };
      assert(records.length < rowsScale, `a batch of ${records.length} rows does not fit the marks of D3`);
      const seenAs = seenName(message.headers.submission, message.headers.batch);
      seen.add(seenAs);
      return { message, records, seenAs };
    });
    const names = { holders: [...holders], suppliers: [...suppliers], statuses: [...statuses] };
    const reads: Read[] = [
      { kind: 'score', key: indexKeys.seen, members: [...seen] },
      newestRead,
      { kind: 'hash', key: indexKeys.holders, fields: nameFields(names.holders) },
      { kind: 'hash', key: indexKeys.suppliers, fields: nameFields(names.suppliers) },
      { kind: 'hash', key: indexKeys.statuses, fields: nameFields(names.statuses) },
      ...places.reads(),
    ];
    return { messages: planned, reads, places, names, seen: [...seen] };
  }

  decide(
    plan: Plan,
    values: readonly (readonly (Bytes | null)[])[],
  ): { results: readonly Verdict[]; writes: readonly Write[] } {
    const [
      seenScores = [],
      receipts = [],
      holderIds = [],
      supplierIds = [],
      statusIds = [],
      ...bucketValues
    ] = values;
    const seen = new SeenBatches(plan.seen, seenScores, receipts[0] ?? null);
    const holders = new Dictionary(indexKeys.holders, plan.names.holders, holderIds);
    const suppliers = new Dictionary(indexKeys.suppliers, plan.names.suppliers, supplierIds);
    const statuses = new Dictionary(indexKeys.statuses, plan.names.statuses, statusIds);
    const slots = new SlotOverlay(plan.places, bucketValues);

    const results = plan.messages.map(({ message, records, seenAs }): Verdict => {
      const { batch } = message;
      if (!batch) return { kind: 'dead', message };
      if (seenAs !== undefined && seen.isCopy(seenAs, batch.received_at, records.length))
        return { kind: 'copy', message };
      const decisions = inOrderOfRows(batch.records, (i): Decision => {
        const record = records[i]!;
        if ('outcome' in record) return record;
        const decided = decideRecord(slots.get(record.place), {
          action: batch.action,
          holder: holders.idOf(record.holder),
          supplier: suppliers.idOf(record.supplier),
          status: record.status === '' ? 0 : statuses.idOf(record.status),
        });
        if (decided.slots) {
          slots.set(record.place, decided.slots);
          holders.used(record.holder);
          suppliers.used(record.supplier);
          if (record.status !== '') statuses.used(record.status);
        }
        return decided.decision;
      });
      return { kind: 'decided', message, decisions };
    });
    return {
      results,
      writes: [
        ...seen.writes(),
        ...holders.writes(),
        ...suppliers.writes(),
        ...statuses.writes(),
        ...slots.writes(),
      ],
    };
  }

  /** Each record as the outcome it has without the index, or as what the index is asked. */
  #pending(batch: BatchView | undefined, places: Places): readonly (Pending | Decision)[] {
    if (!batch) return [];
    const { records } = batch;
    const saidOf = carriedOn(records, records);
    const listings = carriedOn(records, batch.listings);
    return records.map(({ serial_key }, i) => {
      const said = saidOf[i]!;
      const outcome = outcomeBeforeIndex(said.finding, listings[i]?.finding ?? '');
      if (outcome) return { outcome, entry: 0, note: '' };
      return {
        place: places.add(serialPlace(this.#layout, batch.product, serial_key)),
        holder: said.holder_key,
        supplier: said.supplier_key,
        status: batch.action === 'update_status' ? said.status : '',
      };
    });
  }
}

/**
 * Decides each record, those of a file in the order of its rows: records that say the same travel one after the other, but
 * the first row of a serial is the one that counts. Answers in the order of the records.
 */
function inOrderOfRows(records: BatchView['records'], decide: (i: number) => Decision): readonly Decision[] {
  const order = Float64Array.from(records, ({ row }, i) => row * rowsScale + i).sort();
  const decisions = new Array<Decision>(records.length);
  for (const place of order) {
    const i = place % rowsScale;
    decisions[i] = decide(i);
  }
  return decisions;
}

/**
 * D3: the batches of the window, with what this chunk adds. A batch counts as seen at the latest receipt among those up
 * to it: one that waited in a dead letter for longer than the window is remembered for a whole window all the same.
 */
class SeenBatches {
  readonly #scores = new Map<Bytes, number>();
  readonly #marks: [number, Bytes][] = [];
  readonly #before: number;
  #newest: number;

  constructor(names: readonly Bytes[], scores: readonly (Bytes | null)[], newest: Bytes | null) {
    this.#before = Number(newest ?? 0);
    this.#newest = this.#before;
    names.forEach((name, i) => {
      const score = scores[i];
      if (score != null) this.#scores.set(name, Number(score));
    });
  }

  /** Marks the batch as seen, unless it was before. A copy with another number of rows is our bug. */
  isCopy(name: Bytes, receivedAt: number, rows: number): boolean {
    const score = this.#scores.get(name);
    if (score !== undefined && score >= this.#windowStart) {
      const before = score % rowsScale;
      assert(before === rows, `a copy of a batch has ${rows} rows, the first had ${before}`);
      return true;
    }
    this.#newest = Math.max(this.#newest, receivedAt);
    const mark = seenScore(this.#newest, rows);
    this.#scores.set(name, mark);
    this.#marks.push([mark, name]);
    return false;
  }

  writes(): readonly Write[] {
    const writes: Write[] = [];
    if (this.#marks.length > 0) writes.push({ kind: 'score', key: indexKeys.seen, members: this.#marks });
    if (this.#newest > this.#before)
      writes.push(
        { kind: 'expire', key: indexKeys.seen, below: this.#windowStart },
        { kind: 'set', key: newestRead.key, fields: [[newestField, String(this.#newest)]] },
      );
    return writes;
  }

  get #windowStart(): number {
    return (this.#newest - idempotencyWindowMs) * rowsScale;
  }
}

/** The index's own number of every name: 1, 2, 3, ... in the order of first use; the last number is kept under ''. */
class Dictionary {
  readonly #key: string;
  readonly #ids = new Map<string, number>();
  readonly #added = new Map<string, number>();
  #last: number;

  constructor(key: string, names: readonly string[], values: readonly (Bytes | null)[]) {
    this.#key = key;
    this.#last = values[0] == null ? 0 : unpackName(values[0]);
    names.forEach((name, i) => {
      const value = values[i + 1];
      if (value != null) this.#ids.set(name, unpackName(value));
    });
  }

  /** The number of a name, or the one it would get: no slot can hold that yet. */
  idOf(name: string): number {
    return this.#ids.get(name) ?? this.#last + 1;
  }

  /** A name gets its number when an entry uses it, so that numbers depend on the log alone and not on its chunks. */
  used(name: string): void {
    if (this.#ids.has(name)) return;
    this.#last += 1;
    this.#ids.set(name, this.#last);
    this.#added.set(name, this.#last);
  }

  writes(): readonly Write[] {
    if (this.#added.size === 0) return [];
    const fields = [...this.#added].map(([name, id]) => [utf8Bytes(name), packName(id)] as const);
    return [{ kind: 'set', key: this.#key, fields: [['', packName(this.#last)], ...fields] }];
  }
}

/** The serials of a chunk, each with a number, in whichever bucket they are. */
class Places {
  readonly fields: Bytes[] = [];
  /** Numbers by bucket. */
  readonly buckets = new Map<number, number[]>();
  readonly #numbers = new Map<Bytes, number>();

  /** The number of a place; one that was there keeps its own. The field says in which bucket it is. */
  add({ field, bucket }: SerialPlace): number {
    const known = this.#numbers.get(field);
    if (known !== undefined) return known;
    const number = this.fields.push(field) - 1;
    this.#numbers.set(field, number);
    const others = this.buckets.get(bucket);
    if (others) others.push(number);
    else this.buckets.set(bucket, [number]);
    return number;
  }

  reads(): readonly Read[] {
    return Array.from(this.buckets, ([bucket, numbers]) => ({
      kind: 'hash',
      key: bucketKey(bucket),
      fields: numbers.map((number) => this.fields[number]!),
    }));
  }
}

/** The slots that were read, with what this chunk changed on top. */
class SlotOverlay {
  readonly #places: Places;
  readonly #held: (Bytes | null)[];
  readonly #changed: Uint8Array;

  /** `values` answer `places.reads()`. */
  constructor(places: Places, values: readonly (readonly (Bytes | null)[])[]) {
    this.#places = places;
    this.#held = new Array(places.fields.length).fill(null);
    this.#changed = new Uint8Array(places.fields.length);
    let bucket = 0;
    for (const numbers of places.buckets.values()) {
      const held = values[bucket++]!;
      numbers.forEach((number, i) => {
        this.#held[number] = held[i] ?? null;
      });
    }
  }

  get(place: number): readonly Slot[] {
    return unpackSlots(this.#held[place] ?? null);
  }

  set(place: number, slots: readonly Slot[]): void {
    this.#held[place] = packSlots(slots);
    this.#changed[place] = 1;
  }

  writes(): readonly Write[] {
    const writes: Write[] = [];
    for (const [bucket, numbers] of this.#places.buckets) {
      const fields = numbers
        .filter((number) => this.#changed[number] === 1)
        .map((number) => [this.#places.fields[number]!, this.#held[number]!] as const);
      if (fields.length > 0) writes.push({ kind: 'set', key: bucketKey(bucket), fields });
    }
    return writes;
  }
}

function nameFields(names: readonly string[]): readonly Bytes[] {
  return ['', ...names.map(utf8Bytes)];
}

/** (submission, batch) as 16 bytes of the UUID and 2 of the number. */
export function seenName(submission: string, batch: number): Bytes {
  const uuid = Buffer.from(submission.replaceAll('-', ''), 'hex').toString('latin1');
  assert(uuid.length === 16, `submission ${submission} is not a UUID`);
  assert(batch <= batchNumberMax, `batch number ${batch} does not fit two bytes`);
  return uuid + String.fromCharCode((batch >> 8) & 255, batch & 255);
}
