import { normalise } from '#shared/domain/normalise.ts';
import type { SerialRecord } from '#shared/domain/serials.ts';

export interface RawRow {
  readonly supplier: string;
  readonly holder: string;
  readonly model: string;
  readonly serial: string;
  /** Reason code of the gateway; the row is malformed. */
  readonly finding?: string;
  /** Of a change of status. */
  readonly status?: string;
}

/** As a gateway makes it of a row of a file. */
export function recordOf(
  { supplier, holder, model, serial, finding = '', status = '' }: RawRow,
  row: number,
): SerialRecord {
  return {
    row,
    line: row + 1,
    supplier,
    holder,
    series: '',
    model,
    serial,
    supplier_key: normalise(supplier),
    holder_key: normalise(holder),
    serial_key: normalise(serial),
    status,
    reason: '',
    note: '',
    finding,
    column: '',
  };
}
