import { setImmediate } from 'node:timers/promises';
import { BlankLines } from '#gateway/csv/blank-lines.ts';
import { pieceChars } from '#gateway/csv/records.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { type CellColumn, memberOf } from '#gateway/submissions/documents.ts';
import type { RowFault } from '#gateway/submissions/rows.ts';
import { atRow } from './csv-parts.ts';
import { type Part, PartCutter, type PartOptions } from './parts.ts';
import { textsOf } from './texts.ts';

/** Characters of one line. */
export const lineCharsMax = pieceChars;

interface Member {
  readonly name: string;
  readonly heading: string;
}

/** The parts of a stream with one JSON object on each line, in order; a refusal of the stream as a whole is the end. */
export async function* ndjsonParts(
  bytes: AsyncIterable<Buffer>,
  options: PartOptions,
): AsyncGenerator<Part | Refusal, void> {
  const { layout } = options.document;
  const members = layout.map((column: CellColumn) => ({ name: memberOf(column), heading: column.heading }));
  const headings = { cellOf: members.map((_, i) => i), width: members.length };
  const cutter = new PartCutter(options, headings, '');
  const blank = new BlankLines();
  let line = 1;
  for await (const text of linesOf(bytes)) {
    if (typeof text !== 'string') return yield atRow(text, cutter.nextRow);
    if (text.length > lineCharsMax) return yield tooLong(line, cutter.nextRow);
    if (text.trim() === '') {
      const refusal = blank.add(line);
      if (refusal) return yield atRow(refusal, cutter.nextRow);
    } else {
      blank.row();
      const full = cutter.add({ ...readLine(text, members), text, line, next: line + 1 });
      if (full) yield full;
    }
    line += 1;
  }
  const last = cutter.end();
  if (last) yield last;
}

/** Lines with their ends. A line that is too long comes as far as it was read, and is the last. */
async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<string | Refusal, void> {
  let held = '';
  for await (const text of textsOf(bytes, 1)) {
    if (typeof text !== 'string') return yield text;
    for (let from = 0; from < text.length; from += pieceChars) {
      held += text.slice(from, from + pieceChars);
      let at = 0;
      for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n', at)) {
        yield held.slice(at, end + 1);
        at = end + 1;
      }
      held = held.slice(at);
      if (held.length > lineCharsMax) return yield held;
      await setImmediate();
    }
  }
  if (held !== '') yield held;
}

/** The cells of a row. What is wrong with the line as a whole is found by its first fault; a member that lacks is an empty cell. */
function readLine(
  text: string,
  members: readonly Member[],
): { readonly cells: readonly string[]; readonly fault?: RowFault } {
  const row = parseObject(text);
  if (!row) return { cells: members.map(() => ''), fault: { finding: 'line_not_json', column: '' } };
  const wrong = members.find(({ name }) => row[name] !== undefined && typeof row[name] !== 'string');
  const cells = members.map(({ name }) => (typeof row[name] === 'string' ? row[name] : ''));
  if (wrong) return { cells, fault: { finding: 'member_not_text', column: wrong.heading } };
  const names = Object.keys(row);
  return names.every((name) => members.some((member) => member.name === name))
    ? { cells }
    : { cells, fault: { finding: 'member_unknown', column: '' } };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function tooLong(line: number, row: number): Refusal {
  const detail = `line ${line} is longer than ${lineCharsMax} characters`;
  return refuse('record_too_long', detail, { line, row, limit: lineCharsMax });
}
