import { foldEntries } from '#dedup/fold.ts';
import { bucketKey, indexKeys, newestField } from '#dedup/layout.ts';
import { packName, packSlots } from '#dedup/slots.ts';
import type { IndexGeneration } from '#shared/adapters/clickhouse/index-generations.ts';
import { indexPrefix } from '#shared/adapters/kafka/topics.ts';
import { translated } from '#shared/adapters/redis/client.ts';
import type { IndexBuilder } from '#shared/adapters/redis/index-builder.ts';
import { stateKey } from '#shared/adapters/redis/state-store.ts';
import { assert, OperationalError } from '#shared/base/errors.ts';
import { type Bytes, utf8Bytes, type Write } from '#shared/runtime/state-store.ts';
import type { RecoveryContext } from '../recovery/context.ts';
import { unsettledLetters, watermarkOf } from '../recovery/ledger.ts';
import { newestReceipt, seenBatches } from '../recovery/seen-fold.ts';
import {
  type DictionaryKind,
  type LedgerField,
  ledgerFields,
  namesInOrder,
} from '../recovery/serial-fold.ts';
import { currentGeneration, rebuildGeneration } from './generation.ts';
import { serialsSeekOffset } from './seek.ts';

export interface RebuiltSerials {
  readonly partition: number;
  readonly generation: string;
  /** Up to which origin the ledger was complete, and the index now is. */
  readonly cut: number;
  readonly seekOffset: number;
  readonly serials: number;
  readonly batches: number;
}

export interface SerialsOptions {
  readonly partition: number;
  readonly newBuckets?: number;
  readonly progress: (serials: number) => void;
}

/** Numbers of the names in each dictionary. */
type Numbers = Readonly<Record<DictionaryKind, ReadonlyMap<string, number>>>;

/** Fields of one step. */
const stepItemsMax = 4_000;

/**
 * Rebuilds the index of one partition (R1): everything up to the watermark is folded from ClickHouse into a new
 * generation. What lies above it is read again by the workers, and decided the same.
 * @returns `never_begun` when no worker ever used an index of this partition: its first start makes one
 * @throws OperationalError when it must not be rebuilt, or could not be
 */
export async function rebuildSerials(
  context: RecoveryContext,
  options: SerialsOptions,
): Promise<RebuiltSerials | 'never_begun'> {
  const { partition } = options;
  const scope = String(partition);
  const former = await currentGeneration(context, scope);
  if (!former) return 'never_begun';
  const cut = await watermarkOf(context.clickhouse, 'serials.decided', partition);
  await refuseUnsettled(context, 'ledger-writer', partition);
  // Asked before the work as well: it may take minutes.
  await serialsSeekOffset(context.kafka, partition, cut);
  const { generation, filled } = await rebuildGeneration(context, former, {
    scope,
    ...(options.newBuckets === undefined ? {} : { newBuckets: options.newBuckets }),
    fill: (builder, begun) => new SerialsFilling(context, builder, begun, cut, options).fill(),
  });
  return { partition, generation: generation.generation, cut, ...filled };
}

/** R1, R2: rows that were decided and are not in the ledger would be forgotten, and could be decided otherwise. */
export async function refuseUnsettled(
  { clickhouse }: RecoveryContext,
  stage: string,
  partition: number,
): Promise<void> {
  const [letter, ...others] = await unsettledLetters(clickhouse, stage, partition);
  if (!letter) return;
  throw new OperationalError(
    'dead_letters_unsettled',
    `partition ${partition}: ${1 + others.length} dead letters of ${stage} hold rows that were decided and are not in the ledger ` +
      `(the first at origin ${letter.origin}, submission ${letter.submission}): replay them with "npm run dead-letters -- replay" first`,
    { retryable: false },
  );
}

class SerialsFilling {
  readonly #context: RecoveryContext;
  readonly #builder: IndexBuilder;
  readonly #generation: IndexGeneration;
  readonly #cut: number;
  readonly #options: SerialsOptions;
  #fieldsOf = new Map<string, [Bytes, Bytes][]>();
  #items = 0;
  #serials = 0;
  #batches = 0;

  constructor(
    context: RecoveryContext,
    builder: IndexBuilder,
    generation: IndexGeneration,
    cut: number,
    options: SerialsOptions,
  ) {
    this.#context = context;
    this.#builder = builder;
    this.#generation = generation;
    this.#cut = cut;
    this.#options = options;
  }

  async fill(): Promise<Pick<RebuiltSerials, 'seekOffset' | 'serials' | 'batches'>> {
    await this.#fields({
      holders: await this.#names('holders'),
      suppliers: await this.#names('suppliers'),
      statuses: await this.#names('statuses'),
    });
    await this.#flush();
    await this.#seen();
    await this.#verify();
    const seekOffset = await serialsSeekOffset(this.#context.kafka, this.#options.partition, this.#cut);
    await this.#builder.finish(this.#cut, seekOffset);
    return { seekOffset, serials: this.#serials, batches: this.#batches };
  }

  /** Writes a dictionary, and returns it: numbers from 1 in the order of first use, the last one under ''. */
  async #names(kind: DictionaryKind): Promise<ReadonlyMap<string, number>> {
    const key = indexKeys[kind];
    const names = await namesInOrder(this.#context.clickhouse, kind, this.#options.partition, this.#cut);
    const numbers = new Map(names.map((name, i) => [name, i + 1]));
    for (const [name, number] of numbers) await this.#set(key, utf8Bytes(name), packName(number));
    if (names.length > 0) await this.#set(key, '', packName(names.length));
    return numbers;
  }

  async #fields(numbers: Numbers): Promise<void> {
    const range = { partition: this.#options.partition, cut: this.#cut, layout: this.#generation };
    for await (const block of ledgerFields(this.#context.clickhouse, range)) {
      for (const field of block) await this.#field(field, numbers);
      this.#serials += block.length;
      this.#options.progress(this.#serials);
    }
  }

  async #field({ bucket, field, serials }: LedgerField, numbers: Numbers): Promise<void> {
    const [serial, other] = serials;
    if (other) throw collision(this.#options.partition, serial!.serialKey, other.serialKey);
    const slots = foldEntries(serial!.entries).map((slot) => ({
      ...slot,
      holder: numberOf(numbers.holders, slot.holder),
      supplier: numberOf(numbers.suppliers, slot.supplier),
      status: slot.status === '' ? 0 : numberOf(numbers.statuses, slot.status),
    }));
    await this.#set(bucketKey(bucket), field, packSlots(slots));
  }

  async #seen(): Promise<void> {
    const { clickhouse } = this.#context;
    const { partition } = this.#options;
    const newest = await newestReceipt(clickhouse, partition, this.#cut);
    if (newest === 0) return;
    for await (const block of seenBatches(clickhouse, { partition, cut: this.#cut, newest })) {
      this.#batches += block.length;
      const members = block.map(({ name, score }) => [score, name] as const);
      for (const some of pieces(members, fieldsOfWriteMax))
        await this.#builder.write([{ kind: 'score', key: indexKeys.seen, members: some }]);
    }
    const fields = [[newestField, String(newest)] as const];
    await this.#builder.write([{ kind: 'set', key: indexKeys.receipts, fields }]);
  }

  async #set(key: string, field: Bytes, value: Bytes): Promise<void> {
    const fields = this.#fieldsOf.get(key);
    if (fields) fields.push([field, value]);
    else this.#fieldsOf.set(key, [[field, value]]);
    this.#items += 1;
    if (this.#items >= stepItemsMax) await this.#flush();
  }

  async #flush(): Promise<void> {
    const writes = [...this.#fieldsOf].flatMap(([key, fields]) => setWrites(key, fields));
    this.#fieldsOf = new Map();
    this.#items = 0;
    await this.#builder.write(writes);
  }

  /** Every serial has a field of its own: what was written is counted in Redis itself. */
  async #verify(): Promise<void> {
    const { buckets, generation } = this.#generation;
    const scope = { name: String(this.#options.partition), generation };
    let fields = 0;
    for (let from = 0; from < buckets; from += bucketsCountedAtOnce) {
      const pipeline = this.#context.redis.pipeline();
      for (let bucket = from; bucket < Math.min(from + bucketsCountedAtOnce, buckets); bucket++)
        pipeline.hlen(stateKey(indexPrefix, scope, bucketKey(bucket)));
      const answers = (await translated(pipeline.exec(), 'counting what was built')) ?? [];
      for (const [error, length] of answers) {
        if (error) await translated(Promise.reject(error), 'counting what was built');
        fields += Number(length);
      }
    }
    if (fields !== this.#serials)
      throw new OperationalError(
        'build_incomplete',
        `partition ${this.#options.partition}: Redis has ${fields} of ${this.#serials} serials after all were written: rebuild it again`,
        { retryable: false },
      );
  }
}

const fieldsOfWriteMax = 500;
const bucketsCountedAtOnce = 2_000;

function numberOf(numbers: ReadonlyMap<string, number>, name: string): number {
  const number = numbers.get(name);
  assert(number !== undefined, `the dictionaries have no ${name}`);
  return number;
}

function setWrites(key: string, fields: readonly (readonly [Bytes, Bytes])[]): readonly Write[] {
  return [...pieces(fields, fieldsOfWriteMax)].map((some) => ({ kind: 'set', key, fields: some }));
}

function* pieces<T>(items: readonly T[], most: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += most) yield items.slice(from, from + most);
}

function collision(partition: number, serial: string, other: string): OperationalError {
  return new OperationalError(
    'hash_collision',
    `partition ${partition}: the serials ${serial} and ${other} have the same hash: repeat with --new-layout, which draws another key`,
    { retryable: false },
  );
}
