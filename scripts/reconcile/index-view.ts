import { byName, type NamedSlot } from '#dedup/fold.ts';
import { bucketKey, indexKeys } from '#dedup/layout.ts';
import { statusesMax, unpackName, unpackSlots } from '#dedup/slots.ts';
import { indexPrefix } from '#shared/adapters/kafka/topics.ts';
import { type RedisClient, translated } from '#shared/adapters/redis/client.ts';
import { stateKey } from '#shared/adapters/redis/state-store.ts';
import type { Bytes, Scope } from '#shared/runtime/state-store.ts';

/** Names by their numbers in one dictionary of an index. */
export type Names = ReadonlyMap<number, string>;

export interface Dictionaries {
  readonly holders: Names;
  readonly suppliers: Names;
  readonly statuses: Names;
  /** Those of the statuses that slots do not tell apart. */
  readonly otherStatuses: ReadonlySet<string>;
  /** What is wrong with the dictionaries themselves. */
  readonly faults: readonly string[];
}

/** The index of a partition as it stands in Redis, read without its scripts: for comparing. */
export class IndexView {
  readonly scope: Scope;
  readonly #redis: RedisClient;

  constructor(redis: RedisClient, scope: Scope) {
    this.#redis = redis;
    this.scope = scope;
  }

  /** Every field of these buckets, with the number of its bucket. */
  async buckets(from: number, to: number): Promise<Map<Bytes, { bucket: number; value: Bytes }>> {
    const pipeline = this.#redis.pipeline();
    for (let bucket = from; bucket < to; bucket++)
      pipeline.callBuffer('HGETALL', this.#key(bucketKey(bucket)));
    const fields = new Map<Bytes, { bucket: number; value: Bytes }>();
    const answers = (await translated(pipeline.exec(), 'reading the index')) ?? [];
    answers.forEach(([error, pairs], i) => {
      if (error) throw error;
      const list = pairs as Buffer[];
      for (let at = 0; at + 1 < list.length; at += 2)
        fields.set(list[at]!.toString('latin1'), {
          bucket: from + i,
          value: list[at + 1]!.toString('latin1'),
        });
    });
    return fields;
  }

  async dictionaries(): Promise<Dictionaries> {
    const faults: string[] = [];
    const holders = await this.#names(indexKeys.holders, faults);
    const suppliers = await this.#names(indexKeys.suppliers, faults);
    const statuses = await this.#names(indexKeys.statuses, faults);
    const others = [...statuses].filter(([number]) => number > statusesMax).map(([, name]) => name);
    return { holders, suppliers, statuses, otherStatuses: new Set(others), faults };
  }

  async #names(key: string, faults: string[]): Promise<Names> {
    const pairs = await this.#hash(key);
    const names = new Map<number, string>();
    let last = 0;
    for (const [name, value] of pairs) {
      const number = unpackName(value);
      if (name === '') last = number;
      else if (names.has(number)) faults.push(`${key}: the number ${number} stands for two names`);
      else names.set(number, Buffer.from(name, 'latin1').toString('utf8'));
    }
    if (names.size !== last) faults.push(`${key}: ${names.size} names, but the last number is ${last}`);
    return names;
  }

  async #hash(key: string): Promise<readonly (readonly [Bytes, Bytes])[]> {
    const list = (await translated(
      this.#redis.callBuffer('HGETALL', this.#key(key)),
      'reading the index',
    )) as Buffer[];
    const pairs: [Bytes, Bytes][] = [];
    for (let at = 0; at + 1 < list.length; at += 2)
      pairs.push([list[at]!.toString('latin1'), list[at + 1]!.toString('latin1')]);
    return pairs;
  }

  #key(name: string): string {
    return stateKey(indexPrefix, this.scope, name);
  }
}

/** What stands for a status beyond those that slots tell apart. */
const anotherStatus = '(another)';

/** Slots with names for numbers, in the order of the holders' names: comparable across generations. */
export function namedSlots(packed: Bytes | null, dictionaries: Dictionaries): readonly NamedSlot[] {
  const { holders, suppliers, statuses } = dictionaries;
  return unpackSlots(packed)
    .map(({ holder, supplier, status, ...slot }) => ({
      ...slot,
      holder: nameOf(holders, holder),
      supplier: nameOf(suppliers, supplier),
      status: statusName(statuses, status),
    }))
    .sort(byName);
}

/** The slots as an index can have them: it does not tell statuses of high numbers apart. */
export function asIndexed(
  slots: readonly NamedSlot[],
  { otherStatuses }: Dictionaries,
): readonly NamedSlot[] {
  if (otherStatuses.size === 0) return slots;
  return slots.map((slot) => (otherStatuses.has(slot.status) ? { ...slot, status: anotherStatus } : slot));
}

function statusName(statuses: Names, status: number): string {
  if (status === 0) return '';
  return status > statusesMax ? anotherStatus : nameOf(statuses, status);
}

function nameOf(names: Names, number: number): string {
  return names.get(number) ?? `(number ${number}, without a name)`;
}
