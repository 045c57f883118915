import { DecidePartition, type DecidePorts } from '#certificate/decide/partition.ts';
import type { ClaimEvent, Decided, Evidence, EvidencedClaim } from '#shared/domain/claims/index.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import { Restart } from '#shared/runtime/stage.ts';
import type { Scope, StateStore } from '#shared/runtime/state-store.ts';
import { evidenceFor } from './claims.ts';

/** A log of evidenced claims in memory, with JSON for Avro, and workers that read it: no engine. */
export const claimsScope: Scope = { name: 'claims', generation: '1' };

export function evidenced(
  claim: ClaimEvent,
  partition: number,
  offset: number,
  more: Partial<Evidence> = {},
): EvidencedClaim {
  const evidence = evidenceFor(claim, undefined, {
    source_partition: partition,
    source_offset: offset,
    ...more,
  });
  return { ...claim, ...evidence };
}

export class ClaimsLog {
  readonly messages: InMessage[] = [];
  /** Everything that was ever published, in order, copies included. */
  readonly published: Decided[] = [];
  readonly dead: number[] = [];

  append(event: EvidencedClaim | null): number {
    const offset = this.messages.length;
    const value = event && Buffer.from(JSON.stringify(event));
    this.messages.push({ offset, key: null, value, headers: {}, timestamp: 0 });
    return offset;
  }

  ports(store: StateStore, more: Partial<DecidePorts> = {}): DecidePorts {
    return {
      store,
      deadLettersInRowMax: 3,
      deadBefore: new Set(),
      decode: (message) =>
        message.value ? (JSON.parse(message.value.toString()) as EvidencedClaim) : undefined,
      encode: (_message, decided) => Buffer.from(JSON.stringify(decided)),
      publish: async (results) => {
        for (const { tail } of results) this.published.push(JSON.parse(tail.toString()) as Decided);
      },
      deadLetter: async (message) => {
        this.dead.push(message.offset);
      },
      counted: () => {},
      ...more,
    };
  }

  /** Published decisions by evidenced offset. Throws when two copies of one decision differ. */
  decisions(): ReadonlyMap<number, Decided> {
    const decisions = new Map<number, Decided>();
    for (const decided of this.published) {
      const known = decisions.get(decided.evidenced_offset);
      if (known && JSON.stringify(known) !== JSON.stringify(decided))
        throw new Error(`two different decisions for offset ${decided.evidenced_offset}`);
      decisions.set(decided.evidenced_offset, decided);
    }
    return decisions;
  }
}

/** A consumer of the log: one worker, the offset it reads on from, and a new worker whenever the old one gives up. */
export class ClaimsReader {
  readonly #log: ClaimsLog;
  readonly #ports: () => DecidePorts;
  #worker: DecidePartition | undefined;
  #next = 0;

  constructor(log: ClaimsLog, ports: () => DecidePorts) {
    this.#log = log;
    this.#ports = ports;
  }

  /** The process is gone: nothing it had in mind survives. */
  crash(): void {
    this.#worker = undefined;
  }

  get atEnd(): boolean {
    return this.#worker !== undefined && this.#next >= this.#log.messages.length;
  }

  /** Takes in at most `messages`; false when the worker gave up and starts again next time. Our bugs are thrown. */
  async step(messages: number, passing: (error: unknown) => boolean): Promise<boolean> {
    try {
      if (!this.#worker) await this.#start();
      const batch = this.#log.messages.slice(this.#next, this.#next + messages);
      if (batch.length > 0) await this.#worker!.handle(batch, { backlog: 0 });
      await this.#worker!.settled();
      this.#next += batch.length;
      return true;
    } catch (error) {
      if (!(error instanceof Restart) && !passing(error)) throw error;
      this.crash();
      return false;
    }
  }

  async #start(): Promise<void> {
    const control = { commit: () => {}, fail: () => {} };
    const { worker, offset } = await DecidePartition.start(claimsScope, this.#ports(), control);
    this.#worker = worker;
    this.#next = offset;
  }
}
