import { until } from '../demo/client.ts';
import type { EngineName } from '../engines/engines.ts';
import type { Rig } from './rig.ts';

const goneTimeoutMs = 30_000;

/** Kills an engine and resolves when it is gone. */
export async function killEngine(rig: Rig, name: EngineName): Promise<void> {
  const pid = rig.engines.pids[name]!;
  rig.engines.kill(name, 'SIGKILL');
  await until(
    `the end of ${name}`,
    async () => isAlive(pid),
    (alive) => !alive,
    goneTimeoutMs,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
