import { Worker } from 'node:worker_threads';
import type { Mutant } from './mutants.ts';
import type { RunResult } from './simulation.ts';

export interface SeedsToRun {
  readonly seeds: readonly number[];
  readonly threads: number;
  readonly mutant?: Mutant;
  /** After the first violation no further seed is begun. */
  readonly stopAtViolation?: boolean;
  readonly onResult?: (result: RunResult) => void;
}

export function seedsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Runs the seeds in threads of their own, and returns what broke, lowest seed first. */
export async function runSeeds(options: SeedsToRun): Promise<readonly RunResult[]> {
  const { seeds, threads, stopAtViolation } = options;
  const violations: RunResult[] = [];
  let next = 0;
  const take = (): number | undefined => {
    if (stopAtViolation && violations.length > 0) return undefined;
    next += 1;
    return seeds[next - 1];
  };
  const took = (result: RunResult): void => {
    if (result.violation !== undefined) violations.push(result);
    options.onResult?.(result);
  };
  await Promise.all(Array.from({ length: threads }, () => runThread(options.mutant, take, took)));
  return violations.sort((a, b) => a.seed - b.seed);
}

/** One seed after another, in one thread, until there is none left. */
async function runThread(
  mutant: Mutant | undefined,
  take: () => number | undefined,
  took: (result: RunResult) => void,
): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { edits: mutant?.edits ?? [] },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        const seed = take();
        if (seed === undefined) resolve();
        else worker.postMessage(seed);
      };
      worker.on('message', (result: RunResult) => {
        took(result);
        begin();
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`a thread of the simulation ended with ${code}`)));
      begin();
    });
  } finally {
    worker.removeAllListeners();
    await worker.terminate();
  }
}
