import { DedupPartition, type DedupPorts } from '#dedup/partition.ts';
import { createPorts } from '#dedup/ports.ts';
import type { DeadLetterRow } from '#ledger-writer/partition.ts';
import { deadOrigins } from '#shared/adapters/clickhouse/dead-letters.ts';
import {
  beginGeneration,
  type IndexGeneration,
  knownGenerations,
  newHashKey,
  recordReady,
} from '#shared/adapters/clickhouse/index-generations.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicsGeneration } from '#shared/adapters/kafka/topics.ts';
import { readHeaders } from '#shared/codec/headers.ts';
import { MemoryStateStore } from '#shared/runtime/memory-state-store.ts';
import { createMetrics } from '#shared/runtime/metrics.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import type { Scope, Write } from '#shared/runtime/state-store.ts';
import { topics } from './codecs.ts';
import { type Engines, indexBuckets } from './fleet.ts';
import type { Entry, NewEntry } from './log.ts';

const metrics = createMetrics('operator');

/** Whoever looks after the fleet: replays dead letters, and rebuilds an index that was lost. Acts at once, without a wire. */
export class Operator {
  replays = 0;
  rebuilds = 0;
  readonly #engines: Engines;
  readonly #mended: (submission: string, batch: number) => void;

  /** `mended`: ClickHouse takes the data of this batch from now on. */
  constructor(engines: Engines, mended: (submission: string, batch: number) => void) {
    this.#engines = engines;
    this.#mended = mended;
  }

  /** X1: replays one dead letter, its bytes mended, as if a release had come that knows them. */
  replay(row: DeadLetterRow): void {
    const { logs } = this.#engines.broker;
    const { stage, partition, origin } = row;
    this.replays += 1;
    this.#mended(row.submission, row.batch);
    if (stage === 'ledger-writer') {
      const letter = logs.of(topics.deadLetters, 0).entries.find((entry) => isLetterOf(entry, row));
      if (letter) this.#engines.broker.replay(logs.of(topics.decided, partition), originalOf(letter));
    } else {
      const submitted = logs.of(topics.submitted, partition);
      const { key, value, headers, batch } = submitted.entries[origin]!;
      const mended = { key, value: mendedBytes(value!), headers, ...(batch ? { batch } : {}) };
      this.#engines.broker.replay(submitted, mended);
    }
  }

  /** The position and generation that workers start from; undefined while there is no index that may be used. */
  async index(partition: number): Promise<{ generation: string; seekOffset: number } | undefined> {
    const ready = await this.#ready(partition);
    if (!ready) return undefined;
    const { generation } = ready;
    const started = await this.#engines.redis.memory.start({ name: String(partition), generation });
    if (started === 'no_index') return undefined;
    const offsets = [started.seekOffset, ...started.journal.map(({ offset }) => offset)];
    return { generation, seekOffset: Math.min(...offsets) };
  }

  /** Redis has not the generation that ClickHouse names. */
  async isLost(partition: number): Promise<boolean> {
    return (await this.#ready(partition)) !== undefined && (await this.index(partition)) === undefined;
  }

  /**
   * R1: gives Redis the index as of the watermark. What folding the ledger gives is made here by deciding the archived log
   * again, into a store of its own. False while rows that were decided lie in a dead letter.
   */
  async rebuild(partition: number): Promise<boolean> {
    const { ledger, redis, broker } = this.#engines;
    if (ledger.unsettled().some((row) => row.stage === 'ledger-writer' && row.partition === partition))
      return false;
    const of = { scope: String(partition), topicGeneration: topicsGeneration };
    const layout = { hashKey: newHashKey(), buckets: indexBuckets };
    const begun = await beginGeneration(ledger.direct(), of, layout);
    const scope = { name: of.scope, generation: begun.generation };
    const cut = ledger.watermark(partition);
    const writes = await this.#decidedUpTo(cut, partition, scope, begun);
    await redis.memory.activate(scope);
    const seekOffset = broker.logs.of(topics.listed, partition).low;
    await redis.memory.apply(scope, -1, { position: cut, seekOffset, writes, journal: [] });
    await recordReady(ledger.direct(), of, begun);
    this.rebuilds += 1;
    return true;
  }

  async #ready(partition: number): Promise<IndexGeneration | undefined> {
    const of = { scope: String(partition), topicGeneration: topicsGeneration };
    return (await knownGenerations(this.#engines.ledger.direct(), of)).find(({ ready }) => ready);
  }

  async #decidedUpTo(
    cut: number,
    partition: number,
    scope: Scope,
    layout: IndexGeneration,
  ): Promise<readonly Write[]> {
    const store = new RecordingStore();
    await store.activate(scope);
    const ports: DedupPorts = {
      ...createPorts({
        partition,
        store,
        codec: this.#engines.codec,
        publisher: {} as Publisher,
        metrics,
        deadLettersInRowMax: Number.POSITIVE_INFINITY,
        deadBefore: await deadOrigins(this.#engines.ledger.direct(), 'dedup', partition),
      }),
      publish: async () => {},
      deadLetter: async () => {},
    };
    const control = { commit: () => {}, fail: () => {} };
    const { worker } = await DedupPartition.start(scope, layout, ports, control);
    const { entries } = this.#engines.broker.logs.of(topics.listed, partition);
    await worker.handle(entries.filter((entry) => originOf(entry) <= cut).map(toInMessage), { backlog: 0 });
    await worker.settled();
    return store.writes;
  }
}

class RecordingStore extends MemoryStateStore {
  readonly writes: Write[] = [];

  override async apply(...args: Parameters<MemoryStateStore['apply']>) {
    const applied = await super.apply(...args);
    if (applied === 'applied') this.writes.push(...args[2].writes);
    return applied;
  }
}

function isLetterOf({ headers }: Entry, row: DeadLetterRow): boolean {
  return (['stage', 'partition', 'origin', 'submission', 'batch'] as const).every(
    (name) => headers[name] === String(row[name]),
  );
}

function originalOf({ value, headers }: Entry): NewEntry {
  const prefix = 'original.';
  const original = Object.entries(headers)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, text]) => [name.slice(prefix.length), text]);
  return { key: null, value: mendedBytes(value!), headers: Object.fromEntries(original) };
}

/** Messages are broken in their first byte, which is 0 in the wire format. */
function mendedBytes(value: Buffer): Buffer {
  const mended = Buffer.from(value);
  mended[0] = 0;
  return mended;
}

function originOf({ headers }: Entry): number {
  return readHeaders(headers)?.origin ?? -1;
}

function toInMessage({ offset, key, value, headers }: Entry): InMessage {
  return { offset, key, value, headers, timestamp: 0 };
}
