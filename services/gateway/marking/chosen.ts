import { hash } from 'node:crypto';
import type { AuthorityTest } from '#gateway/accounts/authority.ts';
import type { Place } from '#gateway/search/query.ts';
import { type Part, partCharsMax, partRowsMax } from '#gateway/streams/parts.ts';
import { Batcher } from '#gateway/submissions/batches.ts';
import type { Contents } from '#gateway/submissions/collect.ts';
import type { DocumentKind } from '#gateway/submissions/documents.ts';
import { normalise } from '#shared/domain/normalise.ts';
import type { SerialRecord } from '#shared/domain/serials.ts';

/** A serial that is to be marked as invalid, as the ledger has it. */
export interface ChosenSerial {
  readonly supplier: string;
  readonly holder: string;
  readonly series: string;
  readonly model: string;
  readonly serial: string;
  /** Supplier, serial and holder as they are compared. */
  readonly place: Place;
  /** Whether whoever chooses it has sent it: then no authority is asked for (E7). */
  readonly sent: boolean;
}

/** Why, in the words of the catalogue. */
export interface MarkingReason {
  readonly reason: string;
  readonly note: string;
}

export interface ChosenOptions extends MarkingReason {
  readonly document: DocumentKind;
  readonly partitions: number;
  /** Number in the marking of the first row that comes. */
  readonly fromRow: number;
  /** Asked for each part, since what an account may do can change meanwhile. */
  mayMark(): AuthorityTest;
  readonly rowsMax?: number;
}

/**
 * Cuts chosen serials into parts, each of which becomes one submission. What is kept of a part is a line of JSON for each row;
 * where it is cut depends on the rows since the first one alone.
 */
export async function* chosenParts(
  blocks: AsyncIterable<readonly ChosenSerial[]>,
  options: ChosenOptions,
): AsyncGenerator<Part, void> {
  const { rowsMax = partRowsMax } = options;
  let firstRow = options.fromRow;
  let open = new OpenPart(firstRow, options);
  for await (const block of blocks)
    for (const serial of block) {
      const line = lineOf(serial, options);
      if (open.isFull(line, rowsMax)) {
        yield open.part();
        firstRow += open.rows;
        open = new OpenPart(firstRow, options);
      }
      open.add(serial, line);
    }
  if (open.rows > 0) yield open.part();
}

class OpenPart {
  readonly #firstRow: number;
  readonly #options: ChosenOptions;
  readonly #serials: ChosenSerial[] = [];
  readonly #lines: string[] = [];
  #chars = 0;

  constructor(firstRow: number, options: ChosenOptions) {
    this.#firstRow = firstRow;
    this.#options = options;
  }

  get rows(): number {
    return this.#serials.length;
  }

  isFull(line: string, rowsMax: number): boolean {
    return this.rows === rowsMax || (this.rows > 0 && this.#chars + line.length > partCharsMax);
  }

  add(serial: ChosenSerial, line: string): void {
    this.#serials.push(serial);
    this.#lines.push(line);
    this.#chars += line.length;
  }

  part(): Part {
    const body = Buffer.from(this.#lines.join(''));
    return {
      firstRow: this.#firstRow,
      rows: this.rows,
      firstLine: 1,
      lastLine: this.rows,
      body,
      bodySha256: hash('sha256', body, 'hex'),
      contents: () => contentsOf(this.#serials, this.#options),
    };
  }
}

function lineOf({ supplier, holder, series, model, serial }: ChosenSerial, of: MarkingReason): string {
  const { reason, note } = of;
  return `${JSON.stringify({ supplier, holder, series, model, serial, reason, note })}\n`;
}

/** The place of the last row of a part, from what was kept of it: behind it the next one begins. */
export function lastPlaceOf(body: Buffer): Place {
  const line = body.toString('utf8').trimEnd().split('\n').at(-1)!;
  const { supplier, serial, holder } = JSON.parse(line) as Record<'supplier' | 'serial' | 'holder', string>;
  return [normalise(supplier), normalise(serial), normalise(holder)];
}

function contentsOf(serials: readonly ChosenSerial[], options: ChosenOptions): Contents {
  const mayMark = options.mayMark();
  const batcher = new Batcher(options.document, options.partitions);
  const findings = new Map<string, number>();
  const records = serials.map((chosen, i) => {
    const record = recordOf(chosen, i + 1, options, mayMark);
    findings.set(record.finding, (findings.get(record.finding) ?? 0) + 1);
    batcher.add({ record, bytes: bytesOf(record) });
    return record;
  });
  return { rows: records.length, batches: batcher.batches(), records, findings };
}

function recordOf(
  { supplier, holder, series, model, serial, place, sent }: ChosenSerial,
  row: number,
  { reason, note }: MarkingReason,
  mayMark: AuthorityTest,
): SerialRecord {
  const [supplier_key, serial_key, holder_key] = place;
  const may = sent || mayMark(supplier_key, holder_key, normalise(model));
  return {
    row,
    line: row,
    supplier,
    holder,
    series,
    model,
    serial,
    supplier_key,
    holder_key,
    serial_key,
    status: '',
    reason,
    note,
    finding: may ? '' : 'supplier_not_authorised',
    column: '',
  };
}

function bytesOf(record: SerialRecord): number {
  let bytes = 0;
  for (const text of Object.values(record)) if (typeof text === 'string') bytes += Buffer.byteLength(text);
  return bytes;
}
