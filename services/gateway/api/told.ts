import Type from 'typebox';
import type { Answer } from '#gateway/http/operation.ts';
import { problemOf } from '#gateway/http/problem.ts';
import type { Lines } from '#gateway/streams/lines.ts';
import type { PartTold, StreamResult } from '#gateway/streams/run.ts';

/** What streams and markings have in common: an answer of lines of JSON, one for each submission once it is committed. */
export const linesType = 'application/x-ndjson';

export const linesDescription =
  'One line of JSON for each submission as it is committed, between a first and a last line.';

export const Count = Type.Integer({ minimum: 0 });
export const RowNumber = (description: string) => Type.Integer({ minimum: 0, description });
export const Findings = Type.Record(Type.String(), Count, {
  description: 'rows by what the gateway found in them',
});

export function linesAnswer(lines: Lines): Answer {
  // Whatever stands between must hand on lines as they come.
  const unbuffered = { 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
  return { status: 200, headers: { 'content-type': linesType, ...unbuffered }, body: lines };
}

/** `more`: what a kind of answer tells besides. */
export function partLine(
  { id, part, repeated, findings, committedRow }: PartTold,
  more: object = {},
): object {
  const { firstRow, rows } = part;
  return {
    event: 'submission',
    id,
    url: `/v1/submissions/${id}`,
    rows,
    first_row: firstRow,
    last_row: firstRow + rows - 1,
    ...more,
    repeated,
    findings: found(findings),
    committed_row: committedRow,
  };
}

/** The last line. `of`: what each kind of end is told with. */
export function endLine(
  { refusal, findings, committedRow, ...counts }: StreamResult,
  correlation: string,
  of: { readonly refused?: object; readonly complete: object },
): object {
  const totals = { ...counts, findings: found(findings), committed_row: committedRow };
  return refusal
    ? { event: 'refused', ...of.refused, ...problemOf(refusal, correlation), ...totals }
    : { event: 'complete', ...of.complete, ...totals };
}

function found(findings: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...findings].filter(([code]) => code !== ''));
}
