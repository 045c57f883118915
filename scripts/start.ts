// Starts engines and services and keeps them up; data lies under .data (or the folder given). Ctrl-C stops all of it.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { urlEnv } from './engines/engines.ts';
import { root } from './engines/local.ts';
import { Supervisor } from './engines/supervise.ts';
import { Fleet } from './fleet.ts';
import { operatorKey } from './operator-key.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
const dataDir = path.resolve(root, process.argv[2] ?? '.data');

let fleet: Fleet | undefined;
let supervisor: Supervisor | undefined;
let stopping: Promise<never> | undefined;

async function stop(code: number): Promise<never> {
  await fleet?.stop();
  supervisor?.close();
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (!stopping) say('stopping: the gateway, then the workers, then the engines');
    stopping ??= stop(0);
  });

try {
  supervisor = await Supervisor.open(dataDir);
  const operator = operatorKey(dataDir);
  fleet = await Fleet.start({
    supervisor,
    env: process.env,
    settings: { OPERATOR_KEY_SHA256: operator.sha256 },
    progress: (text) => say(`${text} ...`),
  });
  say(`\nThe gateway answers at ${fleet.gatewayUrl} (description: ${fleet.gatewayUrl}/openapi.json)`);
  if (operator.unshown) {
    say(`The operator's key, shown this once: ${operator.unshown}`);
    operator.shown();
  }
  const urls = path.join(dataDir, 'engines.env');
  writeFileSync(
    urls,
    Object.entries(urlEnv(fleet.engines.urls))
      .map(([name, url]) => `${name}=${url}\n`)
      .join(''),
  );
  for (const { name, addresses } of fleet.services)
    say(`  ${name.padEnd(18)} probes and metrics at ${addresses.ops}`);
  say(`Addresses of the engines, for the tools: ${urls}`);
  say(`Data and logs lie in ${dataDir}. Ctrl-C stops everything.`);
  const ended = await fleet.firstExit();
  await stopping;
  process.stderr.write(`\n${ended}\n`);
  await stop(1);
} catch (error) {
  await stopping;
  process.stderr.write(`${(error as Error).message}\n`);
  await stop(1);
}
