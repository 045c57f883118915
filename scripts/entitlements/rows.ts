import { Transform, type TransformCallback } from 'node:stream';
import { OperationalError } from '#shared/base/errors.ts';
import {
  assessEntitlement,
  type Entitlement,
  type InputColumn,
  invalidEntitlement,
  outputColumns,
  type Policy,
  reason,
  resultCells,
} from '#shared/domain/entitlement/index.ts';
import { type Heading, readHeading } from './heading.ts';

function damagedRow(cells: readonly string[], heading: Heading, policy: Policy): Entitlement {
  const count = cells.length === 1 ? '1 cell' : `${cells.length} cells`;
  const message = `${count} where the heading has ${heading.names.length}`;
  return invalidEntitlement([reason('row_damaged', 'DMG-9', '', message)], policy);
}

function answer(cells: readonly string[], heading: Heading, policy: Policy): Entitlement {
  if (cells.length !== heading.names.length) return damagedRow(cells, heading, policy);
  const input: Partial<Record<InputColumn, string>> = {};
  for (let index = 0; index < cells.length; index += 1) {
    const column = heading.columns[index];
    if (column !== undefined) input[column] = cells[index] ?? '';
  }
  return assessEntitlement(input, policy);
}

/** Exactly as many cells as the heading has, so that the answer stands under its own headings. */
function fitted(cells: readonly string[], width: number): readonly string[] {
  if (cells.length === width) return cells;
  return Array.from({ length: width }, (_, index) => cells[index] ?? '');
}

function isBlankLine(cells: readonly string[]): boolean {
  return cells.length === 0 || (cells.length === 1 && cells[0]?.trim() === '');
}

/** Rows of cells in, rows of cells with their answer out; the first row is the heading. Fails on a heading it cannot read. */
export class AnswerRows extends Transform {
  readonly #policy: Policy;
  readonly #onHeading: (heading: Heading) => void;
  #heading: Heading | undefined;

  constructor(policy: Policy, onHeading: (heading: Heading) => void) {
    super({ objectMode: true });
    this.#policy = policy;
    this.#onHeading = onHeading;
  }

  override _transform(cells: readonly string[], _encoding: BufferEncoding, done: TransformCallback): void {
    const fault = isBlankLine(cells) ? undefined : this.#take(cells);
    done(fault === undefined ? null : new OperationalError('heading', fault, { retryable: false }));
  }

  override _flush(done: TransformCallback): void {
    const message = 'the input is empty: the first line must name columns';
    done(
      this.#heading === undefined ? new OperationalError('no_heading', message, { retryable: false }) : null,
    );
  }

  /** Pushes the answer to one row, or says what is wrong with the heading. */
  #take(cells: readonly string[]): string | undefined {
    if (this.#heading === undefined) return this.#takeHeading(cells);
    const result = answer(cells, this.#heading, this.#policy);
    this.push([...fitted(cells, this.#heading.names.length), ...resultCells(result)]);
    return undefined;
  }

  #takeHeading(cells: readonly string[]): string | undefined {
    const reading = readHeading(cells);
    if ('fault' in reading) return reading.fault;
    this.#heading = reading.heading;
    this.#onHeading(reading.heading);
    this.push([...reading.heading.names, ...outputColumns]);
    return undefined;
  }
}
