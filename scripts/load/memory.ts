import { readFileSync, writeFileSync } from 'node:fs';

export interface Memory {
  /** Megabytes of resident memory: now, and the most since `forgetPeak`. */
  readonly now: number;
  readonly peak: number;
}

/** What `/proc` says of a process; zeros on a system without it. */
export function memoryOf(pid: number): Memory {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const of = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
    return { now: of('VmRSS'), peak: of('VmHWM') };
  } catch {
    return { now: 0, peak: 0 };
  }
}

/** From now on the peak is counted anew. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Not this system's; the peak is then that of the whole life of the process.
  }
}
