import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './engines/local.ts';

export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const none: Count = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Count, b: Count): Count {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** A tool that passes or fails as a whole counts as one. */
export async function runTool(name: string, args: readonly string[]): Promise<Count> {
  process.stdout.write(`\n== ${name}\n`);
  const code = await run(args);
  return code === 0 ? { ...none, passed: 1 } : { ...none, failed: 1 };
}

/** Types, then format and lint. */
export async function runStatic(): Promise<Count> {
  const types = await runTool('types', ['tsc', '-p', '.']);
  return add(types, await runTool('format and lint', ['biome', 'ci', '--error-on-warnings', '.']));
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/** Runs tests of one vitest project and counts them; a file that does not even load counts as one failure. */
export async function runTests(name: string, args: readonly string[]): Promise<Count> {
  process.stdout.write(`\n== ${name}\n`);
  const folder = mkdtempSync(path.join(tmpdir(), 'serial-ledger-report-'));
  const file = path.join(folder, 'report.json');
  try {
    const code = await run([
      'vitest',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...args,
    ]);
    const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
    const notLoaded = report.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    ).length;
    const failed = report.numFailedTests + notLoaded;
    return {
      passed: report.numPassedTests,
      // An error outside any test fails the run without failing a test.
      failed: failed === 0 && code !== 0 ? 1 : failed,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch (error) {
    process.stdout.write(`${name} did not report: ${(error as Error).message}\n`);
    return { ...none, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The closing line that CI reads, and the exit code. */
export function close(count: Count): never {
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
  process.stdout.write(`\n${count.passed} passed, ${count.failed} failed${skipped}\n`);
  process.exit(count.failed === 0 && count.passed > 0 ? 0 : 1);
}

function run([command, ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command!, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
