import { type Dialect, dialectOf, headingsCharsMax } from '#gateway/csv/dialect.ts';
import { type Headings, readHeadings } from '#gateway/csv/headings.ts';
import { pieceChars, RecordReader } from '#gateway/csv/records.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { LineText } from './line-text.ts';
import { type Part, PartCutter, type PartOptions } from './parts.ts';
import { textsOf } from './texts.ts';

/** The parts of a CSV stream, in order; a refusal of the stream as a whole is the end. */
export async function* csvParts(
  bytes: AsyncIterable<Buffer>,
  options: PartOptions,
): AsyncGenerator<Part | Refusal, void> {
  let stream: CsvStream | undefined;
  for await (const text of textsOf(bytes, headingsCharsMax)) {
    if (typeof text !== 'string') return yield stream ? stream.atRow(text) : text;
    stream ??= new CsvStream(text, options);
    // Piece by piece, so that no more parts than one are ready and wait.
    for (let at = 0; at < text.length; at += pieceChars) {
      const refusal = await stream.write(text.slice(at, at + pieceChars));
      yield* stream.ready();
      if (refusal) return yield refusal;
    }
  }
  const refusal = await stream?.end();
  if (stream) yield* stream.ready();
  if (refusal) yield refusal;
  else if (!stream?.begun) yield refuse('file_empty');
}

/** CSV that comes bit by bit, as parts. The first text holds the headings. */
class CsvStream {
  readonly #options: PartOptions;
  readonly #dialect: Dialect;
  readonly #separator: string;
  readonly #reader: RecordReader;
  #lines: LineText;
  #skip: number;
  #cutter: PartCutter | undefined;
  #ready: Part[] = [];

  constructor(first: string, options: PartOptions) {
    this.#options = options;
    this.#dialect = dialectOf(first);
    this.#skip = this.#dialect.from;
    this.#separator = first.slice(0, this.#dialect.from);
    this.#lines = new LineText(this.#dialect.line);
    this.#reader = this.#readerFrom(this.#dialect.line);
  }

  /** Whether the headings were read. */
  get begun(): boolean {
    return this.#cutter !== undefined;
  }

  /** Parts that are complete, each once. */
  ready(): readonly Part[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  async write(text: string): Promise<Refusal | undefined> {
    const rest = text.slice(this.#skip);
    this.#skip = Math.max(0, this.#skip - text.length);
    this.#lines.append(rest);
    const refusal = await this.#reader.write(rest);
    if (refusal) return this.#located(refusal);
    // Blank lines belong to no row.
    this.#lines.skipTo(this.#reader.line);
    return undefined;
  }

  async end(): Promise<Refusal | undefined> {
    const refusal = await this.#reader.end();
    if (refusal) return this.#located(refusal);
    const last = this.#cutter?.end();
    if (last) this.#ready.push(last);
    return undefined;
  }

  #readerFrom(line: number): RecordReader {
    return new RecordReader({ delimiter: this.#dialect.delimiter, line }, (cells, start, next) => {
      if (!this.#cutter) return this.#begin(cells, start, next);
      const full = this.#cutter.add({ cells, line: start, next, text: this.#lines.take(start, next) });
      if (full) this.#ready.push(full);
      return undefined;
    });
  }

  #begin(cells: readonly string[], line: number, next: number): Refusal | undefined {
    const headings: Headings | Refusal = readHeadings(cells, this.#options.document.layout, line);
    if (isRefusal(headings)) return headings;
    const head = this.#separator + this.#lines.take(line, next);
    this.#cutter = new PartCutter(this.#options, headings, head);
    return undefined;
  }

  /** Where quotation marks are broken the parser gives nothing of its piece: the rows before the broken one are read again. */
  async #located(refusal: Refusal): Promise<Refusal> {
    const broken = refusal.refused === 'quotes_broken' ? (refusal.facts?.line as number) : 0;
    const { line } = this.#reader;
    if (broken > line) {
      const good = this.#lines.take(line, broken);
      this.#lines = new LineText(line);
      this.#lines.append(good);
      const reader = this.#readerFrom(line);
      const earlier = (await reader.write(good)) ?? (await reader.end());
      if (earlier) return this.atRow(earlier);
    }
    return this.atRow(refusal);
  }

  /** The refusal, with the row that could not be read. */
  atRow(refusal: Refusal): Refusal {
    return this.#cutter ? atRow(refusal, this.#cutter.nextRow) : refusal;
  }
}

/** A refusal that also says by which row the stream can not be read on. */
export function atRow(refusal: Refusal, row: number): Refusal {
  return { ...refusal, facts: { ...refusal.facts, row } };
}
