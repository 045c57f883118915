/**
 * Text that comes bit by bit, of which lines are asked for by their numbers, in ascending order: what a parser that tells
 * lines and no places leaves of the text as it was. Line ends are those of CSV: \r\n, \r or \n.
 */
export class LineText {
  #text = '';
  /** Of the first character that is kept. */
  #line: number;
  #at = 0;
  /** Where the next \r stands; most texts have none, and are not looked through for every line. */
  #carriage = -1;

  constructor(line: number) {
    this.#line = line;
  }

  append(text: string): void {
    this.#text = this.#text.slice(this.#at) + text;
    this.#at = 0;
    this.#carriage = -1;
  }

  /** Forgets what stands before a line, which has begun, or begins where the text ends. */
  skipTo(line: number): void {
    while (this.#line < line && this.#at < this.#text.length) {
      this.#at = this.#endOfLine();
      this.#line += 1;
    }
  }

  /** The text from line `from` to the beginning of line `to`; all before `to` is forgotten. */
  take(from: number, to: number): string {
    this.skipTo(from);
    const begin = this.#at;
    this.skipTo(to);
    return this.#text.slice(begin, this.#at);
  }

  /** Behind the end of the present line. */
  #endOfLine(): number {
    const text = this.#text;
    const feed = text.indexOf('\n', this.#at);
    const end = feed < 0 ? text.length : feed;
    if (this.#carriage < this.#at) {
      const found = text.indexOf('\r', this.#at);
      this.#carriage = found < 0 ? text.length : found;
    }
    if (this.#carriage >= end) return Math.min(end + 1, text.length);
    return text[this.#carriage + 1] === '\n' ? this.#carriage + 2 : this.#carriage + 1;
  }
}
