import { type FaultResult, passed } from './run.ts';

const columns = [
  ['fault', ({ fault }) => fault],
  ['injected', ({ injected }) => String(injected)],
  ['rows', ({ rows }) => rows.toLocaleString('en')],
  ['claims', ({ claims }) => String(claims)],
  ['lost', ({ lost }) => String(lost)],
  ['doubled', ({ doubled }) => String(doubled)],
  ['wrong', ({ wrong }) => String(wrong)],
  ['recovery', ({ recoverySeconds }) => `${recoverySeconds.toFixed(1)} s`],
] as const satisfies readonly (readonly [string, (result: FaultResult) => string])[];

/** A table that is Markdown as well, and the totals under it. */
export function tableOf(results: readonly FaultResult[]): string {
  const total: FaultResult = {
    fault: `all ${results.length}`,
    about: '',
    injected: sum(results, 'injected'),
    restarts: sum(results, 'restarts'),
    repeated: sum(results, 'repeated'),
    rows: sum(results, 'rows'),
    claims: sum(results, 'claims'),
    lost: sum(results, 'lost'),
    doubled: sum(results, 'doubled'),
    wrong: sum(results, 'wrong'),
    faults: [],
    recoverySeconds: Math.max(0, ...results.map(({ recoverySeconds }) => recoverySeconds)),
    seconds: sum(results, 'seconds'),
  };
  const lines = [columns.map(([heading]) => heading), ...[...results, total].map(cellsOf)];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const text = lines.map(
    (line) =>
      `| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [text[0], rule, ...text.slice(1)].join('\n');
}

function cellsOf(result: FaultResult): string[] {
  return columns.map(([, text]) => text(result));
}

type Figure = {
  [key in keyof FaultResult]: FaultResult[key] extends number ? key : never;
}[keyof FaultResult];

function sum(results: readonly FaultResult[], figure: Figure): number {
  return results.reduce((total, result) => total + result[figure], 0);
}

/** What is not as it must be, fault by fault; empty when all is well. */
export function complaintsOf(results: readonly FaultResult[]): readonly string[] {
  return results.filter((result) => !passed(result)).flatMap(complaint);
}

function complaint(result: FaultResult): readonly string[] {
  const never = result.injected === 0 ? [`${result.fault}: it was never injected`] : [];
  return [...never, ...result.faults.map((text) => `${result.fault}: ${text}`)];
}
