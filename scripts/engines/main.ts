// Starts the engines alone and keeps them up until Ctrl-C: for work on one service.  node scripts/engines/main.ts [DIR]
import path from 'node:path';
import { startEngines, urlEnv } from './engines.ts';
import { root } from './local.ts';
import { Supervisor } from './supervise.ts';

const supervisor = await Supervisor.open(path.resolve(root, process.argv[2] ?? '.data'));
const engines = await startEngines({ supervisor, env: process.env });
process.stdout.write(`${JSON.stringify(urlEnv(engines.urls))}\n`);
const keepAlive = setInterval(() => undefined, 60_000);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, async () => {
    clearInterval(keepAlive);
    await engines.stop();
    supervisor.close();
  });
