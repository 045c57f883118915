import { Transform, type TransformCallback } from 'node:stream';
import { OperationalError } from '#shared/base/errors.ts';

/** A quoted cell may hold line ends, but not without end: past this the opening quotation mark is the damage. */
const recordMax = 64 * 1024;
const lineMax = 2 * recordMax;

type Verdict =
  | { readonly kind: 'record'; readonly end: number }
  | { readonly kind: 'open' }
  | { readonly kind: 'damaged' };

function isLineEnd(character: string | undefined): boolean {
  return character === '\n' || character === '\r';
}

/** The position after the closing quotation mark of a cell that opens at `from`, or -1 when the text ends before. */
function closingQuote(text: string, from: number): number {
  let at = from + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return -1;
    if (text[quote + 1] !== '"') return quote + 1;
    at = quote + 2;
  }
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}

/** The end of the cell that starts at `from`: at a comma, a line end or the end of the text. -1: open, -2: damaged. */
function cellEnd(text: string, from: number): number {
  const start = skipSpaces(text, from);
  if (text[start] !== '"') {
    let at = start;
    while (at < text.length && text[at] !== ',' && !isLineEnd(text[at])) at += 1;
    return at;
  }
  const closed = closingQuote(text, start);
  if (closed === -1) return -1;
  const end = skipSpaces(text, closed);
  return end >= text.length || text[end] === ',' || isLineEnd(text[end]) ? end : -2;
}

/** Looks at one record: where it ends, whether more text is needed to say, or whether its quotation is broken. */
function judge(text: string, start: number): Verdict {
  let at = start;
  for (;;) {
    const end = cellEnd(text, at);
    if (end === -2) return { kind: 'damaged' };
    if (end === -1 || end >= text.length) return { kind: 'open' };
    if (isLineEnd(text[end])) return { kind: 'record', end: end + 1 };
    at = end + 1;
  }
}

function lineEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) if (isLineEnd(text[at])) return at + 1;
  return -1;
}

/** The damaged line as one quoted cell: the reader then sees a row with a wrong number of cells, and goes on after it. */
function asOneCell(line: string): string {
  return `"${line.replace(/[\r\n]+$/, '').replaceAll('"', '""')}"\n`;
}

/**
 * Lets whole CSV records through, and makes one quoted cell of every line whose quotation marks are broken. The CSV parser
 * stops for good at such a line; a bad row must not end the run. Works on single-byte text (latin1): bytes stay bytes.
 */
export class QuoteGuard extends Transform {
  #pending = '';
  #isFirst = true;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pending += this.#withoutByteOrderMark(chunk.toString('latin1'));
    this.#drain(false, done);
  }

  override _flush(done: TransformCallback): void {
    if (this.#pending !== '' && !isLineEnd(this.#pending.at(-1))) this.#pending += '\n';
    this.#drain(true, done);
  }

  #withoutByteOrderMark(text: string): string {
    if (!this.#isFirst) return text;
    this.#isFirst = false;
    return text.startsWith('\xef\xbb\xbf') ? text.slice(3) : text;
  }

  #drain(isEnd: boolean, done: TransformCallback): void {
    const text = this.#pending;
    let at = 0;
    let safe = '';
    while (at < text.length) {
      const next = this.#takeOne(text, at, isEnd);
      if (next === undefined) break;
      safe += next.text;
      at = next.end;
    }
    this.#pending = text.slice(at);
    if (safe !== '') this.push(safe, 'latin1');
    const message = `a line is longer than ${lineMax} bytes: is this CSV?`;
    done(
      this.#pending.length > lineMax
        ? new OperationalError('line_too_long', message, { retryable: false })
        : null,
    );
  }

  /** One record, or a run of lines without any quotation mark. Undefined: wait for more text. */
  #takeOne(
    text: string,
    start: number,
    isEnd: boolean,
  ): { readonly text: string; readonly end: number } | undefined {
    const quote = text.indexOf('"', start);
    const plainEnd = lastLineEnd(text, start, quote === -1 ? text.length : quote);
    if (plainEnd > start) return { text: text.slice(start, plainEnd), end: plainEnd };
    if (quote === -1) return undefined;
    const verdict = judge(text, start);
    if (verdict.kind === 'record') return { text: text.slice(start, verdict.end), end: verdict.end };
    if (verdict.kind === 'open' && !isEnd && text.length - start <= recordMax) return undefined;
    const end = lineEnd(text, start);
    return end === -1 ? undefined : { text: asOneCell(text.slice(start, end)), end };
  }
}

/** The position after the last line end between `start` and `limit`, or `start`. */
function lastLineEnd(text: string, start: number, limit: number): number {
  for (let at = limit - 1; at >= start; at -= 1) if (isLineEnd(text[at])) return at + 1;
  return start;
}
