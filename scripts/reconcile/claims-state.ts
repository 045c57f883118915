import { keys, newestCell, slotKeys } from '#certificate/decide/claims-state.ts';
import { eventWindowMs } from '#certificate/decide/decider.ts';
import { indexPrefix } from '#shared/adapters/kafka/topics.ts';
import { type RedisClient, translated } from '#shared/adapters/redis/client.ts';
import { RedisStateStore, stateKey } from '#shared/adapters/redis/state-store.ts';
import { OperationalError } from '#shared/base/errors.ts';
import type { Bytes, Read, Scope } from '#shared/runtime/state-store.ts';
import { count, type RecoveryContext } from '../recovery/context.ts';
import { caughtUp } from './caught-up.ts';
import type { LiveIndex } from './positions.ts';
import type { Report } from './report.ts';
import { ScratchClaims } from './scratch.ts';
import { waitFor } from './wait.ts';

const check = 'claims';

/** What is compared: a field of a hash, or a member of the events. */
interface Doubtful {
  readonly key: string;
  readonly name: Bytes;
}

/** Large hashes, read page by page. Slots are spread over many small ones. */
const pagedHashes = [keys.claims, keys.units, keys.premises, keys.sequences];
const pageItems = 1_000;
const slotKeysAtOnce = 1_024;
const pinnedAtOnce = 5_000;
const doubtfulMax = 200_000;

/**
 * The state of all claims (records, units, premises, reservations, sequences, codes, events) against the ledger, both
 * ways: every event is decided again beside it, each decision must be the one in the ledger, and what came of all of them
 * must be what decide has. What moved meanwhile is looked at again, both sides at the same offset.
 */
export async function checkClaimState(
  context: RecoveryContext,
  report: Report,
  live: LiveIndex,
  patienceMs: number,
): Promise<void> {
  const scratch = await ScratchClaims.begin(context);
  try {
    await scratch.advance(live.cut);
    await new ClaimsCheck(context, report, live, scratch, patienceMs).run();
    report.looked(check, `${count(scratch.events)} events decided again, with what they left in the state`);
  } catch (error) {
    if (!(error instanceof OperationalError && error.code === 'decided_otherwise')) throw error;
    report.differs(check, error.message);
  } finally {
    await scratch.free(context.redis);
  }
}

class ClaimsCheck {
  readonly #context: RecoveryContext;
  readonly #redis: RedisClient;
  readonly #report: Report;
  readonly #scope: Scope;
  readonly #scratch: ScratchClaims;
  readonly #patienceMs: number;
  readonly #doubtful: Doubtful[] = [];

  constructor(
    context: RecoveryContext,
    report: Report,
    live: LiveIndex,
    scratch: ScratchClaims,
    patienceMs: number,
  ) {
    this.#context = context;
    this.#redis = context.redis;
    this.#report = report;
    this.#scope = { name: live.scope, generation: live.generation.generation };
    this.#scratch = scratch;
    this.#patienceMs = patienceMs;
  }

  async run(): Promise<void> {
    for (const key of pagedHashes) await this.#comparePaged(key);
    await this.#compareSlots();
    await this.#compareEvents();
    this.#doubt(keys.counters, 'code');
    for (let from = 0; from < this.#doubtful.length; from += pinnedAtOnce)
      await this.#lookAgain(this.#doubtful.slice(from, from + pinnedAtOnce));
    await this.#checkSources();
  }

  async #comparePaged(key: string): Promise<void> {
    const pairs: [Scope, Scope][] = [
      [this.#scope, this.#scratch.scope],
      [this.#scratch.scope, this.#scope],
    ];
    for (const [one, other] of pairs)
      for await (const page of this.#pages('HSCAN', key, one)) {
        const names = page.map(([name]) => name);
        const values = await this.#values(key, other, names);
        page.forEach(([name, value], i) => {
          if (values[i] !== value) this.#doubt(key, name);
        });
      }
  }

  async *#pages(
    command: 'HSCAN' | 'ZSCAN',
    key: string,
    scope: Scope,
  ): AsyncGenerator<readonly (readonly [Bytes, Bytes])[]> {
    let cursor = '0';
    do {
      const [next, list] = (await translated(
        this.#redis.callBuffer(command, stateKey(indexPrefix, scope, key), cursor, 'COUNT', pageItems),
        'reading the state of claims',
      )) as [Buffer, Buffer[]];
      cursor = String(next);
      const page = pairsOf(list);
      if (page.length > 0) yield page;
    } while (cursor !== '0');
  }

  async #values(key: string, scope: Scope, names: readonly Bytes[]): Promise<readonly (Bytes | undefined)[]> {
    const fields = names.map((name) => Buffer.from(name, 'latin1'));
    const values = (await translated(
      this.#redis.callBuffer('HMGET', stateKey(indexPrefix, scope, key), ...fields),
      'reading the state of claims',
    )) as (Buffer | null)[];
    return values.map((value) => value?.toString('latin1'));
  }

  async #compareSlots(): Promise<void> {
    const all = slotKeys();
    for (let from = 0; from < all.length; from += slotKeysAtOnce) {
      const some = all.slice(from, from + slotKeysAtOnce);
      const mine = await this.#hashes(some, this.#scope);
      const theirs = await this.#hashes(some, this.#scratch.scope);
      some.forEach((key, i) => {
        const one = mine[i]!;
        const other = theirs[i]!;
        for (const name of new Set([...one.keys(), ...other.keys()]))
          if (one.get(name) !== other.get(name)) this.#doubt(key, name);
      });
    }
  }

  async #hashes(names: readonly string[], scope: Scope): Promise<readonly ReadonlyMap<Bytes, Bytes>[]> {
    const pipeline = this.#redis.pipeline();
    for (const name of names) pipeline.callBuffer('HGETALL', stateKey(indexPrefix, scope, name));
    const answers = (await translated(pipeline.exec(), 'reading the state of claims')) ?? [];
    return answers.map(([error, list]) => {
      if (error) throw error;
      return new Map(pairsOf(list as Buffer[]));
    });
  }

  /** Of the events, what either side lets go of because of its window may be missing on the other. */
  async #compareEvents(): Promise<void> {
    const pairs: [Scope, Scope][] = [
      [this.#scope, this.#scratch.scope],
      [this.#scratch.scope, this.#scope],
    ];
    for (const [one, other] of pairs) {
      const below = (await this.#newest(other)) - eventWindowMs;
      for await (const page of this.#pages('ZSCAN', keys.events, one)) {
        const names = page.map(([name]) => Buffer.from(name, 'latin1'));
        const scores = await translated(
          this.#redis.zmscore(stateKey(indexPrefix, other, keys.events), ...names),
          'reading the state of claims',
        );
        page.forEach(([name, score], i) => {
          const known = scores[i];
          if (known == null ? Number(score) >= below : Number(known) !== Number(score))
            this.#doubt(keys.events, name);
        });
      }
    }
  }

  async #newest(scope: Scope): Promise<number> {
    const [value] = await this.#values(newestCell.key, scope, [newestCell.field]);
    return Number(value ?? 0);
  }

  #doubt(key: string, name: Bytes): void {
    this.#doubtful.push({ key, name });
    if (this.#doubtful.length > doubtfulMax)
      throw new OperationalError(
        'too_much_moved',
        `more than ${count(doubtfulMax)} parts of the state of claims differ or changed meanwhile: try again when less arrives, or rebuild it`,
        { retryable: true },
      );
  }

  async #lookAgain(doubtful: readonly Doubtful[]): Promise<void> {
    const reads = readsOf(doubtful);
    const { position, values } = await this.#pinned(reads);
    await caughtUp(this.#context, this.#scope, position, this.#patienceMs);
    await this.#scratch.advance(position);
    if (this.#scratch.cut > position)
      throw new OperationalError('moved', 'the state of claims was put back while it was compared', {
        retryable: true,
      });
    const expected = await this.#scratch.read(reads);
    reads.forEach((read, i) => {
      const names = read.kind === 'hash' ? read.fields : read.members;
      names.forEach((name, j) => {
        const mine = values[i]?.[j] ?? null;
        const theirs = expected[i]?.[j] ?? null;
        if (mine !== theirs)
          this.#report.differs(
            check,
            `${read.key} ${text(name)}: decide has ${shortened(mine)}, the ledger makes ${shortened(theirs)}`,
          );
      });
    });
  }

  async #pinned(
    reads: readonly Read[],
  ): Promise<{ readonly position: number; readonly values: readonly (readonly (Bytes | null)[])[] }> {
    const store = new RedisStateStore(this.#redis, indexPrefix);
    const attempt = async () => {
      const started = await store.start(this.#scope);
      if (started === 'no_index') return undefined;
      const values = await store.read(this.#scope, started.position, reads);
      return typeof values === 'string' ? undefined : { position: started.position, values };
    };
    return (await waitFor('a moment between two claims', attempt, Boolean, this.#patienceMs))!;
  }

  /** Repetitions move the sources too, so that they may be further than what was decided; never behind it. */
  async #checkSources(): Promise<void> {
    const mine = await this.#hashes([keys.sources], this.#scope);
    const theirs = await this.#hashes([keys.sources], this.#scratch.scope);
    for (const [partition, offset] of theirs[0]!)
      if (Number(mine[0]!.get(partition) ?? -1) < Number(offset))
        this.#report.differs(
          check,
          `source ${partition}: decide has offset ${mine[0]!.get(partition) ?? 'none'}, the ledger ${offset}`,
        );
  }
}

function pairsOf(list: readonly Buffer[]): [Bytes, Bytes][] {
  const pairs: [Bytes, Bytes][] = [];
  for (let at = 0; at + 1 < list.length; at += 2)
    pairs.push([list[at]!.toString('latin1'), list[at + 1]!.toString('latin1')]);
  return pairs;
}

function readsOf(doubtful: readonly Doubtful[]): readonly Read[] {
  const names = new Map<string, Set<Bytes>>();
  for (const { key, name } of doubtful) {
    const known = names.get(key) ?? new Set();
    names.set(key, known.add(name));
  }
  return [...names].map(([key, set]) =>
    key === keys.events ? { kind: 'score', key, members: [...set] } : { kind: 'hash', key, fields: [...set] },
  );
}

function text(name: Bytes): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}

function shortened(value: Bytes | null): string {
  if (value === null) return 'nothing';
  const whole = text(value);
  return whole.length > 300 ? `${whole.slice(0, 300)}...` : whole;
}
