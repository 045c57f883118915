import { type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { format, parse } from 'fast-csv';
import type { Policy } from '#shared/domain/entitlement/index.ts';
import type { Heading } from './heading.ts';
import { QuoteGuard } from './quote-guard.ts';
import { AnswerRows } from './rows.ts';

const writeBytes = 64 * 1024;

/**
 * Gathers the formatter's rows into larger writes: one write for each row costs more than the calculation. The cells were read as
 * single bytes (latin1) and the formatter writes UTF-8; turning that back leaves every byte of the input as it was.
 */
class GatherBytes extends Transform {
  #parts: string[] = [];
  #length = 0;

  override _transform(row: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#parts.push(row.toString('utf8'));
    this.#length += row.length;
    if (this.#length >= writeBytes) this.#release();
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#release();
    done();
  }

  #release(): void {
    if (this.#length > 0) this.push(Buffer.from(this.#parts.join(''), 'latin1'));
    this.#parts = [];
    this.#length = 0;
  }
}

/**
 * Answers every row of a CSV source, in order, in constant memory: each stage waits for the next. Rejects when the source cannot be
 * read or its heading not understood; a bad row is an answer.
 */
export async function answerCsv(
  source: Readable,
  sink: Writable,
  policy: Policy,
  onHeading: (heading: Heading) => void,
): Promise<void> {
  await pipeline(
    source,
    new QuoteGuard(),
    parse({ headers: false, ignoreEmpty: false, encoding: 'latin1' }),
    new AnswerRows(policy, onHeading),
    format({ headers: false, includeEndRowDelimiter: true }),
    new GatherBytes(),
    sink,
    { end: false },
  );
}
