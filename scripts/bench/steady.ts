/** What was there at one moment. Taken when the number of rows had just grown, so that a block's size is no error. */
export interface Sample {
  /** Milliseconds of a steady clock. */
  readonly atMs: number;
  readonly rows: number;
}

export interface Window<S extends Sample> {
  readonly from: S;
  readonly to: S;
  readonly rows: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
}

/**
 * The steady part of a run: from the first growth at or past `fromRows` to the last one that `within` admits. Both ends are
 * moments at which rows had just arrived; work that was in flight at the one end stands against that at the other.
 */
export function steadyWindow<S extends Sample>(
  samples: readonly S[],
  fromRows: number,
  within: (sample: S) => boolean,
): Window<S> {
  const from = samples.find(({ rows }) => rows >= fromRows);
  const to = samples.findLast(within);
  if (!from || !to || to.atMs <= from.atMs)
    throw new Error('the run was too short to have a steady part: more rows are needed');
  const rows = to.rows - from.rows;
  const seconds = (to.atMs - from.atMs) / 1_000;
  return { from, to, rows, seconds, rowsPerSecond: rows / seconds };
}
