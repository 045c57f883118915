import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { derivedId, newId } from '#gateway/ids.ts';
import { Recent } from '#gateway/recent.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { joinKey } from '#shared/base/keys.ts';
import { batchingVersion } from '#shared/domain/normalise.ts';
import type { Contents } from './collect.ts';
import type {
  Accepted,
  Earlier,
  EarlierSubmissions,
  Submission,
  SubmissionLog,
  Upload,
} from './submission.ts';

export interface DeskOptions {
  readonly now: () => number;
  /** How long an upload waits for the ledger's word on its Idempotency-Key once it has been read. */
  readonly earlierWaitMs: number;
  /** Called once for each submission that this instance has written. */
  readonly written?: (submission: Submission, contents: Contents) => void;
  readonly earlierUnknown?: (error: unknown) => void;
}

interface Attempt {
  readonly fingerprint: string;
  readonly answer: Promise<Accepted | Refusal>;
}

const compress = promisify(gzip);
const recentMax = 10_000;

/**
 * Takes files: reads one completely, then writes it in one transaction (K2), and only then says that it is accepted.
 * With an Idempotency-Key the id follows from account, key and bytes, so that a repetition is the same submission at
 * whatever instance (K4); a key that comes with other bytes is refused once the first submission is known (A2).
 */
export class SubmissionDesk {
  readonly #log: SubmissionLog;
  readonly #earlier: EarlierSubmissions;
  readonly #options: DeskOptions;
  readonly #attempts = new Recent<string, Attempt>(recentMax);

  constructor(log: SubmissionLog, earlier: EarlierSubmissions, options: DeskOptions) {
    this.#log = log;
    this.#earlier = earlier;
    this.#options = options;
  }

  async accept(upload: Upload): Promise<Accepted | Refusal> {
    const bodySha256 = hash('sha256', upload.body, 'hex');
    const { idempotencyKey: key, account } = upload;
    if (key === undefined) return this.#take(upload, newId(this.#options.now()), bodySha256);

    const fingerprint = fingerprintOf({ ...upload.document, bodySha256 });
    const place = joinKey(account.id, key);
    for (let attempt = this.#attempts.get(place); attempt; attempt = this.#attempts.get(place)) {
      const accepted = await this.#outcomeOf(attempt, place);
      if (accepted) return attempt.fingerprint === fingerprint ? accepted : refuse('idempotency_key_reused');
    }
    // Nothing is waited for between the look and the entry: of two uploads at once, one finds the other.
    const answer = this.#takeOnce(upload, key, bodySha256, fingerprint);
    this.#attempts.set(place, { fingerprint, answer });
    return answer;
  }

  /** What was accepted, once it is known. An attempt that failed or was refused leaves the key free. */
  async #outcomeOf({ answer }: Attempt, place: string): Promise<Accepted | undefined> {
    const accepted = await answer.catch(() => undefined);
    if (accepted && !isRefusal(accepted)) return accepted;
    if (this.#attempts.get(place)?.answer === answer) this.#attempts.delete(place);
    return undefined;
  }

  async #takeOnce(
    upload: Upload,
    key: string,
    bodySha256: string,
    fingerprint: string,
  ): Promise<Accepted | Refusal> {
    const { product, action } = upload.document;
    const id = derivedId(upload.account.id, key, bodySha256, product, action, String(batchingVersion));
    const asked = this.#earlier.withKey(upload.account.id, key).catch((error) => {
      // Uploads do not depend on the ledger: at worst one key is accepted with two bodies, and nothing is lost (A2).
      this.#options.earlierUnknown?.(error);
      return [];
    });
    return this.#take(upload, id, bodySha256, async () => {
      const earlier = await within(asked, this.#options.earlierWaitMs);
      if (!earlier || earlier.length === 0) return undefined;
      const same = earlier.find((submission) => fingerprintOf(submission) === fingerprint);
      return same ? { id: same.id, received: same.rows } : refuse('idempotency_key_reused');
    });
  }

  async #take(
    upload: Upload,
    id: string,
    bodySha256: string,
    answeredBefore: () => Promise<Accepted | Refusal | undefined> = async () => undefined,
  ): Promise<Accepted | Refusal> {
    const { account, body, document, fileName, channel, declaration, declaredBy } = upload;
    const receivedAt = this.#options.now();
    // Compression has a thread of its own; the fastest level, since the time to the answer counts.
    const bodyGzip = compress(body, { level: 1 });
    const contents = await upload.read();
    // What was accepted once stays accepted, whatever has changed by which it is judged.
    const before = await answeredBefore();
    if (before) return before;
    if (isRefusal(contents)) return contents;
    const submission: Submission = {
      id,
      account: account.id,
      supplier: account.name,
      channel,
      product: document.product,
      action: document.action,
      receivedAt,
      fileName,
      declaration,
      declaredBy,
      idempotencyKey: upload.idempotencyKey ?? '',
      bodySha256,
      bodyGzip: await bodyGzip,
      bodyBytes: body.length,
      rows: contents.rows,
      batches: contents.batches,
    };
    await this.#log.write(submission);
    this.#options.written?.(submission, contents);
    return { id, received: contents.rows };
  }
}

function fingerprintOf(of: Pick<Earlier, 'product' | 'action' | 'bodySha256'>): string {
  return joinKey(of.product, of.action, of.bodySha256);
}

/** The value, or undefined when it has not come by then. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
