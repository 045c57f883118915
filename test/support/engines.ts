import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type EngineName, type Engines, startEngines } from '#scripts/engines/engines.ts';
import { Supervisor } from '#scripts/engines/supervise.ts';

export interface TestEngines {
  readonly engines: Engines;
  readonly supervisor: Supervisor;
  /** Fresh, and removed at the end. */
  readonly dataDir: string;
  stop(): Promise<void>;
}

/** A supervisor over a fresh temporary folder. */
export async function openTestSupervisor(): Promise<{
  supervisor: Supervisor;
  dataDir: string;
  close(): void;
}> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'serial-ledger-test-'));
  const supervisor = await Supervisor.open(dataDir);
  const close = () => {
    supervisor.close();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  return { supervisor, dataDir, close };
}

/** Real engines for one test file: those named, on fresh data. */
export async function startTestEngines(...needs: readonly EngineName[]): Promise<TestEngines> {
  const { supervisor, dataDir, close } = await openTestSupervisor();
  const engines = await startEngines({
    supervisor,
    env: process.env,
    ...(needs.length > 0 ? { needs } : {}),
  });
  const stop = async () => {
    await engines.stop();
    close();
  };
  return { engines, supervisor, dataDir, stop };
}
