import { hash } from 'node:crypto';
import type { Headings } from '#gateway/csv/headings.ts';
import type { Refusal } from '#gateway/refusal.ts';
import { type CollectOptions, type Contents, RowCollector } from '#gateway/submissions/collect.ts';
import type { DocumentKind } from '#gateway/submissions/documents.ts';
import type { RowFault } from '#gateway/submissions/rows.ts';

/** Rows of one submission of a stream. Constant: whoever sends a stream again must find it cut at the same rows (K4). */
export const partRowsMax = 5_000;
/** Characters of one submission of a stream: in UTF-8, compressed or not, they fit into one message. */
export const partCharsMax = 4 * 1024 * 1024;

/** Rows of a stream that become one submission. */
export interface Part {
  /** Rows and lines of the stream, from 1; lines are those of what was sent. */
  readonly firstRow: number;
  readonly rows: number;
  readonly firstLine: number;
  readonly lastLine: number;
  /** The headings and the rows as they came, without blank lines: a file of its own. */
  readonly body: Buffer;
  readonly bodySha256: string;
  /** Judges the rows together; asked once. */
  contents(): Contents | Refusal;
}

export interface PartOptions {
  readonly document: DocumentKind;
  /** The number of the first row that comes. */
  readonly fromRow: number;
  /** By what the rows of the next part are read: asked for each part, since what an account may do can change meanwhile. */
  readonly collecting: () => Omit<CollectOptions, 'rowsMax'>;
  readonly rowsMax?: number;
  readonly charsMax?: number;
}

export interface StreamRow {
  readonly cells: readonly string[];
  readonly fault?: RowFault;
  /** As it came, its line end included. */
  readonly text: string;
  /** Where it begins, and where what follows begins. */
  readonly line: number;
  readonly next: number;
}

interface OpenPart {
  readonly collector: RowCollector;
  readonly firstRow: number;
  readonly firstLine: number;
  readonly texts: string[];
  rows: number;
  chars: number;
  /** Lines of its body, the headings included. */
  lines: number;
  lastLine: number;
}

/**
 * Cuts rows into parts. Where it cuts depends on the rows since the first one alone, not on how they came: whoever begins
 * again at the beginning of a part gets the same parts.
 */
export class PartCutter {
  readonly #options: PartOptions;
  readonly #headings: Headings;
  readonly #head: string;
  readonly #headLines: number;
  #nextRow: number;
  #open: OpenPart | undefined;

  /** `head`: the text that each body begins with. */
  constructor(options: PartOptions, headings: Headings, head: string) {
    this.#options = options;
    this.#headings = headings;
    this.#head = head;
    this.#headLines = head.match(/\r\n|\r|\n/g)?.length ?? 0;
    this.#nextRow = options.fromRow;
  }

  /** The number of the row that comes next. */
  get nextRow(): number {
    return this.#nextRow;
  }

  /** Takes a row; gives the part before it, when that one is full. */
  add(row: StreamRow): Part | undefined {
    const { rowsMax = partRowsMax, charsMax = partCharsMax } = this.#options;
    const isFull =
      this.#open && (this.#open.rows === rowsMax || this.#open.chars + row.text.length > charsMax);
    const full = isFull ? this.end() : undefined;
    this.#open ??= this.#begin(row, { ...this.#options.collecting(), rowsMax });
    const open = this.#open;
    open.collector.add(row.cells, open.lines + 1, row.fault);
    open.texts.push(row.text);
    open.rows += 1;
    open.chars += row.text.length;
    open.lines += row.next - row.line;
    open.lastLine = row.next - 1;
    this.#nextRow += 1;
    return full;
  }

  /** The last part, unless there are no rows for one. */
  end(): Part | undefined {
    const open = this.#open;
    if (!open) return undefined;
    this.#open = undefined;
    const { firstRow, rows, firstLine, lastLine, collector } = open;
    const body = Buffer.from(this.#head + open.texts.join(''));
    const bodySha256 = hash('sha256', body, 'hex');
    return { firstRow, rows, firstLine, lastLine, body, bodySha256, contents: () => collector.finish() };
  }

  #begin({ line }: StreamRow, options: CollectOptions): OpenPart {
    return {
      collector: new RowCollector(this.#options.document, this.#headings, options),
      firstRow: this.#nextRow,
      firstLine: line,
      texts: [],
      rows: 0,
      chars: 0,
      lines: this.#headLines,
      lastLine: line,
    };
  }
}
