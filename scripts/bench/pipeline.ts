import type { BenchFleet } from './bench-fleet.ts';
import { countRows, watchGrowth } from './growth.ts';
import { cpuPerRow, cpuTimes } from './processes.ts';
import { forEachInFlight } from './upload.ts';
import { type PanelFiles, rowsPerFile } from './workload.ts';

export const uploadsInFlight = 8;
const finalWaitMs = 30_000;

export interface PipelineRun {
  /** From the first byte of the first upload until the last row was queryable. */
  readonly rowsPerSecond: number;
  /** Answered 202: the gateway may run ahead, and what it has accepted waits in Kafka. */
  readonly acceptedRowsPerSecond: number;
  readonly rows: number;
  readonly seconds: number;
  readonly cpuUsPerRow: Readonly<Record<string, number>>;
}

/**
 * Uploads `fileCount` files, eight in flight, and follows their rows into the ledger; every submission must end final and
 * whole. Everything that is done for the rows lies between the two ends, so that no stage can lend to another.
 */
export async function runPipeline(
  bench: BenchFleet,
  files: PanelFiles,
  fileCount: number,
): Promise<PipelineRun> {
  const { processes, clickhouse, uploader } = bench;
  const bodies = Array.from({ length: fileCount }, () => files.next());
  const target = fileCount * rowsPerFile;
  const before = await countRows(clickhouse, 'serial_rows');
  const ids: string[] = [];
  const cpuBefore = cpuTimes(processes);
  const begun = performance.now();
  const uploads = forEachInFlight(bodies, uploadsInFlight, async (body) => {
    ids.push(await uploader.upload(body));
  }).then(() => performance.now());
  const watched = watchGrowth(clickhouse, 'serial_rows', { before, target, timeoutMs: 240_000, processes });
  const [uploaded, arrivals] = await Promise.all([uploads, watched]);
  await requireWhole(bench, ids);

  const last = arrivals.at(-1)!;
  const seconds = (last.atMs - begun) / 1_000;
  return {
    rowsPerSecond: target / seconds,
    acceptedRowsPerSecond: target / ((uploaded - begun) / 1_000),
    rows: target,
    seconds,
    cpuUsPerRow: cpuPerRow(cpuBefore, last.cpu, target),
  };
}

/** A rate of rows that are not all there, once each, would be no rate. */
async function requireWhole(bench: BenchFleet, ids: readonly string[]): Promise<void> {
  await forEachInFlight(ids, uploadsInFlight, async (id) => {
    const { state, outcomes, imbalance } = await bench.uploader.state(id, finalWaitMs);
    if (state !== 'final' || imbalance !== 0 || outcomes.registered !== rowsPerFile)
      throw new Error(
        `submission ${id} did not end whole: ${JSON.stringify({ state, imbalance, outcomes })}`,
      );
  });
}
