/** A ClickHouse user of ours besides that of the services: what it may do, and how much of the server it gets. */
export interface UserPlan {
  readonly name: string;
  readonly about: string;
  /** Environment variable of its password. */
  readonly passwordEnv: string;
  readonly grants: readonly string[];
  readonly settings: readonly SettingPlan[];
  readonly quota: QuotaPlan;
}

/** `most`: the user may ask for less, and for no more. */
export interface SettingPlan {
  readonly name: string;
  readonly value: number;
  readonly least?: number;
  readonly most?: number;
}

/** An hour's worth; then the server refuses until the hour is over. */
export interface QuotaPlan {
  readonly queries: number;
  readonly read_rows: number;
  /** Seconds. */
  readonly execution_time: number;
}

export interface UserLimits {
  readonly threads: number;
  readonly memoryBytes: number;
  readonly querySeconds: number;
  readonly queriesPerHour: number;
  readonly rowsPerHour: number;
  readonly secondsPerHour: number;
}

export const readerName = 'ledger_assess';
export const writerName = 'ledger_assess_writer';
export const regulatorName = 'ledger_regulator';

/** What the regulator reads: the document of the views says what they are. No table that tells of persons. */
export const regulatorReads = [
  'current_serials',
  'entries',
  'claim_states',
  'certificates',
  'conflicts',
  'open_conflicts',
  'assessments',
  'assessment_verdicts',
  'assessment_events',
  'assessment_rows',
  'serial_rows',
  'claims',
  'claim_serials',
  'certificate_actions',
  'rulings',
  'watermarks',
  'listings',
  'list_snapshots',
  'list_publications',
] as const;

/**
 * The users of a database. Who reads gets a part of the server's threads and memory, at a low priority, and a share of
 * every hour: the ledger goes on taking in rows whatever is asked. Who writes verdicts may insert them, and read nothing.
 */
export function usersOf(database: string, limits: UserLimits): readonly UserPlan[] {
  const reading = readerSettings(limits);
  const quota = {
    queries: limits.queriesPerHour,
    read_rows: limits.rowsPerHour,
    execution_time: limits.secondsPerHour,
  };
  return [
    {
      name: readerName,
      about: 'reads for npm run assess, which a verdict needs all of the ledger for',
      passwordEnv: 'ASSESS_READER_PASSWORD',
      grants: [`SELECT ON ${database}.*`],
      settings: reading,
      quota,
    },
    {
      name: writerName,
      about: 'puts in the verdicts of npm run assess',
      passwordEnv: 'ASSESS_WRITER_PASSWORD',
      grants: ['assessment_events', 'assessment_rows'].map((table) => `INSERT ON ${database}.${table}`),
      settings: reading.filter(({ name }) => name !== 'readonly'),
      quota,
    },
    {
      name: regulatorName,
      about: "the regulator's staff, who read with SQL",
      passwordEnv: 'REGULATOR_PASSWORD',
      grants: regulatorReads.map((table) => `SELECT ON ${database}.${table}`),
      settings: reading,
      quota,
    },
  ];
}

/** `readonly` 2: nothing is written; settings may be changed within their bounds, and tables sent with a query. */
function readerSettings(limits: UserLimits): readonly SettingPlan[] {
  return [
    { name: 'readonly', value: 2 },
    bounded('max_threads', limits.threads),
    bounded('max_memory_usage', limits.memoryBytes),
    bounded('max_execution_time', limits.querySeconds),
    { name: 'max_bytes_before_external_sort', value: Math.floor(limits.memoryBytes / 2) },
    { name: 'max_bytes_before_external_group_by', value: Math.floor(limits.memoryBytes / 2) },
    { name: 'max_concurrent_queries_for_user', value: 8, least: 1, most: 8 },
    // Higher is later: of two queries with a priority the lower number runs, the other waits.
    { name: 'priority', value: 10, least: 10 },
  ];
}

/** Zero would mean without bound. */
function bounded(name: string, value: number): SettingPlan {
  return { name, value, least: 1, most: value };
}
