import { OperationalError } from '#shared/base/errors.ts';

/** What a message shows of the deployment: it could be processed, it could not, or neither. */
export type Sign = 'good' | 'dead' | 'neither';

/**
 * Dead letters in a row, of one partition. Wrong data comes one by one; when everything is wrong it is the deployment, and
 * the worker stops before it pours the log into the dead letters. Of a run that is too long, nothing is kept that was not
 * kept before it was known to be; the count is stored with the position, so that a restart does not begin it again.
 */
export class DeadLetterRun {
  readonly #stage: string;
  readonly #max: number;
  #inRow: number;

  constructor(options: { readonly stage: string; readonly max: number; readonly inRow: number }) {
    this.#stage = options.stage;
    this.#max = options.max;
    this.#inRow = options.inRow;
  }

  get inRow(): number {
    return this.#inRow;
  }

  /** How many of these messages may be handled: all of them, or those before a run that is too long. */
  admitted(signs: readonly Sign[]): number {
    let inRow = this.#inRow;
    let begin = 0;
    for (const [i, sign] of signs.entries()) {
      if (sign === 'good') {
        inRow = 0;
        begin = i + 1;
      } else if (sign === 'dead') {
        inRow += 1;
        if (inRow > this.#max) return begin;
      }
    }
    return signs.length;
  }

  /** These were handled, their dead letters kept. */
  handled(signs: readonly Sign[]): void {
    for (const sign of signs)
      if (sign === 'good') this.#inRow = 0;
      else if (sign === 'dead') this.#inRow += 1;
  }

  tooMany(): OperationalError {
    return new OperationalError(
      'too_many_dead_letters',
      `${this.#stage}: more than ${this.#max} messages in a row cannot be processed. That is hardly their fault: look at what ` +
        'was deployed last. Nothing is lost, and nothing more is set aside; if the messages are wrong after all, raise DEAD_LETTERS_IN_ROW_MAX',
      { retryable: false },
    );
  }
}

const note = /^dead_in_row=(\d{1,9})$/;

/** How the count stands beside a stored position. */
export function noteOf(inRow: number): string {
  return inRow === 0 ? '' : `dead_in_row=${inRow}`;
}

export function inRowOf(text: string | null | undefined): number {
  return Number(note.exec(text ?? '')?.[1] ?? 0);
}
