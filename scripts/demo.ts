// The whole job in one command: engines, services, list, accounts, uploads, claims; says what became of everything and
// stops. Exit code 0 only when every figure is as planted. `--json` prints one JSON object on standard output.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { printResult } from './demo/print.ts';
import { type DemoResult, runScenario } from './demo/scenario.ts';
import { Supervisor } from './engines/supervise.ts';
import { Fleet } from './fleet.ts';
import { operatorKey } from './operator-key.ts';

const json = process.argv.includes('--json');
const began = performance.now();
const progress = (text: string) =>
  process.stderr.write(`[${((performance.now() - began) / 1_000).toFixed(1).padStart(5)} s] ${text}\n`);

const dataDir = mkdtempSync(path.join(tmpdir(), 'serial-ledger-demo-'));
const supervisor = await Supervisor.open(dataDir);
let fleet: Fleet | undefined;
let stopping: Promise<void> | undefined;

async function stop(): Promise<void> {
  await fleet?.stop();
  supervisor.close();
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    stopping ??= stop().then(() => process.exit(130));
  });

function asJson({ submissions, claims, seconds }: DemoResult): string {
  return JSON.stringify({
    submissions: submissions.map(({ id, received, outcomes, imbalance }) => ({
      id,
      received,
      outcomes,
      imbalance,
    })),
    claims: claims.map(({ id, decision, certificates, findings }) => ({
      id,
      decision,
      certificates,
      findings,
    })),
    seconds,
  });
}

let result: DemoResult | undefined;
let failure: unknown;
try {
  const operator = operatorKey(dataDir);
  fleet = await Fleet.start({
    supervisor,
    env: process.env,
    settings: { OPERATOR_KEY_SHA256: operator.sha256 },
    progress,
  });
  progress(`up: the gateway answers at ${fleet.gatewayUrl}`);
  const started = (performance.now() - began) / 1_000;
  result = await Promise.race([
    runScenario(fleet, operator.unshown!, progress),
    fleet.firstExit().then((ended) => Promise.reject(new Error(ended))),
  ]);
  result = { ...result, seconds: { start: Math.round(started * 1_000) / 1_000, ...result.seconds } };
} catch (error) {
  failure = error;
}
progress('stopping');
stopping ??= stop();
await stopping;

if (!result) {
  process.stderr.write(
    `the demo failed: ${(failure as Error).message}\nlogs: ${path.join(dataDir, 'logs')}\n`,
  );
  process.exit(1);
}
rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
if (json) process.stdout.write(`${asJson(result)}\n`);
else printResult(result, (text) => process.stdout.write(`${text}\n`));
for (const difference of json ? result.differences : [])
  process.stderr.write(`NOT AS PLANTED  ${difference}\n`);
process.exit(result.differences.length === 0 ? 0 : 1);
