import { assert } from '#shared/base/errors.ts';
import { type ZoneTable, zoneTables } from './data/scheme.ts';
import type { Zone } from './kinds.ts';

/** Zone by postcode, one byte each: a look-up is an index, and a hole in the data is found when the table is laid out. */
function layOut(table: ZoneTable): Uint8Array {
  const zones = new Uint8Array(10_000);
  for (const [from, to, zone] of table.ranges) zones.fill(zone, from, to + 1);
  assert(!zones.includes(0), `zone table ${table.name} leaves a postcode out`);
  return zones;
}

const zonesByTable: ReadonlyMap<ZoneTable, Uint8Array> = new Map(
  zoneTables.map((table) => [table, layOut(table)]),
);

/** The zone of a postcode of four digits in a table (ZONE-2, ZONE-3). */
export function zoneOf(table: ZoneTable, postcode: string): Zone {
  const zone = zonesByTable.get(table)?.[Number(postcode)];
  assert(zone === 1 || zone === 2 || zone === 3 || zone === 4, `no zone for postcode ${postcode}`);
  return zone;
}
