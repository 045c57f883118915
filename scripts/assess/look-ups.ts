import { entriesOf, upToOf } from '#certificate/gather/ledger-reads.ts';
import type { LedgerEntry } from '#certificate/gather/questions.ts';
import type { Clickhouse, SentTable } from '#shared/adapters/clickhouse/client.ts';
import { type ClaimFacts, noFacts, premisesOf } from '#shared/domain/claims/index.ts';
import type { Product } from '#shared/domain/serials.ts';
import type { Asked } from './asked.ts';
import type { Basis } from './basis.ts';
import { ahead, RowsByRecord } from './by-record.ts';

export interface FoundEntry extends LedgerEntry {
  readonly record: number;
}

/** What the ledger has of a set of records. */
export interface Found {
  readonly entries: RowsByRecord<FoundEntry>;
  /** Claims of the registry that a record can depend on. */
  readonly related: ReadonlyMap<number, readonly string[]>;
}

/** A set is asked at once, and read while its claims are judged: the answer waits in the server. */
const answerTimeoutMs = 30 * 60_000;

/** The query of a live claim, with the keys as a table: the server goes through the ledger once for all of them. */
const entriesByRecord = `
SELECT a.record AS record, e.*
FROM (${entriesOf('(SELECT serial_key FROM asked)')}) AS e
INNER JOIN asked AS a ON a.serial_key = e.serial_key
ORDER BY record`;

/** Keys of a set hit nearly every granule: looking for them in the index costs more than it saves. */
const scan = { use_index_for_in_with_subqueries: 0 } as const;

function askedTable(rows: Buffer): SentTable {
  return { name: 'asked', structure: 'record UInt32, serial_key String', rows };
}

function entriesFor(
  reader: Clickhouse,
  basis: Basis,
  partitions: number,
  product: Product,
  rows: Buffer,
): AsyncGenerator<readonly FoundEntry[], void> {
  return reader.queryStream<FoundEntry>(
    entriesByRecord,
    { product, upTo: upToOf(basis.watermarks, partitions) },
    { tables: [askedTable(rows)], timeoutMs: answerTimeoutMs, settings: scan },
  );
}

/** Starts to answer; the rows come as they are taken. */
export async function lookUp(
  reader: Clickhouse,
  basis: Basis,
  partitions: number,
  asked: Asked,
): Promise<Found> {
  const ways = [...asked.keys].map(([product, rows]) =>
    ahead(entriesFor(reader, basis, partitions, product, rows)),
  );
  return { entries: new RowsByRecord(ways), related: await relatedClaims(reader, basis, asked) };
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
