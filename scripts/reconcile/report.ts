/** What a check found: how much it looked at, and where stores say different things. */
export interface Checked {
  readonly check: string;
  /** One line: what was compared. */
  readonly looked: string;
  readonly differences: number;
  /** Some of them, in words. */
  readonly shown: readonly string[];
}

/** Collects differences by check: all are counted, the first are kept. */
export class Report {
  readonly #shownMax: number;
  readonly #checks = new Map<string, { looked: string; differences: number; shown: string[] }>();

  constructor(shownMax: number) {
    this.#shownMax = shownMax;
  }

  /** `times`: how many differences this one text stands for. */
  differs(check: string, text: string, times = 1): void {
    const found = this.#check(check);
    found.differences += times;
    if (found.shown.length < this.#shownMax) found.shown.push(text);
  }

  looked(check: string, text: string): void {
    this.#check(check).looked = text;
  }

  get checked(): readonly Checked[] {
    return [...this.#checks].map(([check, found]) => ({ check, ...found }));
  }

  get differences(): number {
    return this.checked.reduce((sum, { differences }) => sum + differences, 0);
  }

  #check(name: string) {
    const known = this.#checks.get(name) ?? { looked: '', differences: 0, shown: [] };
    this.#checks.set(name, known);
    return known;
  }
}
