import Type from 'typebox';
import type { Identity } from '#gateway/accounts/book.ts';
import { type RequestMark, requestMark } from '#gateway/accounts/request-mark.ts';
import type { Answer } from '#gateway/http/operation.ts';
import { Recent } from '#gateway/recent.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { IdempotencyKey } from './common.ts';

/** Of whatever creates something. */
export const KeyedHeaders = Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) });

interface KeyedCall {
  readonly params?: unknown;
  readonly body?: unknown;
  readonly headers: { readonly 'idempotency-key'?: string };
}

/** The mark of a request that has an Idempotency-Key; keys are looked for among those of the account that asks. */
export function markOf(
  operation: string,
  { params, body, headers }: KeyedCall,
  identity: Identity | undefined,
): RequestMark | undefined {
  const key = headers['idempotency-key'];
  return key === undefined
    ? undefined
    : requestMark(identity?.account.id ?? operation, key, { operation, params, body });
}

interface Given {
  readonly sha256: string;
  readonly answer: Promise<Answer | Refusal>;
  readonly at: number;
}

const rememberedMax = 1_000;
/** Long enough for a client that tries again because the connection broke. */
export const keyAnswersMs = 600_000;

/**
 * Answers with keys in them. Keys are kept nowhere but as hashes, so that a repetition can not be answered out of the log: for
 * some minutes this instance remembers what it has answered, and nobody writes it down.
 */
export class KeyAnswers {
  readonly #now: () => number;
  readonly #given = new Recent<string, Given>(rememberedMax);

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The answer of the first time, or of `work`. Of two requests at once, one waits for the other. */
  async once(
    mark: RequestMark | undefined,
    work: () => Promise<Answer | Refusal>,
  ): Promise<Answer | Refusal> {
    if (!mark) return work();
    for (
      let before = this.#given.get(mark.request);
      before && before.at + keyAnswersMs > this.#now();
      before = this.#given.get(mark.request)
    ) {
      const answer = await before.answer.catch(() => undefined);
      if (answer && !isRefusal(answer))
        return before.sha256 === mark.sha256 ? answer : refuse('idempotency_key_reused');
      // What was refused or has failed leaves the key free.
      if (this.#given.get(mark.request) === before) this.#given.delete(mark.request);
    }
    const answer = work();
    answer.catch(() => undefined);
    this.#given.set(mark.request, { sha256: mark.sha256, answer, at: this.#now() });
    return answer;
  }
}
