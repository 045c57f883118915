import { whole } from '#shared/runtime/config.ts';

const giB = 1024 * 1024 * 1024;

/** What the regulator's users get of the server. */
export const userLimitSettings = {
  threads: whole('ASSESS_THREADS', 'threads of one query', { least: 1, most: 1_024, fallback: 2 }),
  memoryBytes: whole('ASSESS_MEMORY_BYTES', 'memory of one query', {
    least: 100_000_000,
    most: 1_000 * giB,
    fallback: 4 * giB,
  }),
  querySeconds: whole('ASSESS_QUERY_SECONDS', 'how long one query may run', {
    least: 1,
    most: 86_400,
    fallback: 600,
  }),
  queriesPerHour: whole('ASSESS_QUERIES_PER_HOUR', 'queries of a user in an hour', {
    least: 1,
    most: 1_000_000_000,
    fallback: 20_000,
  }),
  rowsPerHour: whole('ASSESS_ROWS_PER_HOUR', 'rows that a user may read in an hour', {
    least: 1,
    most: 9_000_000_000_000_000,
    fallback: 100_000_000_000,
  }),
  secondsPerHour: whole('ASSESS_SECONDS_PER_HOUR', 'seconds that queries of a user may run in an hour', {
    least: 1,
    most: 1_000_000,
    fallback: 3_600,
  }),
} as const;
