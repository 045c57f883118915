import type { BenchFleet } from './bench-fleet.ts';
import { countRows, watchGrowth } from './growth.ts';
import { cpuPerRow } from './processes.ts';
import { steadyWindow } from './steady.ts';
import { forEachInFlight } from './upload.ts';
import { type PanelFiles, rowsPerFile } from './workload.ts';

export const uploadsInFlight = 8;
const warmUpShare = 0.2;
const finalWaitMs = 30_000;

export interface PipelineRun {
  /** Rows that became queryable a second in the steady part. */
  readonly rowsPerSecond: number;
  /** From the first byte of the first upload until the last row was queryable. */
  readonly wholeRunRowsPerSecond: number;
  readonly rows: number;
  readonly seconds: number;
  /** Rows answered 202 and not queryable yet, at the beginning and at the end of the steady part. */
  readonly backlogRows: readonly [from: number, to: number];
  readonly cpuUsPerRow: Readonly<Record<string, number>>;
}

/** Uploads `fileCount` files, eight in flight, and follows their rows into the ledger; every submission must end final and whole. */
export async function runPipeline(
  bench: BenchFleet,
  files: PanelFiles,
  fileCount: number,
): Promise<PipelineRun> {
  const bodies = Array.from({ length: fileCount }, () => files.next());
  const target = fileCount * rowsPerFile;
  const before = await countRows(bench.clickhouse, 'serial_rows');
  const accepted: number[] = [];
  const ids: string[] = [];
  const begun = performance.now();
  const uploads = forEachInFlight(bodies, uploadsInFlight, async (body) => {
    ids.push(await bench.uploader.upload(body));
    accepted.push(performance.now());
  });
  const { processes, clickhouse } = bench;
  const [arrivals] = await Promise.all([
    watchGrowth(clickhouse, 'serial_rows', { before, target, timeoutMs: 120_000, processes }),
    uploads,
  ]);
  await requireWhole(bench, ids);

  const uploaded = accepted.at(-1)!;
  const { from, to, rows, seconds, rowsPerSecond } = steadyWindow(
    arrivals,
    target * warmUpShare,
    ({ atMs }) => atMs <= uploaded,
  );
  const acceptedBy = (atMs: number) => accepted.filter((at) => at <= atMs).length * rowsPerFile;
  return {
    rowsPerSecond,
    wholeRunRowsPerSecond: target / ((arrivals.at(-1)!.atMs - begun) / 1_000),
    rows,
    seconds,
    backlogRows: [acceptedBy(from.atMs) - from.rows, acceptedBy(to.atMs) - to.rows],
    cpuUsPerRow: cpuPerRow(from.cpu, to.cpu, rows),
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
