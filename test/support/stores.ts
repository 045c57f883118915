import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { type EngineName, type Engines, startEngines } from '#scripts/engines/engines.ts';
import { Supervisor } from '#scripts/engines/supervise.ts';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';

export const silent = pino({ level: 'silent' });

export interface Stores {
  readonly engines: Engines;
  /** A connection to a database; none by that name is made here. */
  clickhouse(database: string): Clickhouse;
  stop(): Promise<void>;
}

/** Engines of one test file: those given by URL, or local ones with data in a fresh folder. */
export async function startStores(needs: readonly EngineName[]): Promise<Stores> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ledger-test-'));
  const supervisor = await Supervisor.open(folder);
  const engines = await startEngines({ supervisor, env: process.env, needs });
  return {
    engines,
    clickhouse: (database) => createClickhouse({ url: engines.urls.clickhouseUrl, database, log: silent }),
    async stop() {
      await engines.stop();
      supervisor.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A name that no other test has; what destroys refuses databases without `test` in their names. */
export function testDatabase(): string {
  return `test_${randomBytes(6).toString('hex')}`;
}
