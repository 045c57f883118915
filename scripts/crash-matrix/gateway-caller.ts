import { setTimeout as delay } from 'node:timers/promises';
import type { Actor } from './rig.ts';

export interface Answered {
  readonly status: number;
  readonly body: { readonly id?: string; readonly code?: string };
}

const againAfterMs = 100;
const attemptTimeoutMs = 30_000;
const patienceMs = 120_000;

/** Answers that say "come again", and ask for nothing else. */
const comeAgain: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * A client as one should be: whatever it has no answer to it sends again, under the same Idempotency-Key, until it has one.
 */
export class GatewayCaller {
  readonly #url: () => string;
  /** Requests that were sent more than once. */
  repeated = 0;

  constructor(url: () => string) {
    this.#url = url;
  }

  async post(
    actor: Actor,
    path: string,
    idempotencyKey: string,
    content: { readonly type: string; readonly body: string },
  ): Promise<Answered> {
    const deadline = Date.now() + patienceMs;
    for (let attempts = 1; ; attempts++) {
      const answered = await this.#attempt(actor, path, idempotencyKey, content);
      if (typeof answered !== 'string' && !comeAgain.has(answered.status)) {
        if (attempts > 1) this.repeated += 1;
        return answered;
      }
      if (Date.now() > deadline)
        throw new Error(
          `POST ${path}: no answer in ${patienceMs / 1_000} s, at last ${JSON.stringify(answered)}`,
        );
      await delay(againAfterMs);
    }
  }

  async #attempt(
    { key }: Actor,
    path: string,
    idempotencyKey: string,
    { type, body }: { readonly type: string; readonly body: string },
  ): Promise<Answered | string> {
    try {
      const response = await fetch(`${this.#url()}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': type,
          'idempotency-key': idempotencyKey,
        },
        body,
        signal: AbortSignal.timeout(attemptTimeoutMs),
      });
      return { status: response.status, body: (await response.json()) as Answered['body'] };
    } catch (error) {
      return String((error as Error).cause ?? error);
    }
  }
}
