import { type Refusal, RefusedError, refuse } from '#gateway/refusal.ts';

export interface PaceOptions {
  /** Time spent waiting for the client, in which at least `bytesMin` must come. */
  readonly windowMs: number;
  readonly bytesMin: number;
  /** Ends the waiting; its reason is a RefusedError. */
  readonly signal: AbortSignal;
}

/** The same bytes, until they come too slowly. Only waiting for them counts, not the time until they are asked for. */
export async function* paced(
  bytes: AsyncIterable<Buffer>,
  options: PaceOptions,
): AsyncGenerator<Buffer, void> {
  const { windowMs, bytesMin, signal } = options;
  const iterator = bytes[Symbol.asyncIterator]();
  let waitedMs = 0;
  let came = 0;
  try {
    for (;;) {
      const next = iterator.next();
      const begun = performance.now();
      let result = await within(next, windowMs - waitedMs, signal);
      while (!result) {
        if (came < bytesMin) throw new RefusedError(tooSlow(options));
        came = 0;
        waitedMs = 0;
        result = await within(next, windowMs, signal);
      }
      if (result.done) return;
      waitedMs = Math.min(waitedMs + performance.now() - begun, windowMs);
      came += result.value.length;
      yield result.value;
    }
  } finally {
    // Not waited for: what was asked for last may never come.
    iterator.return?.().catch(() => undefined);
  }
}

function tooSlow({ bytesMin, windowMs }: PaceOptions): Refusal {
  const seconds = windowMs / 1_000;
  return refuse('body_too_slow', `fewer than ${bytesMin} bytes came in ${seconds} seconds`, {
    limit: bytesMin,
    seconds,
  });
}

/** The value, or undefined when it has not come by then. Leaves nothing behind on what lives longer. */
function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T | undefined> {
  const { promise: first, resolve, reject } = Promise.withResolvers<T | undefined>();
  const end = () => reject(signal.reason);
  const timer = setTimeout(() => resolve(undefined), Math.max(ms, 0));
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  promise.then(resolve, reject);
  return first.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  });
}
