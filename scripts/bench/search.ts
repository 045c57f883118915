import { normalise } from '#shared/domain/normalise.ts';
import { type BenchFleet, untilMerged } from './bench-fleet.ts';
import { type Latency, latencyOf } from './statistics.ts';

export interface SearchRun {
  readonly serials: number;
  /** From the request to the whole answer, by what was searched for. */
  readonly searches: readonly (Latency & { readonly what: string })[];
}

const warmUps = 3;
const serialsAtOnce = 1_000_000;
const rowsOfFile = 5_000;
const holders = 20;
const models = 1_000;
const fillTimeoutMs = 600_000;
const mergeWaitMs = 120_000;
/** Files were received over so long. */
const spreadMs = 365 * 86_400_000;

/** Searches of one account that has `serials` serials. ClickHouse makes the rows itself: how they come there is not measured. */
export async function runSearch(
  bench: BenchFleet,
  serials: number,
  repetitions: number,
  progress: (text: string) => void,
): Promise<SearchRun> {
  progress(`ClickHouse makes ${serials.toLocaleString('en')} serials of one account`);
  const begun = Date.now() - spreadMs;
  await fill(bench, serials, begun);
  await untilMerged(bench.clickhouse, mergeWaitMs);
  progress('searches');
  const kinds = searchesOf(serials, begun);
  const searches = [];
  for (const [what, query] of Object.entries(kinds)) {
    const times: number[] = [];
    for (let i = 0; i < warmUps + repetitions; i++) {
      const params = new URLSearchParams({ product: 'panel', ...query(i) });
      const from = performance.now();
      const { serials: found } = await bench.importer.client.get<{ serials: unknown[] }>(
        `/v1/serials?${params}`,
      );
      if (i >= warmUps) times.push(performance.now() - from);
      if (found.length === 0) throw new Error(`nothing was found by ${what}: ${params}`);
    }
    searches.push({ what, ...latencyOf(times) });
  }
  return { serials, searches };
}

/** Another serial, prefix, file, model or week with each repetition. */
function searchesOf(serials: number, begun: number): Record<string, (i: number) => Record<string, string>> {
  const spread = (i: number, of: number) => (i * 7_919 * 104_729) % of;
  const text = (number: number) => `BS${String(number).padStart(10, '0')}`;
  const day = (number: number) => new Date(begun + number * 86_400_000).toISOString().slice(0, 10);
  return {
    'the first page of everything': () => ({}),
    'a serial': (i) => ({ serial: text(spread(i, serials)) }),
    'a prefix of 100 serials': (i) => ({ serial_prefix: text(spread(i, serials)).slice(0, -2) }),
    'a model': (i) => ({ model: `M-${spread(i, models)}` }),
    'a holder': (i) => ({ holder: `Holder ${spread(i, holders)}` }),
    registered: () => ({ state: 'registered' }),
    'an upload': (i) => ({ upload: submissionOf(spread(i, serials / rowsOfFile)) }),
    'a week': (i) => ({ from: day(i % 300), to: day((i % 300) + 7) }),
  };
}

function submissionOf(file: number): string {
  return `00000000-0000-7000-8000-${String(Math.floor(file)).padStart(12, '0')}`;
}

async function fill(
  { clickhouse, supplier, importer }: BenchFleet,
  serials: number,
  begun: number,
): Promise<void> {
  const params = {
    supplier,
    supplierKey: normalise(supplier),
    account: importer.account,
    rowsOfFile,
    holders,
    models,
    begun,
    stepMs: Math.floor((spreadMs * rowsOfFile) / serials),
  };
  for (let from = 0; from < serials; from += serialsAtOnce)
    await clickhouse.command(
      rowsSql,
      { ...params, from, count: Math.min(serialsAtOnce, serials - from) },
      { timeoutMs: fillTimeoutMs },
    );
}

const serialText = `concat('BS', leftPad(toString(number), 10, '0'))`;

const rowsSql = `
INSERT INTO serial_rows (product, serial_key, holder_key, submission, row, outcome, entry, action, account, supplier,
    supplier_key, holder, model, serial, listing, received_at, partition, origin)
SELECT 'panel', ${serialText}, concat('HOLDER ', toString(number % {holders:UInt64})),
    toUUID(concat('00000000-0000-7000-8000-', leftPad(toString(file), 12, '0'))), number % {rowsOfFile:UInt64} + 1, 'registered', 1,
    'register', {account:String}, {supplier:String}, {supplierKey:String}, concat('Holder ', toString(number % {holders:UInt64})),
    concat('M-', toString(number % {models:UInt64})), ${serialText}, 'listed',
    fromUnixTimestamp64Milli(toInt64({begun:Int64} + file * {stepMs:Int64})), number % 6, file
FROM (SELECT number, intDiv(number, {rowsOfFile:UInt64}) AS file FROM numbers({from:UInt64}, {count:UInt64}))`;
