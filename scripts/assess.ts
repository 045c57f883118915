// Assesses a file of claims against the ledger: `npm run -s assess -- CLAIMS.csv`. See --help and scripts/assess/README.md.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { serialPartitions } from '#shared/adapters/kafka/topics.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { findingCatalogue } from '#shared/domain/claims/index.ts';
import { readConfig, text } from '#shared/runtime/config.ts';
import { clickhouseSettings } from '#shared/runtime/engine-settings.ts';
import { isArgumentError } from './arguments.ts';
import { sha256Of } from './assess/basis.ts';
import { writeCsv } from './assess/csv.ts';
import { questionPage, summaryPage } from './assess/page.ts';
import { progressOn } from './assess/progress.ts';
import { assess } from './assess/run.ts';
import { storedVerdicts, summaryOf } from './assess/verdicts.ts';
import { knownPasswords, usersFileName } from './clickhouse-users/passwords.ts';
import { userLimitSettings } from './clickhouse-users/settings.ts';
import { readerName, usersOf, writerName } from './clickhouse-users/users.ts';
import { root } from './engines/local.ts';

const exits = { done: 0, failed: 1, usage: 2, question: 3, quota: 4 } as const;
const usual = { shareMax: 0.2, after: 1_000, setSerials: 1_200_000, block: 5_000 } as const;

const help = `npm run -s assess -- CLAIMS.csv [options]

Assesses every claim of a file against the ledger, by the rules and the code of the live decision, and changes nothing in
the registry. The file is a bulk claim file of any length (UTF-8): one claim a row, serials separated by semicolons. Claims
are judged as if they came in now, in this order: what an earlier row was granted is taken for the later ones.

Verdicts go into the ClickHouse table assessment_rows (view assessment_verdicts) and, when all are there, into a CSV. A
job that was interrupted, in whatever way, goes on where it stopped when the same command is given again, on the ledger as
it stood when the job was begun.

  --out FILE           the CSV; CLAIMS.verdicts.csv unless given
  --again              judge the file anew, on the ledger as it stands now
  --share-max SHARE    a finding that more than this share of the claims have stops the job with a question (${usual.shareMax})
  --share-after N      ... once so many claims were judged (${usual.after})
  --accept FINDING     this finding is right, however many claims have it; may be given several times
  --set-serials N      serials that ClickHouse is asked for at once (${usual.setSerials})
  --block N            verdicts that are written at once, and the most that an interruption costs (${usual.block})
  --help               this text

Reads as ${readerName}, which may only read and has its share of the server (npm run clickhouse-users -- --help), and writes
as ${writerName}. Passwords: ASSESS_READER_PASSWORD and ASSESS_WRITER_PASSWORD, or those that were made for local engines
(CLICKHOUSE_USERS_FILE, .data/${usersFileName}). CLICKHOUSE_URL and CLICKHOUSE_DATABASE as for the services.

Exit status: ${exits.done} every claim has its verdict; ${exits.failed} the engines do not answer, again later goes on; ${exits.usage} file, options or
settings are wrong; ${exits.question} stopped with a question; ${exits.quota} the reader's share of this hour is used up, again later goes on.
`;

const settings = {
  ...clickhouseSettings,
  ...userLimitSettings,
  topicsProfile: kafkaSettings.topicsProfile,
  usersFile: text('CLICKHOUSE_USERS_FILE', 'passwords of the users', path.join(root, '.data', usersFileName)),
};

interface Command {
  readonly file: string;
  readonly out: string;
  readonly again: boolean;
  readonly limits: {
    readonly shareMax: number;
    readonly after: number;
    readonly accepted: ReadonlySet<string>;
  };
  readonly setSerialsMax: number;
  readonly blockRecords: number;
}

function usage(message: string): OperationalError {
  return new OperationalError('usage', `${message} (--help explains)`, { retryable: false });
}

function figure(
  name: string,
  given: string | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (given === undefined) return fallback;
  const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
  if (!(value >= least && value <= most)) throw usage(`--${name} takes a number from ${least} to ${most}`);
  return value;
}

/** Codes of the rule, and those by which a row is no claim. */
const codes: ReadonlySet<string> = new Set([
  ...findingCatalogue.map(({ code }) => code),
  'cell_count_wrong',
  'field_unknown',
]);

function readCommand(): Command | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      again: { type: 'boolean', default: false },
      'share-max': { type: 'string' },
      'share-after': { type: 'string' },
      'set-serials': { type: 'string' },
      block: { type: 'string' },
      accept: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const [given] = positionals;
  if (given === undefined || positionals.length > 1) throw usage('name one file of claims');
  const file = located(given);
  if (!existsSync(file)) throw usage(`${given}: there is no such file`);
  const unknown = values.accept.find((code) => !codes.has(code));
  if (unknown !== undefined) throw usage(`--accept ${unknown}: there is no such finding`);
  return {
    file,
    out: values.out === undefined ? `${file.replace(/\.csv$/i, '')}.verdicts.csv` : located(values.out),
    again: values.again,
    limits: {
      shareMax: figure('share-max', values['share-max'], usual.shareMax, 0, 1),
      after: figure('share-after', values['share-after'], usual.after, 1, 1e9),
      accepted: new Set(values.accept),
    },
    setSerialsMax: figure('set-serials', values['set-serials'], usual.setSerials, 1, 1e8),
    blockRecords: figure('block', values.block, usual.block, 1, 100_000),
  };
}

/** npm runs scripts in the project's folder: a relative name may be meant from where npm was called. */
function located(file: string): string {
  return existsSync(file) ? file : path.resolve(process.env.INIT_CWD ?? '.', file);
}

async function run(command: Command): Promise<number> {
  const read = readConfig(settings, process.env);
  if ('faults' in read) throw usage(read.faults.join('\n'));
  const { config } = read;
  const users = usersOf(config.clickhouseDatabase, config);
  const passwords = knownPasswords(users, process.env, config.usersFile);
  const open = (username: string): Clickhouse => {
    const password = passwords.get(username);
    if (password === undefined)
      throw usage(
        `no password for ${username}: set it in the environment, or make the users with npm run clickhouse-users`,
      );
    return createClickhouse({
      url: config.clickhouseUrl,
      username,
      password,
      database: config.clickhouseDatabase,
      log: pino({ name: 'assess', level: 'silent' }),
      timeoutMs: 10 * 60_000,
    });
  };
  const reader = open(readerName);
  const writer = open(writerName);
  try {
    await requireMigrations(reader);
    const { sha256, bytes } = await sha256Of(command.file);
    const file = { path: command.file, name: path.basename(command.file), sha256, bytes };
    const result = await assess(
      {
        reader,
        writer,
        partitions: serialPartitions(config.topicsProfile),
        now: Date.now,
        report: progressOn(process.stderr),
        limits: command.limits,
        setSerialsMax: command.setSerialsMax,
        blockRecords: command.blockRecords,
      },
      file,
      command.again,
    );
    if (result.kind === 'question') {
      const again = `npm run -s assess -- ${[command.file, ...[...command.limits.accepted].flatMap((code) => ['--accept', code])].join(' ')}`;
      process.stderr.write(`\n${questionPage(result.job, result.question, command.limits, again)}`);
      return exits.question;
    }
    await writeCsv(command.out, storedVerdicts(reader, result.job));
    process.stdout.write(`${summaryPage(result.job, await summaryOf(reader, result.job), command.out)}`);
    return exits.done;
  } finally {
    await reader.close();
    await writer.close();
  }
}

try {
  const command = readCommand();
  if (command) process.exitCode = await run(command);
  else process.stdout.write(help);
} catch (error) {
  if (!(error instanceof OperationalError) && !isArgumentError(error)) throw error;
  process.stderr.write(`not assessed: ${error.message}\n`);
  process.exitCode = exitOf(error);
}

function exitOf(error: Error): number {
  if (!(error instanceof OperationalError)) return exits.usage;
  if (error.code === 'clickhouse.QUOTA_EXCEEDED') return exits.quota;
  return error.code.startsWith('clickhouse.') ? exits.failed : exits.usage;
}
