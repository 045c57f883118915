import { importList } from '../demo/scenario.ts';
import { runScript } from '../run-script.ts';
import { inverterList, panelList, type Rig } from './rig.ts';

/** Runs one of the operator's tools on the engines, as an operator would. Rejects unless it ends with 0. */
export async function runTool(rig: Rig, script: string, ...args: readonly string[]): Promise<void> {
  const { code, out, err } = await runScript(rig.engines.urls, script, ...args);
  if (code !== 0) throw new Error(`${script} ${args.join(' ')} ended with ${code}:\n${out}${err}`);
}

export const rebuildIndex = (rig: Rig): Promise<void> => runTool(rig, 'rebuild-index');

/** What an operator does when the lists in Redis are gone: they are kept in ClickHouse, and published from there. */
export async function publishLists(rig: Rig): Promise<void> {
  await importList(rig.engines.urls, panelList, 'panel');
  await importList(rig.engines.urls, inverterList, 'inverter');
}
