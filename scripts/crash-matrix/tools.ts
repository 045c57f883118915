import { spawn } from 'node:child_process';
import path from 'node:path';
import { importList } from '../demo/scenario.ts';
import { urlEnv } from '../engines/engines.ts';
import { root } from '../engines/local.ts';
import { inverterList, panelList, type Rig } from './rig.ts';

/** Runs one of the operator's tools on the engines, as an operator would. Rejects unless it ends with 0. */
export async function runTool(rig: Rig, script: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [path.join(root, 'scripts', script), ...args], {
    cwd: root,
    env: { ...process.env, ...urlEnv(rig.engines.urls) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${script} ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}

export const rebuildIndex = (rig: Rig): Promise<string> => runTool(rig, 'rebuild-index.ts');

/** What an operator does when the lists in Redis are gone: they are kept in ClickHouse, and published from there. */
export async function publishLists(rig: Rig): Promise<void> {
  await importList(rig.engines.urls, panelList, 'panel');
  await importList(rig.engines.urls, inverterList, 'inverter');
}
