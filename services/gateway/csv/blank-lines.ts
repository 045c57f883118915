import { type Refusal, refuse } from '#gateway/refusal.ts';

/** Lines without text that are read past; so many more for each row. Spreadsheets leave a million of them at the end. */
export const blankLinesMax = 2_000_000;
const blankLinesOfRow = 100;

/** A blank line costs as much as a row and is worth nothing; compressed, millions of them fit into a packet. */
export class BlankLines {
  readonly #most: number;
  #count = 0;
  #rows = 0;

  constructor(most = blankLinesMax) {
    this.#most = most;
  }

  row(): void {
    this.#rows += 1;
  }

  /** A blank line; a refusal when it is one too many. */
  add(line: number): Refusal | undefined {
    this.#count += 1;
    if (this.#count <= this.#most + this.#rows * blankLinesOfRow) return undefined;
    return refuse('blank_lines_too_many', `the last of ${this.#count} is line ${line}`, {
      line,
      limit: this.#most,
    });
  }
}
