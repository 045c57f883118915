import type { Logger } from 'pino';

/**
 * Does something again and again, `intervalMs` after it was done, until the function returned is called; that resolves
 * when nothing is under way any more. A failure is told and tried again: nothing that decides may be done in this way.
 */
export function repeatedly(
  intervalMs: number,
  work: () => Promise<void>,
  log: Pick<Logger, 'warn'>,
): () => Promise<void> {
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const turn = async () => {
    try {
      await work();
    } catch (error) {
      log.warn({ err: error }, 'not done this time');
    }
    if (!ended) timer = setTimeout(begin, intervalMs);
  };
  const begin = () => {
    running = turn();
  };
  begin();
  return async () => {
    ended = true;
    clearTimeout(timer);
    await running;
  };
}
