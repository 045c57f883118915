import type { Clickhouse } from './client.ts';

/** A row of the table `dead_letters`: the bytes are in the topic. */
export interface DeadLetterRecord {
  readonly stage: string;
  readonly partition: number;
  /** The coordinate of its stage; for `gather` and `decide` the offset that it was read from. */
  readonly origin: number;
  /** Id of the submission; of the event, where it is a claim's. */
  readonly submission: string;
  readonly batch: number;
  readonly rows: number;
  readonly cause: string;
}

/** For stages that leave no stand-in for the ledger-writer to read. */
export async function recordDeadLetter(clickhouse: Clickhouse, record: DeadLetterRecord): Promise<void> {
  await clickhouse.insertRows('dead_letters', [{ ...record, settled: 0 }]);
}

/** Origins of the messages that a stage ever made dead letters of, settled or not. */
export async function deadOrigins(
  clickhouse: Clickhouse,
  stage: string,
  partition: number,
): Promise<ReadonlySet<number>> {
  const rows = await clickhouse.query<{ origin: number }>(
    'SELECT DISTINCT origin FROM dead_letters WHERE stage = {stage:String} AND partition = {partition:UInt16}',
    { stage, partition },
  );
  return new Set(rows.map(({ origin }) => origin));
}
