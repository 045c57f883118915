import type { Verdict } from './judge.ts';

/** A finding that an implausible share of the claims has: somebody must say whether the rule or the file is wrong. */
export interface Implausible {
  readonly code: string;
  readonly claims: number;
  readonly judged: number;
  readonly examples: readonly Example[];
}

export interface Example {
  readonly record: number;
  readonly line: number;
  readonly subject: string;
  readonly detail: string;
}

export interface PlausibilityLimits {
  /** Above this share of the claims judged. */
  readonly shareMax: number;
  /** Before so many claims nothing is said. */
  readonly after: number;
  /** Findings of which any share is taken. */
  readonly accepted: ReadonlySet<string>;
}

const examplesMost = 5;

/** Counts in how many claims each finding decides. Notes and answered questions decide nothing. */
export class FindingCounts {
  readonly #claims = new Map<string, number>();
  readonly #examples = new Map<string, Example[]>();
  #judged = 0;

  get judged(): number {
    return this.#judged;
  }

  /** Claims of which only the counts are known, from an earlier run of the job. */
  addCounts(judged: number, claims: ReadonlyMap<string, number>): void {
    this.#judged += judged;
    for (const [code, count] of claims) this.#claims.set(code, (this.#claims.get(code) ?? 0) + count);
  }

  add({ record, line, findings }: Pick<Verdict, 'record' | 'line' | 'findings'>): void {
    this.#judged += 1;
    const seen = new Set<string>();
    for (const { code, effect, subject, detail } of findings) {
      if (effect === 'note' || effect === 'waived' || seen.has(code)) continue;
      seen.add(code);
      this.#claims.set(code, (this.#claims.get(code) ?? 0) + 1);
      const examples = this.#examples.get(code) ?? [];
      if (examples.length < examplesMost) examples.push({ record, line, subject, detail });
      this.#examples.set(code, examples);
    }
  }

  /** Everything that nobody would believe without asking, the most frequent first. */
  implausible({ shareMax, after, accepted }: PlausibilityLimits): readonly Implausible[] {
    if (this.#judged < after) return [];
    return [...this.#claims]
      .filter(([code, claims]) => !accepted.has(code) && claims > shareMax * this.#judged)
      .map(([code, claims]) => ({
        code,
        claims,
        judged: this.#judged,
        examples: this.#examples.get(code) ?? [],
      }))
      .sort((a, b) => b.claims - a.claims || (a.code < b.code ? -1 : 1));
  }
}
