import { byName, entryFaults, foldEntries, type NamedSlot } from '#dedup/fold.ts';
import { bucketKey } from '#dedup/layout.ts';
import { indexPrefix } from '#shared/adapters/kafka/topics.ts';
import { RedisStateStore } from '#shared/adapters/redis/state-store.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import type { Bytes, Read, Scope } from '#shared/runtime/state-store.ts';
import { count, type RecoveryContext } from '../recovery/context.ts';
import { type LedgerField, ledgerFields } from '../recovery/serial-fold.ts';
import { caughtUp } from './caught-up.ts';
import { asIndexed, type Dictionaries, IndexView, namedSlots } from './index-view.ts';
import type { LiveIndex } from './positions.ts';
import type { Report } from './report.ts';
import { waitFor } from './wait.ts';

const check = 'serials';

/** Buckets that are read and compared at once: what is held in memory. */
const bucketsAtOnce = 64;
/** Fields that are looked at again under a pinned position, in one reading. */
const pinnedAtOnce = 20_000;
/** So many changes while everything was read once are taken; with more, there is nothing to compare with. */
const changedMax = 500_000;

interface Doubtful {
  readonly bucket: number;
  readonly field: Bytes;
}

/**
 * Every serial state in the index of one partition against the fold of the ledger's entries, both ways, in constant
 * memory: ClickHouse gives its entries in the order of the index's buckets. The fleet goes on meanwhile, so that what
 * differs at first is looked at again: the index under a pinned position, the ledger up to exactly that origin.
 */
export async function checkSerials(
  context: RecoveryContext,
  report: Report,
  live: LiveIndex,
  patienceMs: number,
): Promise<void> {
  const checking = new SerialsCheck(context, report, live, patienceMs);
  await checking.run();
}

class SerialsCheck {
  readonly #context: RecoveryContext;
  readonly #report: Report;
  readonly #live: LiveIndex;
  readonly #patienceMs: number;
  readonly #partition: number;
  readonly #scope: Scope;
  readonly #view: IndexView;
  #dictionaries!: Dictionaries;
  #doubtful: Doubtful[] = [];
  #serials = 0;

  constructor(context: RecoveryContext, report: Report, live: LiveIndex, patienceMs: number) {
    this.#context = context;
    this.#report = report;
    this.#live = live;
    this.#patienceMs = patienceMs;
    this.#partition = Number(live.scope);
    this.#scope = { name: live.scope, generation: live.generation.generation };
    this.#view = new IndexView(context.redis, this.#scope);
  }

  async run(): Promise<void> {
    this.#dictionaries = await this.#view.dictionaries();
    await this.#walk();
    for (let from = 0; from < this.#doubtful.length; from += pinnedAtOnce)
      await this.#lookAgain(this.#doubtful.slice(from, from + pinnedAtOnce));
    for (const fault of (await this.#view.dictionaries()).faults) this.#differs(fault);
    this.#report.looked(
      `${check} of partition ${this.#partition}`,
      `${count(this.#serials)} serials of the ledger up to origin ${this.#live.cut}, both ways; ${count(this.#doubtful.length)} that moved meanwhile looked at again`,
    );
  }

  /** Index and ledger side by side, bucket by bucket. */
  async #walk(): Promise<void> {
    const { generation, cut } = this.#live;
    let from = 0;
    let group = new Map<Bytes, LedgerField>();
    const compareUpTo = async (bucket: number) => {
      while (from + bucketsAtOnce <= bucket || (bucket === generation.buckets && from < bucket)) {
        const to = Math.min(from + bucketsAtOnce, generation.buckets);
        await this.#compare(from, to, group);
        group = new Map();
        from = to;
      }
    };
    const range = { partition: this.#partition, cut, layout: generation };
    for await (const block of ledgerFields(this.#context.clickhouse, range))
      for (const field of block) {
        await compareUpTo(field.bucket);
        this.#checkEntries(field);
        group.set(field.field, field);
        this.#serials += field.serials.length;
      }
    await compareUpTo(generation.buckets);
  }

  async #compare(from: number, to: number, ledger: ReadonlyMap<Bytes, LedgerField>): Promise<void> {
    const index = await this.#view.buckets(from, to);
    for (const [field, { bucket, serials }] of ledger) {
      const found = index.get(field);
      index.delete(field);
      const same =
        found?.bucket === bucket &&
        equal(namedSlots(found.value, this.#dictionaries), this.#expected(serials));
      if (!same) this.#doubt({ bucket, field });
    }
    for (const [field, { bucket }] of index) this.#doubt({ bucket, field });
  }

  #doubt(doubtful: Doubtful): void {
    this.#doubtful.push(doubtful);
    if (this.#doubtful.length > changedMax)
      throw new OperationalError(
        'too_much_moved',
        `more than ${count(changedMax)} serials of partition ${this.#partition} differ or changed meanwhile: try again when less arrives, or rebuild the index`,
        { retryable: true },
      );
  }

  /** What the ledger says by itself: numbers without gaps, one registration at a time, the right partition, one text a hash. */
  #checkEntries({ serials }: LedgerField): void {
    for (const { product, serialKey, entries } of serials) {
      for (const fault of entryFaults(entries)) this.#differs(`${product} ${serialKey}: ${fault}`);
      const right = partitionOf(product, serialKey, this.#context.partitions);
      if (right !== this.#partition)
        this.#differs(`${product} ${serialKey} is in partition ${this.#partition}, and belongs to ${right}`);
    }
    if (serials.length > 1)
      this.#differs(
        `${serials.map(({ product, serialKey }) => `${product} ${serialKey}`).join(' and ')} have the same hash: npm run rebuild-index -- --partition ${this.#partition} --new-layout`,
      );
  }

  async #lookAgain(doubtful: readonly Doubtful[]): Promise<void> {
    const { position, values } = await this.#pinned(doubtful);
    await caughtUp(this.#context, this.#scope, position, this.#patienceMs);
    this.#dictionaries = await this.#view.dictionaries();
    const ledger = new Map<Bytes, LedgerField>();
    const only = doubtful.map(({ field }) => Buffer.from(field, 'latin1').toString('hex'));
    const range = { partition: this.#partition, cut: position, layout: this.#live.generation, only };
    for await (const block of ledgerFields(this.#context.clickhouse, range))
      for (const field of block) ledger.set(field.field, field);
    for (const { field, bucket } of doubtful) {
      const known = ledger.get(field);
      const index = namedSlots(values.get(field) ?? null, this.#dictionaries);
      const expected = known && known.bucket === bucket ? this.#expected(known.serials) : [];
      if (!equal(index, expected)) this.#differs(told(known, field, index, expected));
    }
  }

  /** The fields as they are at one position. */
  async #pinned(
    doubtful: readonly Doubtful[],
  ): Promise<{ readonly position: number; readonly values: ReadonlyMap<Bytes, Bytes> }> {
    const store = new RedisStateStore(this.#context.redis, indexPrefix);
    const reads = readsOf(doubtful);
    const attempt = async () => {
      const started = await store.start(this.#scope);
      if (started === 'no_index') throw gone(this.#scope);
      const values = await store.read(this.#scope, started.position, reads);
      if (values === 'no_index') throw gone(this.#scope);
      return values === 'moved' ? undefined : { position: started.position, values };
    };
    const found = await waitFor('a moment between two messages', attempt, Boolean, this.#patienceMs);
    const values = new Map<Bytes, Bytes>();
    reads.forEach((read, i) => {
      read.fields.forEach((field, j) => {
        const value = found!.values[i]?.[j];
        if (value != null) values.set(field, value);
      });
    });
    return { position: found!.position, values };
  }

  #expected(serials: LedgerField['serials']): readonly NamedSlot[] {
    const slots = [...foldEntries(serials.flatMap(({ entries }) => entries))].sort(byName);
    return asIndexed(slots, this.#dictionaries);
  }

  #differs(text: string): void {
    this.#report.differs(`${check} of partition ${this.#partition}`, text);
  }
}

function readsOf(doubtful: readonly Doubtful[]): readonly Extract<Read, { kind: 'hash' }>[] {
  const fields = new Map<number, Bytes[]>();
  for (const { bucket, field } of doubtful) {
    const known = fields.get(bucket);
    if (known) known.push(field);
    else fields.set(bucket, [field]);
  }
  return [...fields].map(([bucket, names]) => ({ kind: 'hash', key: bucketKey(bucket), fields: names }));
}

function equal(a: readonly NamedSlot[], b: readonly NamedSlot[]): boolean {
  return (
    a.length === b.length &&
    a.every((slot, i) => {
      const other = b[i]!;
      return (
        slot.holder === other.holder &&
        slot.supplier === other.supplier &&
        slot.entry === other.entry &&
        slot.state === other.state &&
        slot.status === other.status
      );
    })
  );
}

function told(
  known: LedgerField | undefined,
  field: Bytes,
  index: readonly NamedSlot[],
  ledger: readonly NamedSlot[],
): string {
  const serial = known?.serials[0];
  const name = serial
    ? `${serial.product} ${serial.serialKey}`
    : `a serial (hash ${Buffer.from(field, 'latin1').toString('hex')})`;
  return `${name}: the index has ${inWords(index)}, the ledger ${inWords(ledger)}`;
}

function inWords(slots: readonly NamedSlot[]): string {
  if (slots.length === 0) return 'nothing';
  return slots
    .map(
      ({ holder, supplier, entry, state, status }) =>
        `${state} under ${holder} by ${supplier}, entry ${entry}${status === '' ? '' : `, status ${status}`}`,
    )
    .join(' and ');
}

function gone({ name }: Scope): OperationalError {
  return new OperationalError('no_index', `the index of {${name}} went away while it was compared`, {
    retryable: true,
  });
}
