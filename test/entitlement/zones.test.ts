import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { zoneTables } from '#shared/domain/entitlement/data/scheme.ts';
import { zones2010, zones2020 } from '#shared/domain/entitlement/data/zone-ranges.ts';
import { assessEntitlement } from '#shared/domain/entitlement/index.ts';
import { zoneOf } from '#shared/domain/entitlement/zones.ts';

const postcodes = Array.from({ length: 10_000 }, (_, number) => String(number).padStart(4, '0'));
const [table2010, table2020] = zoneTables;

/** The zone by reading down the ranges, as a person does. */
function readDown(ranges: typeof zones2010, postcode: string): number | undefined {
  return ranges.find(([from, to]) => Number(postcode) >= from && Number(postcode) <= to)?.[2];
}

describe('the two tables', () => {
  test.each([
    ['2010', zones2010, 126],
    ['2020', zones2020, 137],
  ] as const)('%s: %#, no gap, no overlap', (_, ranges, count) => {
    expect(ranges.length).toBe(count);
    let next = 0;
    for (const [from, to] of ranges) {
      expect(from).toBe(next);
      expect(to).toBeGreaterThanOrEqual(from);
      next = to + 1;
    }
    expect(next).toBe(10_000);
  });

  test('every postcode is found as one reads down the ranges', () => {
    for (const postcode of postcodes) {
      expect(zoneOf(table2010!, postcode)).toBe(readDown(zones2010, postcode));
      expect(zoneOf(table2020!, postcode)).toBe(readDown(zones2020, postcode));
    }
  });

  test('386 postcodes differ, as counted (ZONE-6)', () => {
    const changes = new Map<string, number>();
    for (const postcode of postcodes) {
      const change = `${readDown(zones2010, postcode)}->${readDown(zones2020, postcode)}`;
      if (change[0] !== change.at(-1)) changes.set(change, (changes.get(change) ?? 0) + 1);
    }
    expect(Object.fromEntries(changes)).toEqual({
      '4->3': 339,
      '2->3': 32,
      '3->2': 6,
      '2->1': 5,
      '1->2': 3,
      '3->4': 1,
    });
  });

  test('each of them is judged by the table of its installation date', () => {
    const rating = { 1: '162.2', 2: '153.6', 3: '138.2', 4: '118.5' } as const;
    const annual = (postcode: string, install_date: string) =>
      assessEntitlement({ system_type: 'solar', postcode, kw: '100', install_date }).annual_mwh;
    const changed = postcodes.filter(
      (postcode) => readDown(zones2010, postcode) !== readDown(zones2020, postcode),
    );
    expect(changed.length).toBe(386);
    for (const postcode of changed) {
      expect(annual(postcode, '2019-12-31')).toBe(rating[readDown(zones2010, postcode) as 1 | 2 | 3 | 4]);
      expect(annual(postcode, '2020-01-01')).toBe(rating[readDown(zones2020, postcode) as 1 | 2 | 3 | 4]);
    }
  });
});

const data = path.resolve(import.meta.dirname, '../../../shared/data');

describe.runIf(existsSync(data))('against the published tables, where they are', () => {
  test.each([
    ['pv_zone_ranges_seed2010.csv', zones2010],
    ['pv_zone_ranges_2020.csv', zones2020],
  ] as const)('%s', (file, ranges) => {
    const [, ...lines] = readFileSync(path.join(data, file), 'utf8').trim().split(/\r?\n/);
    const published = lines.map((line) => line.split(',').slice(0, 4));
    expect(ranges.map(([from, to, zone]) => [from, to, zone])).toEqual(
      published.map(([from, to, zone]) => [Number(from), Number(to), Number(zone)]),
    );
    const ratings = { '1': '1.622', '2': '1.536', '3': '1.382', '4': '1.185' } as Record<string, string>;
    for (const [, , zone, rating] of published) expect(ratings[zone ?? '']).toBe(rating);
  });
});
