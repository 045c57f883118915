import { readFileSync } from 'node:fs';
import {
  type Applied,
  type Bytes,
  type JournalEntry,
  journalEntriesMax,
  type Read,
  type Refusal,
  type Scope,
  type Started,
  type StateStore,
  type Write,
} from '#shared/runtime/state-store.ts';
import { type RedisClient, translateRedisError } from './client.ts';
import { PackedTexts } from './packed.ts';

type Script = (...args: (string | number | Buffer)[]) => Promise<unknown>;
type Scripted = RedisClient &
  Record<'ledgerStartBuffer' | 'ledgerReadBuffer' | 'ledgerApply' | 'ledgerTrim' | 'ledgerActivate', Script>;

/** Holds the number of a generation while it is built; no generation without it is ever switched to. */
export const buildingKey = 'building';

/** Says which generation of a scope is the current one (D7). */
export function generationKey(prefix: string, scope: Pick<Scope, 'name'>): string {
  return `${prefix}{${scope.name}}:generation`;
}

/** Name in Redis of a key of the state. */
export function stateKey(prefix: string, scope: Scope, name: string): string {
  return `${prefix}{${scope.name}}:${scope.generation}:${name}`;
}

/** Makes a script of `lua/` the command `ledgerName` of a connection. */
export function defineScript(redis: RedisClient, name: string): void {
  redis.defineCommand(`ledger${name[0]!.toUpperCase()}${name.slice(1)}`, {
    lua: readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8'),
  });
}

const readKinds = { hash: 1, score: 2 } as const;
const writeKinds = { set: 1, delete: 2, score: 3, expire: 4 } as const;

/**
 * State in Redis. Each method is one script call; all keys are declared and share the scope's hash tag, so that a
 * cluster serves them from one node. `prefix` carries the generation of the topics (K6).
 */
export class RedisStateStore implements StateStore {
  readonly #redis: Scripted;
  readonly #prefix: string;
  readonly #building: boolean;

  /** `building`: the state of a generation that is being built and is not the current one. */
  constructor(redis: RedisClient, prefix: string, options: { readonly building?: boolean } = {}) {
    for (const name of ['start', 'read', 'apply', 'trim', 'activate']) defineScript(redis, name);
    this.#redis = redis as Scripted;
    this.#prefix = prefix;
    this.#building = options.building ?? false;
  }

  async start(scope: Scope): Promise<Started | 'no_index'> {
    const keys = [this.#generationKey(scope), ...this.#keys(scope, ['position', 'journal'])];
    const answer = (await this.#call('start', () =>
      this.#redis.ledgerStartBuffer(keys.length, ...keys, scope.generation),
    )) as [Buffer, Buffer, Buffer, Buffer[]];
    if (String(answer[0]) === 'no_index') return 'no_index';
    return {
      position: Number(answer[1]),
      seekOffset: Number(answer[2]),
      journal: unpackJournal(answer[3]),
    };
  }

  async read(
    scope: Scope,
    expected: number,
    reads: readonly Read[],
  ): Promise<readonly (readonly (Bytes | null)[])[] | Refusal> {
    const packed = new PackedTexts();
    for (const read of reads) {
      const names = read.kind === 'hash' ? read.fields : read.members;
      packed.group(readKinds[read.kind], names.length);
      for (const name of names) packed.text(name);
    }
    const keys = [
      this.#generationKey(scope),
      ...this.#keys(scope, ['position', ...reads.map(({ key }) => key)]),
    ];
    const answer = (await this.#call('read', () =>
      this.#redis.ledgerReadBuffer(keys.length, ...keys, scope.generation, expected, packed.bytes()),
    )) as Buffer | [Buffer];
    // A refusal is a word in a list, so that no value can be taken for one.
    return Array.isArray(answer) ? (String(answer[0]) as Refusal) : unpackValues(answer, reads);
  }

  async apply(scope: Scope, expected: number, applied: Applied): Promise<'applied' | Refusal | 'full'> {
    const keys = [
      this.#generationKey(scope),
      ...this.#keys(scope, ['position', 'journal', ...applied.writes.map(({ key }) => key)]),
    ];
    const journal = packJournal(applied.journal);
    const writes = packWrites(applied.writes);
    return (await this.#call('apply', () =>
      this.#redis.ledgerApply(
        keys.length,
        ...keys,
        scope.generation,
        expected,
        applied.position,
        applied.seekOffset,
        journalEntriesMax,
        journal,
        writes,
      ),
    )) as 'applied' | Refusal | 'full';
  }

  async trim(scope: Scope, origins: readonly number[]): Promise<'trimmed' | 'no_index'> {
    const keys = [this.#generationKey(scope), ...this.#keys(scope, ['journal'])];
    return (await this.#call('trim', () =>
      this.#redis.ledgerTrim(keys.length, ...keys, scope.generation, ...origins),
    )) as 'trimmed' | 'no_index';
  }

  async activate(scope: Scope): Promise<'activated' | 'superseded'> {
    const keys = [generationKey(this.#prefix, scope), ...this.#keys(scope, ['position'])];
    return (await this.#call('activate', () =>
      this.#redis.ledgerActivate(keys.length, ...keys, scope.generation),
    )) as 'activated' | 'superseded';
  }

  #generationKey(scope: Scope): string {
    return this.#building ? stateKey(this.#prefix, scope, buildingKey) : generationKey(this.#prefix, scope);
  }

  #keys(scope: Scope, names: readonly string[]): string[] {
    return names.map((name) => stateKey(this.#prefix, scope, name));
  }

  async #call<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw translateRedisError(error, `${doing} the index`);
    }
  }
}

/** Stands in the place of a length. */
const noValue = 0xffff_ffff;

function unpackValues(answer: Buffer, reads: readonly Read[]): (Bytes | null)[][] {
  let at = 0;
  return reads.map((read) => {
    const count = read.kind === 'hash' ? read.fields.length : read.members.length;
    const values: (Bytes | null)[] = new Array(count);
    for (let i = 0; i < count; i++) {
      const length = answer.readUInt32BE(at);
      at += 4;
      values[i] = length === noValue ? null : answer.toString('latin1', at, at + length);
      if (length !== noValue) at += length;
    }
    return values;
  });
}

function packWrites(writes: readonly Write[]): Buffer {
  const packed = new PackedTexts();
  for (const write of writes) packWrite(packed, write);
  return packed.bytes();
}

function packWrite(packed: PackedTexts, write: Write): void {
  const kind = writeKinds[write.kind];
  switch (write.kind) {
    case 'set':
      packed.group(kind, 2 * write.fields.length);
      for (const [field, value] of write.fields) {
        packed.text(field);
        packed.text(value);
      }
      break;
    case 'delete':
      packed.group(kind, write.fields.length);
      for (const field of write.fields) packed.text(field);
      break;
    case 'score':
      packed.group(kind, 2 * write.members.length);
      for (const [score, member] of write.members) {
        packed.text(String(score));
        packed.text(member);
      }
      break;
    case 'expire':
      packed.group(kind, 1);
      packed.text(String(write.below));
  }
}

function packJournal(entries: readonly JournalEntry[]): Buffer {
  const packed = new PackedTexts();
  packed.count(entries.length);
  for (const entry of entries) {
    packed.text(String(entry.origin));
    packed.data(Buffer.concat([offsetBytes(entry.offset), entry.payload]));
  }
  return packed.bytes();
}

function unpackJournal(pairs: readonly Buffer[]): JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const value = pairs[i + 1]!;
    entries.push({
      origin: Number(pairs[i]),
      offset: Number(value.readBigUInt64BE(0)),
      payload: value.subarray(8),
    });
  }
  return entries.sort((a, b) => a.offset - b.offset);
}

function offsetBytes(offset: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(offset));
  return bytes;
}
