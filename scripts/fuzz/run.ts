import { type CaseResult, runCase } from './check.ts';

export interface FuzzFigures {
  readonly cases: number;
  readonly seconds: number;
  readonly rows: number;
  readonly bytes: number;
  /** Files by what became of them. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly maxRssMb: number;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly cases: number;
  readonly secondsMax: number;
  readonly first?: number;
  readonly before?: (caseNumber: number) => void;
}

/** Runs cases until all are done or the time is over. A case that breaks a property throws. */
export async function fuzz(options: FuzzOptions): Promise<FuzzFigures> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1_000;
  const first = options.first ?? 0;
  const results = { rows: 0, bytes: 0, slowestMs: 0 };
  const verdicts: Record<string, number> = {};
  let cases = 0;
  while (cases < options.cases && seconds() < options.secondsMax) {
    options.before?.(first + cases);
    const result: CaseResult = await runCase(options.seed, first + cases);
    cases += 1;
    results.rows += result.rows;
    results.bytes += result.bytes;
    results.slowestMs = Math.max(results.slowestMs, result.ms);
    verdicts[result.verdict] = (verdicts[result.verdict] ?? 0) + 1;
  }
  const maxRssMb = process.resourceUsage().maxRSS / 1_024;
  return { cases, seconds: seconds(), verdicts, maxRssMb, ...results };
}
