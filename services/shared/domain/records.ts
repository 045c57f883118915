import { actions, type BatchHeader, type SerialRecord } from './serials.ts';

/**
 * A record as it travels. The rows of a file say the same of many serials: what several records of a batch have in common is
 * said by the first of them, and those after it repeat it. Version 1 of the schema had no such records, and reads as that.
 */
export interface SentRecord extends SerialRecord {
  readonly repeats: boolean;
}

export interface SentBatch extends BatchHeader {
  readonly records: readonly SentRecord[];
}

/** What a stage reads of a batch. */
interface View {
  readonly action: string;
  readonly records: readonly { readonly repeats: boolean }[];
}

const known: ReadonlySet<string> = new Set(actions);

/** Records that say the same, one after the other; the order of the file among them, and of the first of each. */
export function grouped(records: readonly SerialRecord[]): readonly SentRecord[] {
  const groups: SerialRecord[][] = [];
  const byModel = new Map<string, SerialRecord[][]>();
  for (const record of records) {
    const ofModel = byModel.get(record.model);
    const group = ofModel?.find(([first]) => sayTheSame(first!, record));
    if (group) {
      group.push(record);
      continue;
    }
    const begun = [record];
    groups.push(begun);
    if (ofModel) ofModel.push(begun);
    else byModel.set(record.model, [begun]);
  }
  return groups.flatMap((group) => group.map((record, i) => sent(record, i > 0)));
}

/** Each record with all that it says, in the order in which they came. */
export function spelledOut(records: readonly SentRecord[]): readonly SerialRecord[] {
  return carriedOn(records, records).map(({ repeats: _, ...said }, i) => {
    const { row, line, serial, serial_key } = records[i]!;
    return { ...said, row, line, serial: serial === '' ? serial_key : serial, serial_key };
  });
}

/** What is said of each record: of one that repeats, what is said of the last before it that does not. */
export function carriedOn<T>(
  records: readonly { readonly repeats: boolean }[],
  said: readonly T[],
): readonly T[] {
  let first = 0;
  return records.map(({ repeats }, i) => {
    if (!repeats) first = i;
    return said[first]!;
  });
}

/**
 * The batch, or nothing when it says what no gateway writes, though its bytes can be decoded: an action that there is not, a
 * record that repeats one that is not there, or one that is not `sound`.
 */
export function plausible<B extends View>(
  batch: B | undefined,
  sound: (record: B['records'][number]) => boolean,
): B | undefined {
  if (!batch || !known.has(batch.action) || batch.records[0]?.repeats) return undefined;
  return batch.records.every(sound) ? batch : undefined;
}

/** All texts but the serial: see `sent`. */
function sayTheSame(a: SerialRecord, b: SerialRecord): boolean {
  return (
    a.model === b.model &&
    a.holder === b.holder &&
    a.series === b.series &&
    a.supplier === b.supplier &&
    a.holder_key === b.holder_key &&
    a.supplier_key === b.supplier_key &&
    a.status === b.status &&
    a.reason === b.reason &&
    a.note === b.note &&
    a.finding === b.finding &&
    a.column === b.column
  );
}

function sent(record: SerialRecord, repeats: boolean): SentRecord {
  const { row, line, serial, serial_key } = record;
  return {
    row,
    line,
    supplier: repeats ? '' : record.supplier,
    holder: repeats ? '' : record.holder,
    series: repeats ? '' : record.series,
    model: repeats ? '' : record.model,
    serial: serial === serial_key ? '' : serial,
    supplier_key: repeats ? '' : record.supplier_key,
    holder_key: repeats ? '' : record.holder_key,
    serial_key,
    status: repeats ? '' : record.status,
    reason: repeats ? '' : record.reason,
    note: repeats ? '' : record.note,
    finding: repeats ? '' : record.finding,
    column: repeats ? '' : record.column,
    repeats,
  };
}
