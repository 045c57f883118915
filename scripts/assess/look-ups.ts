import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  entryOf,
  type Gathered,
  gatheredOf,
  gatheredSettings,
  upToOf,
} from '#certificate/gather/ledger-reads.ts';
import type { LedgerEntry } from '#certificate/gather/questions.ts';
import type { Clickhouse, SentTable } from '#shared/adapters/clickhouse/client.ts';
import { type ClaimFacts, noFacts, premisesOf } from '#shared/domain/claims/index.ts';
import type { Asked } from './asked.ts';
import type { Basis } from './basis.ts';
import { type RowSource, RowsByRecord } from './by-record.ts';

export interface FoundEntry {
  readonly record: number;
  readonly entry: LedgerEntry;
}

/** What the ledger has of a set of records. */
export interface Found {
  readonly entries: RowsByRecord<FoundEntry>;
  /** Claims of the registry that a record can depend on. */
  readonly related: ReadonlyMap<number, readonly string[]>;
}

const answerTimeoutMs = 30 * 60_000;

/** The query of a live claim, with the keys as a table: the server goes through the ledger once for all of them. */
const gatheredByRecord = `
SELECT a.record AS record, e.*
FROM (${gatheredOf('(SELECT serial_key FROM asked)')}) AS e
INNER JOIN asked AS a ON a.serial_key = e.serial_key
ORDER BY record
FORMAT JSONCompactEachRow`;

/** Keys of a set hit nearly every granule: looking for them in the index costs more than it saves. */
const settings = {
  ...gatheredSettings,
  use_index_for_in_with_subqueries: 0,
  output_format_json_quote_64bit_integers: 0,
} as const;

/** A row of the answer, in the order of the query. */
type Cells = readonly [
  record: number,
  serial_key: string,
  holder_key: string,
  entry: number,
  registration: Gathered['registration'],
  offer: Gathered['offer'],
  standing: string,
  latest: Gathered['latest'],
  registered_at: number,
  refused: readonly string[],
];

function foundEntry(product: string, cells: Cells): FoundEntry | undefined {
  const entry = entryOf(product, {
    serial_key: cells[1],
    holder_key: cells[2],
    entry: cells[3],
    registration: cells[4],
    offer: cells[5],
    standing: cells[6],
    latest: cells[7],
    registered_at: cells[8],
    refused: cells[9],
  });
  return entry && { record: cells[0], entry };
}

function askedTable(rows: Buffer): SentTable {
  return { name: 'asked', structure: 'record UInt32, serial_key String', rows };
}

export interface LookUpContext {
  readonly reader: Clickhouse;
  readonly basis: Basis;
  /** Of the serials. */
  readonly partitions: number;
  /** Where answers wait. */
  readonly folder: string;
}

/**
 * Asks for a set; resolves when all of it is here. The answer is put aside in files as it comes: a server does not wait for
 * more than half a minute until somebody reads on, and judging a set can take longer.
 */
export async function lookUp(context: LookUpContext, asked: Asked): Promise<Found> {
  const { reader, basis, partitions, folder } = context;
  const ways: RowSource<FoundEntry>[] = [];
  for (const [product, rows] of asked.keys) {
    const file = path.join(folder, `${asked.first}-${product}.json`);
    const lines = reader.queryLines(
      gatheredByRecord,
      { product, upTo: upToOf(basis.watermarks, partitions) },
      { tables: [askedTable(rows)], timeoutMs: answerTimeoutMs, settings },
    );
    await pipeline(Readable.from(lines, { objectMode: false }), createWriteStream(file));
    ways.push(entriesIn(product, file));
  }
  return { entries: new RowsByRecord(ways), related: await relatedClaims(reader, basis, asked) };
}

/** The rows of a file, which is read once. */
async function* entriesIn(product: string, file: string): AsyncGenerator<readonly FoundEntry[], void> {
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 256 * 1024 })) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop()!;
    yield lines.flatMap((line) => foundEntry(product, JSON.parse(line) as Cells) ?? []);
  }
}

const bySerial = `
SELECT DISTINCT a.record AS record, s.claim AS claim
FROM (SELECT serial_key, claim FROM claim_serials
    WHERE product = {product:String} AND evidenced_offset <= {upTo:Int64} AND serial_key IN (SELECT serial_key FROM asked)) AS s
INNER JOIN asked AS a ON a.serial_key = s.serial_key`;

const byPremises = `
SELECT DISTINCT a.record AS record, c.claim AS claim
FROM (SELECT premises, claim FROM claims
    WHERE kind = 'claim' AND evidenced_offset <= {upTo:Int64} AND premises IN (SELECT premises FROM asked)) AS c
INNER JOIN asked AS a ON a.premises = c.premises`;

/** Claims of the first version of their schema, which did not carry their premises, by these. */
export async function unplacedClaims(
  reader: Clickhouse,
  { claimsUpTo: upTo }: Pick<Basis, 'claimsUpTo'>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (upTo < 0) return new Map();
  const rows = await reader.query<Pick<ClaimFacts, 'postcode' | 'locality' | 'address'> & { claim: string }>(
    `SELECT DISTINCT c.claim AS claim, c.postcode AS postcode, p.locality AS locality, p.address AS address
     FROM (SELECT claim, event, postcode FROM claims
           WHERE kind = 'claim' AND premises = '' AND evidenced_offset <= {upTo:Int64}) AS c
     INNER JOIN claim_parties AS p ON p.claim = c.claim AND p.event = c.event`,
    { upTo },
  );
  const placed = rows.map(({ claim, ...place }) => ({
    claim,
    premises: premisesOf({ ...noFacts, ...place }),
  }));
  return new Map(
    [...Map.groupBy(placed, ({ premises }) => premises)].map(([premises, claims]) => [
      premises,
      claims.map(({ claim }) => claim),
    ]),
  );
}

interface Related {
  readonly record: number;
  readonly claim: string;
}

/** Claims of the registry with a serial or the premises of a record, also those that changed nothing. */
async function relatedClaims(
  reader: Clickhouse,
  { claimsUpTo: upTo }: Basis,
  { keys, places }: Asked,
): Promise<ReadonlyMap<number, readonly string[]>> {
  if (upTo < 0) return new Map();
  const related = new Map<number, Set<string>>();
  const add = ({ record, claim }: Related) => {
    related.set(record, (related.get(record) ?? new Set()).add(claim));
  };
  const placesTable = { name: 'asked', structure: 'record UInt32, premises String', rows: places };
  for (const row of await reader.query<Related>(byPremises, { upTo }, { tables: [placesTable] })) add(row);
  for (const [product, rows] of keys)
    for (const row of await reader.query<Related>(
      bySerial,
      { product, upTo },
      { tables: [askedTable(rows)] },
    ))
      add(row);
  return new Map([...related].map(([record, claims]) => [record, [...claims]]));
}
