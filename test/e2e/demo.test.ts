import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { root } from '#scripts/engines/local.ts';

interface DemoJson {
  readonly submissions: readonly {
    readonly received: number;
    readonly outcomes: Readonly<Record<string, number>>;
    readonly imbalance: number;
  }[];
  readonly claims: readonly {
    readonly decision: string;
    readonly certificates: number;
    readonly findings: readonly { readonly code: string }[];
  }[];
  readonly seconds: Readonly<Record<string, number>>;
}

it('npm run demo -- --json: every figure as planted, one JSON object, exit 0, no process left', async () => {
  const child = spawn('npm', ['run', '-s', 'demo', '--', '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  expect(err).not.toContain('NOT AS PLANTED');
  expect(code, err).toBe(0);

  const { submissions, claims, seconds } = JSON.parse(out) as DemoJson;
  expect(submissions.map(({ imbalance }) => imbalance)).toEqual(submissions.map(() => 0));
  const [, file, again] = submissions;
  expect(file!.received).toBe(5_000);
  expect(file!.outcomes).toEqual({ registered: 4_955, duplicate: 8, conflict: 25, not_listed: 12 });
  expect(again!.outcomes).toEqual({ duplicate: 4_963, conflict: 25, not_listed: 12 });
  expect(claims.map(({ decision }) => decision)).toEqual(['approved', 'held', 'refused']);
  expect(claims[0]!.certificates).toBeGreaterThan(0);
  expect(claims[1]!.findings.map(({ code }) => code)).toContain('serial_not_found');
  expect(claims[2]!.findings.map(({ code }) => code)).toContain('serial_already_claimed');
  expect(seconds.start).toBeGreaterThan(0);
  // The whole process group is gone with the command.
  expect(() => process.kill(-child.pid!, 0)).toThrow('ESRCH');
});
