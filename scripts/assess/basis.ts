import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Offsets } from '#certificate/gather/questions.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import { currentRules } from '#shared/domain/claims/index.ts';

/**
 * What a job was begun on: with the file it decides every verdict, so that a job that is interrupted goes on as if nothing
 * had been. The ledger counts up to these watermarks, however much it has learned since.
 */
export interface Basis {
  readonly job: string;
  readonly run: number;
  /** Epoch milliseconds: the claims count as received then. */
  readonly begunAt: number;
  readonly watermarks: Offsets;
  /** Highest place in the order of all claims that was in the ledger; -1: none. */
  readonly claimsUpTo: number;
  /** Publication of the approved list by product. */
  readonly snapshots: ReadonlyMap<string, string>;
  readonly rulingsUpTo: number;
  readonly rulesVersion: number;
}

export interface ClaimFile {
  readonly path: string;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

export async function sha256Of(path: string): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

interface BegunRow {
  readonly job: string;
  readonly run: number;
  readonly begun_at: number;
  readonly watermarks: readonly { readonly partition: number; readonly origin: number }[];
  readonly claims_up_to: number;
  readonly snapshots: readonly { readonly product: string; readonly publication: string }[];
  readonly rulings_up_to: number;
  readonly rules_version: number;
}

/** The latest job over this file; of two beginnings of one job the first counts. */
export async function latestBasis(reader: Clickhouse, sha256: string): Promise<Basis | undefined> {
  const [row] = await reader.query<BegunRow>(
    `SELECT job, run, toUnixTimestamp64Milli(at) AS begun_at, watermarks, claims_up_to, snapshots, rulings_up_to, rules_version
     FROM assessment_events WHERE event = 'begun' AND file_sha256 = {sha256:String} ORDER BY run DESC, at LIMIT 1`,
    { sha256 },
  );
  return (
    row && {
      job: row.job,
      run: row.run,
      begunAt: row.begun_at,
      watermarks: new Map(row.watermarks.map(({ partition, origin }) => [partition, origin])),
      claimsUpTo: row.claims_up_to,
      snapshots: new Map(row.snapshots.map(({ product, publication }) => [product, publication])),
      rulingsUpTo: row.rulings_up_to,
      rulesVersion: row.rules_version,
    }
  );
}

/** Takes down where the ledger stands, before a single verdict is made. */
export async function beginJob(
  reader: Clickhouse,
  writer: Clickhouse,
  file: ClaimFile,
  begin: { readonly run: number; readonly at: number },
): Promise<Basis> {
  const marks = await reader.query<{ topic: string; partition: number; origin: number }>(
    'SELECT topic, partition, max(origin) AS origin FROM watermarks WHERE topic IN {topics:Array(String)} GROUP BY topic, partition',
    { topics: [topicName('serials.decided'), topicName('claims.decided')] },
  );
  const publications = await reader.query<{ product: string; publication: string }>(
    'SELECT product, argMax(publication, published_at) AS publication FROM list_publications GROUP BY product ORDER BY product',
  );
  const [newest] = await reader.query<{ offset: number }>(
    'SELECT toInt64(max(offset)) AS offset FROM rulings HAVING count() > 0',
  );
  const watermarks = marks.filter(({ topic }) => topic === topicName('serials.decided'));
  const basis: Basis = {
    job: `${file.sha256.slice(0, 16)}-${begin.run}`,
    run: begin.run,
    begunAt: begin.at,
    watermarks: new Map(watermarks.map(({ partition, origin }) => [partition, origin])),
    claimsUpTo: marks.find(({ topic }) => topic === topicName('claims.decided'))?.origin ?? -1,
    snapshots: new Map(publications.map(({ product, publication }) => [product, publication])),
    rulingsUpTo: newest?.offset ?? -1,
    rulesVersion: currentRules.version,
  };
  await writer.insertRows('assessment_events', [
    {
      ...eventRow(basis, file, 'begun', begin.at),
      watermarks: watermarks.map(({ partition, origin }) => ({ partition, origin })),
      claims_up_to: basis.claimsUpTo,
      snapshots: publications,
      rulings_up_to: basis.rulingsUpTo,
      rules_version: basis.rulesVersion,
    },
  ]);
  return basis;
}

export async function endJob(
  writer: Clickhouse,
  basis: Basis,
  file: ClaimFile,
  end: { readonly at: number; readonly claims: number; readonly accepted: readonly string[] },
): Promise<void> {
  const { claims, accepted } = end;
  await writer.insertRows('assessment_events', [
    { ...eventRow(basis, file, 'done', end.at), claims, accepted },
  ]);
}

export async function isDone(reader: Clickhouse, job: string): Promise<boolean> {
  const sql = "SELECT 1 FROM assessment_events WHERE job = {job:String} AND event = 'done' LIMIT 1";
  return (await reader.query(sql, { job })).length > 0;
}

function eventRow(basis: Basis, file: ClaimFile, event: 'begun' | 'done', at: number): object {
  const { job, run } = basis;
  return { job, event, at: timestamp(at), file: file.name, file_sha256: file.sha256, run };
}

function timestamp(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('Z', '');
}
