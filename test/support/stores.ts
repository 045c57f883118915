import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import type { EngineName } from '#scripts/engines/engines.ts';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { startTestEngines, type TestEngines } from './engines.ts';

export const silent = pino({ level: 'silent' });

export interface Stores extends TestEngines {
  /** A connection to a database; none by that name is made here. */
  clickhouse(database: string): Clickhouse;
}

/** Engines of one test file, with what opens ClickHouse on them. */
export async function startStores(...needs: readonly EngineName[]): Promise<Stores> {
  const started = await startTestEngines(...needs);
  return {
    ...started,
    clickhouse: (database) =>
      createClickhouse({ url: started.engines.urls.clickhouseUrl, database, log: silent }),
  };
}

/** A name that no other test has; what destroys refuses databases without `test` in their names. */
export function testDatabase(): string {
  return `test_${randomBytes(6).toString('hex')}`;
}
