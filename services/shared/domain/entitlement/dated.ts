import { assert } from '#shared/base/errors.ts';
import type { Day } from './calendar.ts';

/** A row of a rule table: it holds from its day until the next row's. */
export interface Dated {
  readonly from: Day;
}

/** The row in force on a day; rows ascend by `from`. Undefined before the first one. */
export function inForce<Row extends Dated>(rows: readonly Row[], day: Day): Row | undefined {
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    if (row !== undefined && row.from <= day) return row;
  }
  return undefined;
}

/** As `inForce`, but what is older than the table is read with its first row: it is refused for its date, its figures are shown. */
export function inForceOrFirst<Row extends Dated>(rows: readonly Row[], day: Day): Row {
  const row = inForce(rows, day) ?? rows[0];
  assert(row !== undefined, 'a dated table is empty');
  return row;
}
