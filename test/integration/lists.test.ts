import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ImportRequest, importList } from '#scripts/import-cec-list.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { type ListKeys, snapshotsOf, storeSnapshot } from '#shared/adapters/clickhouse/lists.ts';
import { migrate, readMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { closeRedis, createRedis, type RedisClient } from '#shared/adapters/redis/client.ts';
import { ApprovedLists, publishLists } from '#shared/adapters/redis/lists.ts';
import { assessListing, listedOn } from '#shared/domain/listing/assess.ts';
import { listingKey, listingKeys } from '#shared/domain/listing/listing.ts';
import { type Stores, silent, startStores, testDatabase } from '#test/support/stores.ts';
import { syntheticList, syntheticListFile } from '#test/support/synthetic-list.ts';

const now = (): Date => new Date('2026-11-23T00:00:00Z');
const headings = 'Licensee/Certificate Holder,Model Number,CEC Approved Date,Expiry Date,Fire Tested';

// No more than lists need: every test has a database of its own.
const listMigrations = readMigrations().filter(({ number }) => number <= 2);

let stores: Stores;
let apart: Clickhouse;
let clickhouse: Clickhouse;
let redis: RedisClient;
const reported: string[] = [];

beforeAll(async () => {
  stores = await startStores('clickhouse', 'redis');
  apart = stores.clickhouse('default');
  redis = createRedis({ url: stores.engines.urls.redisUrl, log: silent });
});

beforeEach(async () => {
  if (clickhouse !== undefined) await drop(clickhouse);
  clickhouse = stores.clickhouse(testDatabase());
  await migrate(clickhouse, apart, { migrations: listMigrations, now });
  await forgetLists();
  reported.length = 0;
});

afterAll(async () => {
  if (clickhouse !== undefined) await drop(clickhouse);
  await apart?.close();
  if (redis !== undefined) await closeRedis(redis);
  await stores?.stop();
});

async function drop(database: Clickhouse): Promise<void> {
  await apart.command(`DROP DATABASE IF EXISTS \`${database.database}\``);
  await database.close();
}

/** What a Redis that lost everything lacks. Other keys of the server are left alone. */
async function forgetLists(): Promise<void> {
  const keys = await redis.keys('lists:*');
  if (keys.length > 0) await redis.del(...keys);
}

function csv(...rows: readonly string[]): Buffer {
  return Buffer.from(`${[headings, ...rows].join('\r\n')}\r\n`);
}

function take(takenOn: string, body: Buffer, other: Partial<ImportRequest> = {}) {
  const request = { product: 'panel' as const, body, fileName: 'list.csv', takenOn, ...other };
  return importList({ clickhouse, redis, now, report: (line) => reported.push(line) }, request);
}

const publish = (keys: ListKeys = listingKeys, kept = 5) =>
  publishLists(clickhouse, redis, 'panel', { keys, now, kept });

/** What a worker would be told that has just started. */
async function ask(...models: readonly (readonly [holder: string, model: string])[]) {
  const lists = new ApprovedLists(redis, listingKeys);
  const snapshot = await lists.currentSnapshot('panel');
  if (snapshot === 'unavailable') return 'unavailable';
  const keys = models.map(([holder, model]) => listingKey(holder, model));
  const found = await lists.lookupListings('panel', snapshot, keys);
  return found === 'unavailable' ? found : keys.map((key) => found.get(key));
}

const april = csv(
  'Vorlune,VLN-440 (IEC 61215-2021),16/04/2024,16/04/2027,Yes',
  'Vorlune,VLN-440 (IEC 61215-2021),16/04/2024,9/12/2028,Yes',
  'Kelmarix,KEL-400,1/01/2020,24/11/2025,Yes',
  'Kelmarix,KEL-400,1/01/2020,24/11/2025,Yes',
);

describe('importing', () => {
  test('keeps the snapshot, publishes it, and says so', async () => {
    const result = await take('2026-04-23', april, { fileName: 'cec_20260423.csv' });
    expect(result).toMatchObject({
      kind: 'imported',
      known: false,
      comparison: undefined,
      snapshot: { taken_on: '2026-04-23', rows: 4, listings: 3, models: 2, file_name: 'cec_20260423.csv' },
      published: { models: 2, written: true },
    });
    const rows = await clickhouse.query(
      'SELECT row, holder_key, model_key, toString(approved) AS approved FROM listings ORDER BY row',
    );
    expect(rows).toEqual([
      { row: 2, holder_key: 'VORLUNE', model_key: 'VLN-440 (IEC 61215-2021)', approved: '2024-04-16' },
      { row: 3, holder_key: 'VORLUNE', model_key: 'VLN-440 (IEC 61215-2021)', approved: '2024-04-16' },
      { row: 4, holder_key: 'KELMARIX', model_key: 'KEL-400', approved: '2020-01-01' },
    ]);
    expect(reported.join('\n')).toContain('4 rows read: 3 distinct, 1 exact repeats (tolerated)');
    const [found, absent] = (await ask(
      ['VORLUNE', 'vln-440 (IEC 61215-2021)'],
      ['Vorlune', 'VLN-440'],
    )) as never[];
    expect(found).toMatchObject([
      { expires: '2027-04-16' },
      { expires: '2028-12-09', holder: 'Vorlune', current: true },
    ]);
    expect(absent).toBeUndefined();
  });

  test('the same file again changes nothing; under another day it is another snapshot', async () => {
    const first = await take('2026-04-23', april);
    const again = await take('2026-04-23', april);
    expect(again).toMatchObject({ known: true, published: { written: false } });
    expect(again.kind === 'imported' && again.published.publication).toBe(
      first.kind === 'imported' && first.published.publication,
    );
    expect(await clickhouse.query('SELECT count() AS n FROM listings')).toEqual([{ n: 3 }]);
    await take('2026-05-23', april);
    expect((await snapshotsOf(clickhouse, 'panel')).map(({ taken_on }) => taken_on)).toEqual([
      '2026-04-23',
      '2026-05-23',
    ]);
  });

  test('the day comes from the name of the file, or must be given, and is not to come', async () => {
    const request = { product: 'panel' as const, body: april };
    const context = { clickhouse, redis, now, report: () => undefined };
    expect(await importList(context, { ...request, fileName: 'cec_pv_20260423.csv' })).toMatchObject({
      snapshot: { taken_on: '2026-04-23' },
    });
    expect(await importList(context, { ...request, fileName: 'list.csv' })).toMatchObject({
      kind: 'refused',
    });
    // 24 November in Sydney has not begun at midnight UTC of the 23rd.
    expect(await take('2026-11-23', april)).toMatchObject({ kind: 'imported' });
    expect(await take('2026-11-24', april)).toMatchObject({ kind: 'refused' });
  });

  test.each([
    ['a new column', Buffer.from(`${headings},Country\r\na,b,1/01/2024,1/01/2027,Yes,X\r\n`), 1],
    ['month first', csv('a,b,1/01/2024,1/01/2027,Yes', 'a,c,04/25/2024,1/01/2027,Yes'), 3],
    [
      'a quoted line break before the fault',
      csv('"a\r\nx",b,1/01/2024,1/01/2027,Yes', 'a,c,x,1/01/2027,Yes'),
      4,
    ],
    ['an unclosed quote', csv('"a,b,1/01/2024,1/01/2027,Yes'), 0],
    ['Windows-1252', Buffer.from(`${headings}\r\n7LUMEN\xb0,b,1/01/2024,1/01/2027,Yes\r\n`, 'latin1'), 0],
    ['no rows', csv(), 1],
  ])('%s: refused with its line, and nothing is stored or published', async (_, body, line) => {
    const result = await take('2026-04-23', body);
    expect(result).toMatchObject({ kind: 'refused', faults: [{ line }] });
    expect(await snapshotsOf(clickhouse, 'panel')).toEqual([]);
    expect(await clickhouse.query('SELECT count() AS n FROM listings')).toEqual([{ n: 0 }]);
    expect(await ask(['a', 'b'])).toBe('unavailable');
  });

  test('CEC-7: an implausible loss waits for confirmation, although the list grew', async () => {
    const models = (from: number, to: number) =>
      csv(...Array.from({ length: to - from }, (_, i) => `Vorlune,M-${from + i},1/01/2024,1/01/2027,Yes`));
    await take('2026-04-01', models(0, 10));
    expect(await take('2026-05-01', models(2, 50))).toMatchObject({
      kind: 'imported',
      comparison: { lost: 2, lostShare: 0.2 },
    });
    const refused = await take('2026-06-01', models(12, 70));
    expect(refused).toMatchObject({
      kind: 'needs_confirmation',
      comparison: { lost: 10 },
      before: { taken_on: '2026-05-01' },
    });
    expect((await snapshotsOf(clickhouse, 'panel')).length).toBe(2);
    expect(await take('2026-06-01', models(12, 70), { lossShareMax: 0.3 })).toMatchObject({
      kind: 'imported',
    });
    expect(await take('2026-07-01', models(60, 61))).toMatchObject({ kind: 'needs_confirmation' });
    expect(await take('2026-07-01', models(60, 61), { confirmLoss: true })).toMatchObject({
      kind: 'imported',
    });
  });

  test('a snapshot that comes late is compared with the one before it, and does not become the latest', async () => {
    await take('2026-05-01', csv('Vorlune,NEW,1/01/2026,1/01/2029,Yes'));
    const late = await take('2026-04-01', csv('Vorlune,OLD,1/01/2023,1/01/2026,Yes'));
    expect(late).toMatchObject({ kind: 'imported', comparison: undefined });
    const [fresh, old] = (await ask(['Vorlune', 'NEW'], ['Vorlune', 'OLD'])) as never[];
    expect(fresh).toMatchObject([{ current: true }]);
    expect(old).toMatchObject([{ current: false }]);
  });
});

describe('the union of all snapshots', () => {
  test('WIN-5, WIN-6: what vanished stays listed, with its windows; what never was is not', async () => {
    await take(
      '2025-11-01',
      csv('Kelmarix,KEL-400,1/01/2020,24/11/2025,Yes', 'Kelmarix,GONE,1/01/2025,1/01/2028,Yes'),
    );
    await take('2026-04-23', csv('Kelmarix,KEL-400,5/03/2026,5/03/2028,Yes'), { confirmLoss: true });
    const [gapped, gone, never] = (await ask(
      ['Kelmarix', 'KEL-400'],
      ['Kelmarix', 'GONE'],
      ['Kelmarix', 'NEVER'],
    )) as [never, never, undefined];
    expect(listedOn(gapped, '2025-11-24')).toBe('listed');
    expect(listedOn(gapped, '2026-01-15')).toBe('model_in_gap');
    expect(listedOn(gapped, '2026-03-05')).toBe('listed');
    expect(assessListing({ holder: 'Kelmarix', model: 'GONE' }, gone, '2026-05-01')).toEqual({
      finding: 'listed',
      note: 'listing_withdrawn',
    });
    expect(assessListing({ holder: 'Kelmarix', model: 'NEVER' }, never, '2026-05-01')).toEqual({
      finding: 'not_listed',
      note: '',
    });
  });

  test("a finding's snapshot id says which snapshots it stands for", async () => {
    await take('2026-04-01', april);
    const result = await take('2026-05-01', april);
    const [row] = await clickhouse.query<{ snapshots: string[]; latest: string }>(
      'SELECT snapshots, latest FROM list_publications FINAL WHERE publication = {id:String}',
      { id: result.kind === 'imported' ? result.published.publication : '' },
    );
    const names = (await snapshotsOf(clickhouse, 'panel')).map(({ snapshot }) => snapshot);
    expect(row).toEqual({ snapshots: names, latest: names[1] });
  });

  test('rows without their snapshot do not count: an import that died is as if it had not begun', async () => {
    await take('2026-04-01', april);
    await clickhouse.insertRows('listings', [
      {
        product: 'panel',
        snapshot: 'panel-20260501-dead',
        row: 2,
        holder: 'Vorlune',
        model: 'HALF',
        approved: '2024-01-01',
        expires: '2027-01-01',
        key_version: listingKeys.version,
      },
    ]);
    await publish();
    expect(await ask(['Vorlune', 'HALF'])).toEqual([undefined]);
  });
});

describe('V2: a list that is not there as a whole is "unavailable", never "not listed" (must survive 8)', () => {
  const members = async (): Promise<string> => {
    const [key] = await redis.keys('lists:*:keys');
    return key as string;
  };
  const damages: [string, () => Promise<unknown>][] = [
    ['everything is lost', () => forgetLists()],
    ['the pointer is lost', async () => redis.del(...(await redis.keys('lists:*:current')))],
    ['the members are lost', async () => redis.del(await members())],
    ['one member is lost', async () => redis.srem(await members(), listingKey('Kelmarix', 'KEL-400'))],
    ['one member too many', async () => redis.sadd(await members(), 'stranger')],
    [
      'another member in its place',
      async () => {
        await redis.srem(await members(), listingKey('Vorlune', 'VLN-440 (IEC 61215-2021)'));
        await redis.sadd(await members(), listingKey('Vorlune', 'VLN-441'));
      },
    ],
    ['the details are lost', async () => redis.del(...(await redis.keys('lists:*:details')))],
    ['the description is lost', async () => redis.del((await members()).replace(/:keys$/, ''))],
    [
      'the description says another publication',
      async () => redis.hset((await members()).replace(/:keys$/, ''), 'publication', 'other'),
    ],
    [
      'the description says no number',
      async () => redis.hdel((await members()).replace(/:keys$/, ''), 'models'),
    ],
  ];

  test.each(damages)('%s; publishing again restores it', async (name, damage) => {
    await take('2026-04-23', april);
    expect(await ask(['Kelmarix', 'KEL-400'])).toMatchObject([[{ expires: '2025-11-24' }]]);
    await damage();
    const asked = ['Vorlune', name.startsWith('another member') ? 'VLN-441' : 'NEVER'] as const;
    expect(await ask(asked)).toBe('unavailable');
    await publish();
    expect(
      await ask(['Kelmarix', 'KEL-400'], ['Vorlune', 'VLN-440 (IEC 61215-2021)'], ['Vorlune', 'VLN-441']),
    ).toMatchObject([
      [{ expires: '2025-11-24' }],
      [{ expires: '2027-04-16' }, { expires: '2028-12-09' }],
      undefined,
    ]);
  });

  test('also for a worker that has found the model before', async () => {
    await take('2026-04-23', april);
    const lists = new ApprovedLists(redis, listingKeys);
    const snapshot = await lists.currentSnapshot('panel');
    const key = listingKey('Kelmarix', 'KEL-400');
    expect(await lists.lookupListings('panel', snapshot, [key, key])).toMatchObject({ size: 1 });
    await redis.srem(await members(), key);
    expect(await lists.lookupListings('panel', snapshot, [key])).toBe('unavailable');
    await publish();
    expect(await lists.lookupListings('panel', snapshot, [key])).toMatchObject({ size: 1 });
  });

  test('a product without a list', async () => {
    await take('2026-04-23', april);
    const lists = new ApprovedLists(redis, listingKeys);
    expect(await lists.currentSnapshot('battery')).toBe('unavailable');
    await expect(
      publishLists(clickhouse, redis, 'battery', { keys: listingKeys, now }),
    ).rejects.toMatchObject({ code: 'lists_missing', retryable: false });
  });

  test('an emptied table in ClickHouse does not publish an empty list', async () => {
    await take('2026-04-23', april);
    await clickhouse.command('TRUNCATE TABLE listings');
    await forgetLists();
    await expect(publish()).rejects.toMatchObject({ code: 'lists_missing' });
    expect(await ask(['Kelmarix', 'KEL-400'])).toBe('unavailable');
  });

  test('a half-written publication is not seen, and the next publishing completes it', async () => {
    const result = await take('2026-04-23', april);
    const id = result.kind === 'imported' ? result.published.publication : '';
    const key = await members();
    await redis.del(`lists:{panel}:${id}`);
    await redis.srem(key, listingKey('Kelmarix', 'KEL-400'));
    expect(await ask(['Kelmarix', 'KEL-400'])).toBe('unavailable');
    expect(await publish()).toMatchObject({ publication: id, written: true });
    expect(await ask(['Kelmarix', 'KEL-400'])).toMatchObject([[{ model: 'KEL-400' }]]);
  });

  test('Redis not answering is the world, too', async () => {
    const nowhere = createRedis({ url: 'redis://127.0.0.1:1', log: silent });
    const lists = new ApprovedLists(nowhere, listingKeys);
    await expect(lists.currentSnapshot('panel')).rejects.toMatchObject({ retryable: true });
    await expect(lists.lookupListings('panel', 'x', ['y'])).rejects.toMatchObject({ retryable: true });
    nowhere.disconnect();
  });
});

describe('publications', () => {
  test('a batch that holds an older one can still use it; far older ones retire', async () => {
    const lists = new ApprovedLists(redis, listingKeys);
    const ids: string[] = [];
    for (let month = 1; month <= 4; month++) {
      await take(`2026-0${month}-01`, csv(`Vorlune,M-${month},1/01/2024,1/01/2027,Yes`), {
        confirmLoss: true,
      });
      await publish(listingKeys, 2);
      ids.push((await lists.currentSnapshot('panel')) as string);
    }
    expect(new Set(ids).size).toBe(4);
    const found = await lists.lookupListings('panel', ids[2] as string, [
      listingKey('Vorlune', 'M-3'),
      listingKey('Vorlune', 'M-4'),
    ]);
    expect(found !== 'unavailable' && [...found.keys()]).toEqual([listingKey('Vorlune', 'M-3')]);
    const lifetimes = await Promise.all(ids.map((id) => redis.ttl(`lists:{panel}:${id}:keys`)));
    expect(lifetimes.map((seconds) => seconds > 0)).toEqual([true, true, false, false]);
    expect(Math.min(...lifetimes.slice(0, 2))).toBeGreaterThan(3_600);
  });

  test('publishing one that retires takes it back', async () => {
    await take('2026-01-01', april);
    const id = (await publish()).publication;
    for (const part of ['', ':keys', ':details']) await redis.expire(`lists:{panel}:${id}${part}`, 100);
    await publish();
    expect(await redis.ttl(`lists:{panel}:${id}:details`)).toBe(-1);
  });

  test('many at once, over snapshots that arrive meanwhile: all end on the union of all', async () => {
    const snapshots = Array.from({ length: 6 }, (_, i) =>
      take(`2026-0${i + 1}-01`, csv(`Vorlune,M-${i},1/01/2024,1/01/2027,Yes`), { confirmLoss: true }),
    );
    const publishings = snapshots.map(async (one) => {
      await one;
      await publish();
    });
    await Promise.all([...snapshots, ...publishings]);
    const models = Array.from({ length: 6 }, (_, i) => ['Vorlune', `M-${i}`] as const);
    const found = await ask(...models);
    expect(found !== 'unavailable' && found.every((rows) => rows !== undefined)).toBe(true);
    expect(await publish()).toMatchObject({ written: false, models: 6 });
  });

  test('a publishing that another one overtakes does not point back to the older union', async () => {
    await take('2026-01-01', csv('Vorlune,M-1,1/01/2024,1/01/2027,Yes'));
    let overtaken = false;
    const slow: Clickhouse = {
      ...clickhouse,
      async insertRows(table, rows) {
        if (table === 'list_publications' && !overtaken) {
          overtaken = true;
          await take('2026-02-01', csv('Vorlune,M-2,1/01/2024,1/01/2027,Yes'), { confirmLoss: true });
        }
        await clickhouse.insertRows(table, rows);
      },
    };
    await publishLists(slow, redis, 'panel', { keys: listingKeys, now });
    expect(overtaken).toBe(true);
    expect(await ask(['Vorlune', 'M-1'], ['Vorlune', 'M-2'])).toMatchObject([
      [{ model: 'M-1' }],
      [{ model: 'M-2' }],
    ]);
  });

  test('a release that folds otherwise finds nothing until it has published, and then by its own keys', async () => {
    await take('2026-04-23', april);
    const next: ListKeys = {
      version: listingKeys.version + 1,
      fold: (text) => text.toLowerCase(),
      of: (holder, model) => `${holder}/${model}`.toLowerCase(),
    };
    const newer = new ApprovedLists(redis, next);
    expect(await newer.currentSnapshot('panel')).toBe('unavailable');
    await publish(next);
    const snapshot = await newer.currentSnapshot('panel');
    expect(await newer.lookupListings('panel', snapshot, ['kelmarix/kel-400'])).toMatchObject({ size: 1 });
    // The release before goes on with its own.
    expect(await ask(['Kelmarix', 'KEL-400'])).toMatchObject([[{ model: 'KEL-400' }]]);
    const keys = await clickhouse.query('SELECT DISTINCT holder_key FROM listings FINAL ORDER BY holder_key');
    expect(keys).toEqual([{ holder_key: 'kelmarix' }, { holder_key: 'vorlune' }]);
  });

  test('storing one snapshot twice, as two imports at once would, keeps its rows once', async () => {
    await take('2026-04-23', april);
    const [snapshot] = await snapshotsOf(clickhouse, 'panel');
    const row = {
      row: 2,
      holder: 'Vorlune',
      brand: '',
      series: '',
      model: 'VLN-440 (IEC 61215-2021)',
      approved: '2024-04-16',
      expires: '2027-04-16',
      nominal_kwh: '',
      usable_kwh: '',
      ac_power_kw: '',
      fire_tested: 'Yes',
    };
    if (snapshot) await storeSnapshot(clickhouse, snapshot, [row], listingKeys, now());
    expect(await clickhouse.query('SELECT count() AS n FROM listings FINAL')).toEqual([{ n: 3 }]);
    expect((await snapshotsOf(clickhouse, 'panel')).length).toBe(1);
  });
});

/** The dirt of section 11 of the domain rules, measured on the rows as they are stored and as the file has them. */
function measure(file: string) {
  const [, ...lines] = file.trimEnd().split('\r\n');
  const rows = lines.map((line) => line.split(','));
  const distinct = [...new Set(lines)].map(
    (line) => line.split(',') as [string, string, string, string, string],
  );
  const day = (cell: string) =>
    cell
      .split('/')
      .reverse()
      .map((part) => part.padStart(2, '0'))
      .join('-');
  const group = <K>(
    key: (row: (typeof distinct)[number]) => K,
    value: (row: (typeof distinct)[number]) => string,
  ) => {
    const groups = new Map<K, Set<string>>();
    for (const row of distinct) groups.set(key(row), (groups.get(key(row)) ?? new Set()).add(value(row)));
    return [...groups.values()].filter((values) => values.size > 1).length;
  };
  return {
    rows: rows.length,
    distinct: distinct.length,
    expired: distinct.filter((row) => day(row[3]) < '2026-04-23').length,
    approvals: [
      distinct
        .map((row) => day(row[2]))
        .sort()
        .at(0),
      distinct
        .map((row) => day(row[2]))
        .sort()
        .at(-1),
    ],
    expiries: [
      distinct
        .map((row) => day(row[3]))
        .sort()
        .at(0),
      distinct
        .map((row) => day(row[3]))
        .sort()
        .at(-1),
    ],
    adjacentRepeats: lines.filter((line, index) => line === lines[index - 1]).length,
    oneDigitDays: rows.filter(([, , approved]) => /^\d\//.test(approved as string)).length,
    keysWithTwoWindows: group(
      (row) => `${row[0]}\n${row[1]}`,
      (row) => `${row[2]} ${row[3]}`,
    ),
    modelsUnderSeveralHolders: group(
      (row) => row[1],
      (row) => row[0],
    ),
    holdersInTwoCases: group(
      (row) => row[0].toUpperCase(),
      (row) => row[0],
    ),
    beyondAscii: distinct.filter((row) => /[^\x20-\x7e]/.test(row.join(','))).length,
    slashes: rows.filter(([, model]) => model?.includes('/')).length,
    suffixed: rows.filter(([, model]) => model?.includes('(IEC 61215-2021)')).length,
    severalBrackets: rows.filter(([, model]) => (model?.match(/\(/g)?.length ?? 0) > 1).length,
    suffixForms: group(
      (row) => `${row[0]}\n${row[1].replace(/ ?\([^)]*\)/g, '')}`,
      (row) => row[1],
    ),
    longest: [
      Math.max(...distinct.map((row) => row[0].length)),
      Math.max(...distinct.map((row) => row[1].length)),
    ],
  };
}

describe('the lists as they come', () => {
  test('the synthetic list is what its generator writes, and takes in', async () => {
    const file = readFileSync(syntheticListFile, 'utf8');
    expect(file).toBe(syntheticList());
    const result = await take('2026-04-23', Buffer.from(file), {
      fileName: path.basename(syntheticListFile),
    });
    expect(result).toMatchObject({ kind: 'imported', snapshot: { rows: 2_000, listings: 1_640 } });
  });

  test("the synthetic list has the real one's dirt", () => {
    expect(measure(syntheticList())).toMatchObject({
      rows: 2_000,
      distinct: 1_640,
      approvals: ['2019-03-14', '2026-04-09'],
      expiries: ['2024-01-02', '2029-04-09'],
      adjacentRepeats: 0,
      keysWithTwoWindows: 13,
      holdersInTwoCases: 3,
      beyondAscii: 4,
      longest: [57, 45],
    });
    const {
      expired,
      oneDigitDays,
      modelsUnderSeveralHolders,
      slashes,
      suffixed,
      severalBrackets,
      suffixForms,
    } = measure(syntheticList());
    expect(expired / 1_640).toBeCloseTo(0.43, 1);
    expect(oneDigitDays).toBeGreaterThan(400);
    expect(modelsUnderSeveralHolders).toBeGreaterThanOrEqual(9);
    expect(slashes / 2_000).toBeCloseTo(0.23, 1);
    expect(suffixed / 2_000).toBeCloseTo(0.59, 1);
    expect(severalBrackets).toBeGreaterThan(100);
    expect(suffixForms).toBeGreaterThanOrEqual(60);
  });

  const data = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../shared/data');

  test.skipIf(!existsSync(data))(
    'CEC-1, DIRT-1 to 15: the real list of PV modules, as measured',
    async () => {
      const body = readFileSync(path.join(data, 'cec_pv_modules_20260423.csv'));
      const result = await take('2026-04-23', body, { fileName: 'cec_pv_modules_20260423.csv' });
      expect(result).toMatchObject({
        kind: 'imported',
        snapshot: { rows: 7_762, listings: 6_372, models: 6_315 },
      });
      expect(measure(body.toString())).toMatchObject({
        rows: 7_762,
        distinct: 6_372,
        expired: 2_970,
        adjacentRepeats: 0,
        oneDigitDays: 2_476,
        keysWithTwoWindows: 52,
        modelsUnderSeveralHolders: 34,
        holdersInTwoCases: 5,
        slashes: 1_759,
        suffixed: 4_550,
        severalBrackets: 795,
        longest: [57, 45],
      });
      expect(reported.join('\n')).toContain('2,970 distinct rows had expired, 0 were not approved yet');
      const holder = '1KOMMA5° Technology GmbH';
      const [komma] = (await ask([holder, '1KOMMA5°-Fullblack-01-425'])) as [never];
      expect(assessListing({ holder, model: '1KOMMA5°-Fullblack-01-425' }, komma, '2025-03-31').note).toBe(
        '',
      );
      expect(assessListing({ holder, model: '1KOMMA5°-FULLBLACK-01-425' }, komma, '2025-03-31').note).toBe(
        'listed_with_other_case',
      );
      expect(assessListing({ holder, model: '1KOMMA5°-Fullblack-01-425' }, komma, '2025-04-01').note).toBe(
        'listing_expired',
      );
    },
  );

  test.skipIf(!existsSync(data))('CEC-2: the real list of batteries', async () => {
    const body = readFileSync(path.join(data, 'cec_batteries_20260423.csv'));
    const result = await take('2026-04-23', body, {
      product: 'battery',
      fileName: 'cec_batteries_20260423.csv',
    });
    expect(result).toMatchObject({
      kind: 'imported',
      snapshot: { rows: 1_523, listings: 1_523, models: 1_523 },
    });
    const [sizes] = await clickhouse.query<object>(
      `SELECT countIf(toFloat64(nominal_kwh) < 5) AS below, countIf(toFloat64(nominal_kwh) = 100) AS hundred,
        countIf(toFloat64(usable_kwh) > 50) AS over, countIf(nominal_kwh = usable_kwh) AS equal, countIf(holder LIKE '%,%') AS commas
      FROM listings WHERE product = 'battery'`,
    );
    expect(sizes).toEqual({ below: 42, hundred: 3, over: 117, equal: 491, commas: 19 });
  });
});
