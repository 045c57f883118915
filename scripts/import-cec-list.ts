// Takes an approved list of the Clean Energy Council into the ledger: keeps the snapshot in ClickHouse and publishes the
// union of all snapshots in Redis, where cec-validation looks models up.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseString } from 'fast-csv';
import { pino } from 'pino';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import {
  modelsOf,
  type Snapshot,
  type StoredRow,
  snapshotsOf,
  storeSnapshot,
} from '#shared/adapters/clickhouse/lists.ts';
import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { closeRedis, createRedis, type RedisClient } from '#shared/adapters/redis/client.ts';
import { type Published, publishLists } from '#shared/adapters/redis/lists.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { listingKey, listingKeys } from '#shared/domain/listing/listing.ts';
import {
  type ListFault,
  type ListRecord,
  type ParsedList,
  parseList,
  type SnapshotRow,
} from '#shared/domain/listing/parse.ts';
import {
  type Comparison,
  compareModels,
  dayInFileName,
  lossShareMaxDefault,
  snapshotId,
} from '#shared/domain/listing/snapshot.ts';
import type { Product } from '#shared/domain/serials.ts';
import { readConfig } from '#shared/runtime/config.ts';
import { clickhouseSettings, redisSettings } from '#shared/runtime/engine-settings.ts';

export interface ImportRequest {
  readonly product: Product;
  /** The file as it is, and its name without folders. */
  readonly body: Buffer;
  readonly fileName: string;
  /** Day of the snapshot, yyyy-mm-dd; read from the file's name when absent. */
  readonly takenOn?: string;
  /** CEC-7: a greater share of lost models needs `confirmLoss`. */
  readonly lossShareMax?: number;
  readonly confirmLoss?: boolean;
}

export interface ImportContext {
  readonly clickhouse: Clickhouse;
  readonly redis: RedisClient;
  readonly now: () => Date;
  /** Progress, one line at a time. */
  readonly report: (line: string) => void;
}

export type ImportResult =
  | {
      readonly kind: 'imported';
      readonly snapshot: Snapshot;
      /** true: this very file was taken in before, and nothing was stored again. */
      readonly known: boolean;
      readonly comparison: Comparison | undefined;
      readonly published: Published;
    }
  | { readonly kind: 'refused'; readonly faults: readonly ListFault[] }
  | { readonly kind: 'needs_confirmation'; readonly before: Snapshot; readonly comparison: Comparison };

/** Stores a snapshot and publishes the list. What the file has wrong is a value; nothing of it is stored then. */
export async function importList(context: ImportContext, request: ImportRequest): Promise<ImportResult> {
  const { clickhouse, redis, now, report } = context;
  const takenOn = request.takenOn ?? dayInFileName(request.fileName);
  const dayFault = takenOn === undefined ? noDay : futureDay(takenOn, now());
  if (takenOn === undefined || dayFault !== undefined) return refused(dayFault ?? noDay);
  const list = await readList(request.product, request.body);
  if ('faults' in list) return { kind: 'refused', faults: list.faults };
  const snapshot = describe(request, takenOn, list);
  for (const line of summary(snapshot, list)) report(line);

  const snapshots = await snapshotsOf(clickhouse, request.product);
  const known = snapshots.some((other) => other.snapshot === snapshot.snapshot);
  const before = snapshots
    .filter((other) => other.taken_on <= takenOn && other.snapshot !== snapshot.snapshot)
    .at(-1);
  const comparison = before && (await compareWith(clickhouse, before, list));
  if (before && comparison) report(comparisonLine(before, comparison));
  if (!known && before && comparison && isImplausible(request, comparison)) {
    return { kind: 'needs_confirmation', before, comparison };
  }
  if (known) report(`  known: ${snapshot.snapshot} was taken in before, nothing to store`);
  else await storeSnapshot(clickhouse, snapshot, list.rows.map(storedRow), listingKeys, now());
  if (!known) report(`  kept as ${snapshot.snapshot} in ClickHouse`);
  const published = await publishLists(clickhouse, redis, request.product, { keys: listingKeys, now });
  report(publishedLine(published));
  return { kind: 'imported', snapshot, known, comparison, published };
}

const noDay = 'the file name carries no date as yyyymmdd: give the day of the snapshot with --snapshot-date';

function refused(text: string): ImportResult {
  return { kind: 'refused', faults: [{ line: 0, text }] };
}

/** A day to come would make this the latest snapshot for as long. */
function futureDay(takenOn: string, now: Date): string | undefined {
  const today = sydneyDay(now.getTime());
  return takenOn > today ? `the day of the snapshot, ${takenOn}, is after today, ${today}` : undefined;
}

function isImplausible(request: ImportRequest, comparison: Comparison): boolean {
  return !request.confirmLoss && comparison.lostShare > (request.lossShareMax ?? lossShareMaxDefault);
}

async function readList(
  product: Product,
  body: Buffer,
): Promise<ParsedList | { readonly faults: readonly ListFault[] }> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return { faults: [{ line: 0, text: 'the file is not UTF-8 (CEC-6)' }] };
  }
  try {
    return parseList(product, await readRecords(text));
  } catch (error) {
    return { faults: [{ line: 0, text: `the file is not CSV: ${(error as Error).message}` }] };
  }
}

function readRecords(text: string): Promise<ListRecord[]> {
  return new Promise((resolve, reject) => {
    const records: ListRecord[] = [];
    let line = 1;
    parseString<string[], string[]>(text, { headers: false })
      .on('data', (cells: string[]) => {
        const blank = cells.length === 0 || (cells.length === 1 && cells[0] === '');
        if (!blank) records.push({ line, cells });
        line += 1 + cells.reduce((breaks, cell) => breaks + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
      })
      .on('error', reject)
      .on('end', () => resolve(records));
  });
}

function describe(request: ImportRequest, takenOn: string, list: ParsedList): Snapshot {
  const sha256 = createHash('sha256').update(request.body).digest('hex');
  return {
    product: request.product,
    snapshot: snapshotId(request.product, takenOn, sha256),
    taken_on: takenOn,
    sha256,
    file_name: request.fileName,
    rows: list.read,
    listings: list.rows.length,
    models: list.models.size,
  };
}

async function compareWith(clickhouse: Clickhouse, before: Snapshot, list: ParsedList): Promise<Comparison> {
  const rows = await modelsOf(clickhouse, before.product, before.snapshot);
  return compareModels(new Set(rows.map(({ holder, model }) => listingKey(holder, model))), list.models);
}

function storedRow(row: SnapshotRow): StoredRow {
  const { line, nominalKwh, usableKwh, acPowerKw, fireTested, ...same } = row;
  return {
    row: line,
    ...same,
    nominal_kwh: nominalKwh,
    usable_kwh: usableKwh,
    ac_power_kw: acPowerKw,
    fire_tested: fireTested,
  };
}

const count = (value: number): string => value.toLocaleString('en-AU');

function summary(snapshot: Snapshot, list: ParsedList): readonly string[] {
  const expired = list.rows.filter((row) => row.expires < snapshot.taken_on).length;
  const future = list.rows.filter((row) => row.approved > snapshot.taken_on).length;
  const several = list.rows.length - list.models.size;
  const lines = [
    `${snapshot.file_name}: approved list of kind ${snapshot.product}, taken on ${snapshot.taken_on}`,
    `  ${count(list.read)} rows read: ${count(list.rows.length)} distinct, ${count(list.repeated)} exact repeats (tolerated)`,
    `  ${count(list.models.size)} models by holder and model; ${count(several)} rows give a model a further window or spelling`,
    `  on that day ${count(expired)} distinct rows had expired, ${count(future)} were not approved yet`,
  ];
  if (list.reversed.length > 0) {
    const first = list.reversed[0] as SnapshotRow;
    lines.push(
      `  ${count(list.reversed.length)} rows expire before they are approved (the first in line ${first.line})`,
    );
  }
  return lines;
}

function comparisonLine(before: Snapshot, { added, lost, lostShare }: Comparison): string {
  const share = `${(lostShare * 100).toFixed(1)} %`;
  return `  against ${before.snapshot}: ${count(added)} models new, ${count(lost)} gone (${share})`;
}

function publishedLine(published: Published): string {
  const how = published.written ? 'published' : 'published before, pointed to again';
  const snapshots =
    published.snapshots.length === 1 ? 'one snapshot' : `${published.snapshots.length} snapshots`;
  return `  ${how}: ${published.publication}, ${count(published.models)} models of ${snapshots}`;
}

const usage = `usage: npm run import-cec-list -- FILE --product panel|battery|inverter
    [--snapshot-date yyyy-mm-dd]   default: the date in the file's name
    [--confirm-loss]               take the list although many models are gone
    [--loss-share 0.2]             the share of lost models that needs --confirm-loss
  npm run import-cec-list -- --publish --product panel|battery|inverter
    publishes again what was imported before, also to a Redis that lost it`;

interface Arguments {
  readonly product: Product;
  readonly file?: string;
  readonly takenOn?: string;
  readonly lossShareMax: number;
  readonly confirmLoss: boolean;
}

const optionsKnown = {
  product: { type: 'string' },
  'snapshot-date': { type: 'string' },
  'confirm-loss': { type: 'boolean', default: false },
  'loss-share': { type: 'string', default: String(lossShareMaxDefault) },
  publish: { type: 'boolean', default: false },
} as const;

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: optionsKnown });
  } catch (error) {
    return (error as Error).message;
  }
}

function readArguments(argv: readonly string[]): Arguments | string {
  const read = parsed(argv);
  if (typeof read === 'string') return read;
  const { values, positionals } = read;
  const product = (['panel', 'battery', 'inverter'] as const).find((known) => known === values.product);
  if (product === undefined) return '--product is missing, or is not panel, battery or inverter';
  if (positionals.length !== (values.publish ? 0 : 1))
    return 'exactly one file is expected, none with --publish';
  const lossShareMax = Number(values['loss-share']);
  if (!(lossShareMax >= 0 && lossShareMax <= 1)) return '--loss-share is a share from 0 to 1';
  const takenOn = values['snapshot-date'];
  if (takenOn !== undefined && dayInFileName(takenOn) !== takenOn)
    return '--snapshot-date is a day as yyyy-mm-dd';
  return {
    product,
    lossShareMax,
    confirmLoss: values['confirm-loss'],
    ...(positionals[0] === undefined ? {} : { file: positionals[0] }),
    ...(takenOn === undefined ? {} : { takenOn }),
  };
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

async function bodyOf(file: string): Promise<Buffer | string> {
  try {
    return await readFile(file);
  } catch (error) {
    return `${file} cannot be read: ${(error as Error).message}`;
  }
}

async function work(context: ImportContext, given: Arguments): Promise<number> {
  await requireMigrations(context.clickhouse);
  if (given.file === undefined) {
    const { clickhouse, redis, now } = context;
    say(
      publishedLine(await publishLists(clickhouse, redis, given.product, { keys: listingKeys, now })).trim(),
    );
    return 0;
  }
  const body = await bodyOf(given.file);
  if (typeof body === 'string') {
    complain(body);
    return 2;
  }
  const result = await importList(context, { ...given, body, fileName: path.basename(given.file) });
  switch (result.kind) {
    case 'imported':
      return 0;
    case 'refused':
      complain(`${given.file} was not taken in, nothing was stored:`);
      for (const { line, text } of result.faults)
        complain(line > 0 ? `  line ${line}: ${text}` : `  ${text}`);
      return 3;
    case 'needs_confirmation':
      complain(
        `${given.file} was not taken in: it lacks ${(result.comparison.lostShare * 100).toFixed(1)} % of the models of ${result.before.snapshot}. If that is right, repeat with --confirm-loss.`,
      );
      return 4;
  }
}

async function main(): Promise<number> {
  const given = readArguments(process.argv.slice(2));
  const read = readConfig({ ...clickhouseSettings, ...redisSettings }, process.env);
  if (typeof given === 'string' || 'faults' in read) {
    if (typeof given === 'string') complain(`${given}\n${usage}`);
    if ('faults' in read) for (const fault of read.faults) complain(fault);
    return 2;
  }
  const { clickhouseUrl, clickhouseUser, clickhousePassword, clickhouseDatabase, redisUrl } = read.config;
  const log = pino({ name: 'import-cec-list', level: 'warn' });
  const clickhouse = createClickhouse({
    url: clickhouseUrl,
    username: clickhouseUser,
    password: clickhousePassword,
    database: clickhouseDatabase,
    log,
  });
  const redis = createRedis({ url: redisUrl, log });
  const started = performance.now();
  try {
    const code = await work({ clickhouse, redis, now: () => new Date(), report: say }, given);
    if (code === 0) say(`  done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return code;
  } finally {
    await closeRedis(redis);
    await clickhouse.close();
  }
}

if (import.meta.main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    complain(`the list was not imported: ${error.message}`);
    process.exitCode = 1;
  }
}
