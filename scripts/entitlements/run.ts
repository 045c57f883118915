import { type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse } from 'fast-csv';
import type { Policy } from '#shared/domain/entitlement/index.ts';
import { quotedCell } from '../csv-cell.ts';
import type { Heading } from './heading.ts';
import { QuoteGuard } from './quote-guard.ts';
import { AnswerRows } from './rows.ts';

const writeBytes = 64 * 1024;

/**
 * Rows of cells to CSV bytes, many rows to a write: a write for each costs more than its calculation. Cells were read as single
 * bytes (latin1) and are written so; every byte of the input comes out as it was, whatever its encoding.
 */
class WriteRows extends Transform {
  #text = '';

  constructor() {
    super({ writableObjectMode: true });
  }

  override _transform(cells: readonly string[], _encoding: BufferEncoding, done: TransformCallback): void {
    this.#text += `${cells.map(quotedCell).join(',')}\n`;
    if (this.#text.length >= writeBytes) this.#release();
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#release();
    done();
  }

  #release(): void {
    if (this.#text !== '') this.push(this.#text, 'latin1');
    this.#text = '';
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
    new WriteRows(),
    sink,
    { end: false },
  );
}
