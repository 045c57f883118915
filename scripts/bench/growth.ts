import { setTimeout as delay } from 'node:timers/promises';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { type CpuTimes, cpuTimes, type Watched } from './processes.ts';
import type { Sample } from './steady.ts';

/** The moment at which rows were seen to have arrived, and the CPU used until then. */
export interface Arrival extends Sample {
  readonly cpu: CpuTimes;
}

const sampleMs = 100;

/** Watches a table grow until it has `target` rows more than at the start. `table` is ours, never a user's text. */
export async function watchGrowth(
  clickhouse: Clickhouse,
  table: string,
  options: {
    readonly before: number;
    readonly target: number;
    readonly timeoutMs: number;
    readonly processes: readonly Watched[];
  },
): Promise<readonly Arrival[]> {
  const { before, target, timeoutMs, processes } = options;
  const arrivals: Arrival[] = [];
  const deadline = performance.now() + timeoutMs;
  let seen = 0;
  while (seen < target) {
    const rows = (await countRows(clickhouse, table)) - before;
    const atMs = performance.now();
    if (rows > seen) arrivals.push({ atMs, rows, cpu: cpuTimes(processes) });
    seen = Math.max(rows, seen);
    if (atMs > deadline)
      throw new Error(`${table} has ${rows} of ${target} new rows after ${timeoutMs / 1_000} s`);
    if (seen < target) await delay(sampleMs);
  }
  return arrivals;
}

/** Kept by every part of a table: costs nothing to ask. */
export async function countRows(clickhouse: Clickhouse, table: string): Promise<number> {
  const [row] = await clickhouse.query<{ rows: number }>(`SELECT count() AS rows FROM ${table}`);
  return row?.rows ?? 0;
}
