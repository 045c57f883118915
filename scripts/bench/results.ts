import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../engines/local.ts';
import type { AssessRun } from './assess.ts';
import type { ClaimsRun } from './claims.ts';
import type { LatencyRun } from './latency.ts';
import type { Setting } from './machine.ts';
import type { PostgresRun } from './postgres.ts';
import type { RebuildRun } from './rebuild.ts';
import type { RedisRun } from './redis.ts';
import type { SearchRun } from './search.ts';
import type { Spread } from './statistics.ts';
import type { Throughput } from './throughput.ts';

/** Everything a run of the benchmark found; parts that were not asked for are absent. */
export interface Results {
  readonly setting: Setting;
  readonly quick: boolean;
  throughput?: Throughput;
  latency?: LatencyRun;
  redis?: readonly RedisRun[];
  rebuild?: RebuildRun;
  search?: SearchRun;
  assess?: AssessRun;
  claims?: ClaimsRun;
  postgres?:
    | (Omit<PostgresRun, 'rowsPerSecond'> & { readonly rowsPerSecond: Spread })
    | { readonly skipped: string };
}

/** Writes the results beside those of other days, and returns the file's name. */
export function writeResults(results: Results): string {
  const folder = path.join(root, 'bench-results');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${results.setting.date.replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return path.relative(root, file);
}
