import { setTimeout as delay } from 'node:timers/promises';
import type { BenchFleet } from './bench-fleet.ts';
import { type Latency, latencyOf } from './statistics.ts';
import { type PanelFiles, rowsPerFile } from './workload.ts';

const warmUps = 3;
/** Longer than the second over which the writer looks back for its load: each file finds the fleet idle. */
const pauseMs = 1_200;
const waitMs = 30_000;

export interface LatencyRun {
  readonly files: number;
  readonly acceptedMs: Latency;
  readonly queryableMs: Latency;
}

/** One file at a time on an idle fleet: from the request to the 202, and to the answer that says final. */
export async function runLatency(
  bench: BenchFleet,
  files: PanelFiles,
  repetitions: number,
): Promise<LatencyRun> {
  const accepted: number[] = [];
  const queryable: number[] = [];
  for (let i = 0; i < warmUps + repetitions; i++) {
    const body = files.next();
    await delay(pauseMs);
    const begun = performance.now();
    const id = await bench.uploader.upload(body);
    const acceptedMs = performance.now() - begun;
    const { state, outcomes } = await bench.uploader.state(id, waitMs);
    const queryableMs = performance.now() - begun;
    if (state !== 'final' || outcomes.registered !== rowsPerFile)
      throw new Error(`submission ${id} did not end whole: ${JSON.stringify({ state, outcomes })}`);
    if (i < warmUps) continue;
    accepted.push(acceptedMs);
    queryable.push(queryableMs);
  }
  return { files: repetitions, acceptedMs: latencyOf(accepted), queryableMs: latencyOf(queryable) };
}
