import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Microseconds of CPU that processes have used since they began, by name: all threads, user and system. */
export type CpuTimes = Readonly<Record<string, number>>;

export interface Watched {
  readonly name: string;
  readonly pid: number;
}

let ticks: number | undefined;

/** Reads `/proc/PID/stat`; a process that is not there, or a system without it, is left out. */
export function cpuTimes(watched: readonly Watched[]): CpuTimes {
  ticks ??= ticksPerSecond();
  const times: Record<string, number> = {};
  for (const { name, pid } of watched) {
    const used = ticksOf(pid);
    if (used !== undefined) times[name] = (used / ticks) * 1e6;
  }
  return times;
}

export function cpuPerRow(from: CpuTimes, to: CpuTimes, rows: number): Record<string, number> {
  const each: Record<string, number> = {};
  for (const [name, time] of Object.entries(to)) each[name] = (time - (from[name] ?? 0)) / rows;
  return each;
}

function ticksOf(pid: number): number | undefined {
  try {
    // The name of the program stands in brackets and may hold spaces; what follows it does not.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return undefined;
  }
}

function ticksPerSecond(): number {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  } catch {
    return 100;
  }
}
