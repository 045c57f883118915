import type { RunResult } from './simulation.ts';
import { type FaultKind, faultKinds } from './weather.ts';

/** What many runs did together. */
export class Totals {
  runs = 0;
  steps = 0;
  submissions = 0;
  rows = 0;
  replays = 0;
  rebuilds = 0;
  readonly faults = new Map<FaultKind, number>(faultKinds.map((kind) => [kind, 0]));

  add(result: RunResult): void {
    this.runs += 1;
    this.steps += result.steps;
    this.submissions += result.submissions;
    this.rows += result.rows;
    this.replays += result.replays;
    this.rebuilds += result.rebuilds;
    for (const [kind, count] of result.faults) this.faults.set(kind, (this.faults.get(kind) ?? 0) + count);
  }
}

const traceLinesDefault = 60;

/** A violation as a person needs it: what, after what, and how to see it again. */
export function describeViolation(result: RunResult, traceLines = traceLinesDefault): string {
  return [
    `seed ${result.seed}, after ${result.steps} steps: ${result.violation}`,
    `the last ${Math.min(traceLines, result.trace.length)} of them:`,
    ...result.trace.slice(-traceLines).map((line) => `  ${line}`),
    `again: npm run simulate -- --seed ${result.seed} --seeds 1`,
  ].join('\n');
}
