import { OperationalError } from '#shared/base/errors.ts';

const pollMs = 200;

/** Asks again until `done`; a fleet that does not get there in time cannot be compared. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T>,
  done: (answer: T) => boolean,
  patienceMs: number,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (done(answer)) return answer;
    if (performance.now() > deadline)
      throw new OperationalError('not_caught_up', `${what} did not happen in ${patienceMs / 1_000} s`, {
        retryable: true,
      });
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
