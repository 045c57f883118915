import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { KeptCell } from './earlier.ts';
import type { Verdict } from './judge.ts';

/** Puts verdicts into the table. One block: all of them are there, or none. A repeat changes nothing. */
export async function writeVerdicts(
  writer: Clickhouse,
  job: string,
  verdicts: readonly Verdict[],
): Promise<void> {
  const rows = verdicts.map(({ state, ...verdict }) => ({
    job,
    ...verdict,
    state: state.length === 0 ? '' : JSON.stringify(state),
  }));
  await writer.insertRows('assessment_rows', rows, {
    settings: {
      input_format_parallel_parsing: 0,
      max_insert_block_size: '1000000',
      min_insert_block_size_rows: '1000000',
    },
  });
}

/** How far a job has come, and what its verdicts left for those that follow. */
export interface Progress {
  /** Records 1 to `judged` have their verdicts. */
  readonly judged: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly state: readonly KeptCell[];
}

export async function progressOf(reader: Clickhouse, job: string): Promise<Progress> {
  const [row] = await reader.query<{ judged: number }>(
    `SELECT toUInt32(countIf(record = place)) AS judged
     FROM (SELECT record, rowNumberInAllBlocks() + 1 AS place
           FROM (SELECT DISTINCT record FROM assessment_rows WHERE job = {job:String} ORDER BY record))`,
    { job },
  );
  const judged = row?.judged ?? 0;
  const counts = await reader.query<{ code: string; claims: number }>(
    `SELECT f.code AS code, toUInt32(uniqExact(record)) AS claims
     FROM (SELECT record, findings FROM assessment_rows WHERE job = {job:String} AND record <= {judged:UInt32})
     ARRAY JOIN findings AS f WHERE f.effect NOT IN ('note', 'waived') GROUP BY code`,
    { job, judged },
  );
  const states = await reader.query<{ state: string }>(
    `SELECT state FROM assessment_rows FINAL WHERE job = {job:String} AND record <= {judged:UInt32} AND state != ''
     ORDER BY record`,
    { job, judged },
  );
  return {
    judged,
    counts: new Map(counts.map(({ code, claims }) => [code, claims])),
    state: states.flatMap(({ state }) => JSON.parse(state) as KeptCell[]),
  };
}

export interface Summary {
  readonly decisions: readonly {
    readonly decision: string;
    readonly claims: number;
    readonly certificates: number;
  }[];
  readonly findings: readonly {
    readonly code: string;
    readonly effect: string;
    readonly claims: number;
    readonly times: number;
  }[];
}

export async function summaryOf(reader: Clickhouse, job: string): Promise<Summary> {
  const decisions = await reader.query<Summary['decisions'][number]>(
    `SELECT decision, toUInt32(count()) AS claims, toInt64(sum(v.certificates)) AS certificates FROM assessment_verdicts AS v
     WHERE job = {job:String} GROUP BY decision ORDER BY decision`,
    { job },
  );
  const findings = await reader.query<Summary['findings'][number]>(
    `SELECT f.code AS code, f.effect AS effect, toUInt32(uniqExact(record)) AS claims, toUInt32(count()) AS times
     FROM assessment_verdicts ARRAY JOIN findings AS f WHERE job = {job:String}
     GROUP BY code, effect ORDER BY claims DESC, code, effect`,
    { job },
  );
  return { decisions, findings };
}

/** A verdict as the table has it. */
export type StoredVerdict = Omit<Verdict, 'state'>;

export function storedVerdicts(
  reader: Clickhouse,
  job: string,
): AsyncGenerator<readonly StoredVerdict[], void> {
  return reader.queryStream<StoredVerdict>(
    `SELECT record, line, claim, unit_kind, serials, decision, certificates, entitlement, unrounded, rule_set, findings
     FROM assessment_verdicts WHERE job = {job:String} ORDER BY record`,
    { job },
    { timeoutMs: 30 * 60_000 },
  );
}
