// Computes the verdict on a claim once more, as it was in force at some time: `npm run -s reassess -- CLAIM --as-of TIME`.
// Exit 0: the same verdict both ways; 1: another one; 2: nothing to compute.
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { serialPartitions } from '#shared/adapters/kafka/topics.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { isClaimId } from '#shared/domain/claims/index.ts';
import { dayOf, sydneyDay } from '#shared/domain/days.ts';
import { readConfig } from '#shared/runtime/config.ts';
import { clickhouseSettings } from '#shared/runtime/engine-settings.ts';
import { isArgumentError } from './arguments.ts';
import { reassessmentPage } from './reassess/page.ts';
import { reassess } from './reassess/reassess.ts';

const help = `npm run -s reassess -- CLAIM [--as-of TIME] [--json]

Computes the verdict on a claim that was in force at TIME once more: from what the decision carries, and from the ledger
as it stood when it was decided. TIME: 2026-11-23T10:15:00Z, or a day of Sydney, 2026-11-23; now unless given.
`;

const nothing = 2;
const { topicsProfile } = kafkaSettings;

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'as-of': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [claim] = positionals;
  if (values.help || claim === undefined) {
    process.stdout.write(help);
    return values.help ? 0 : nothing;
  }
  if (!isClaimId(claim)) return complain(`${claim} is no id of a claim`);
  const asOf = values['as-of'];
  const by = asOf === undefined ? () => true : untilMoment(asOf);
  if (!by)
    return complain(`${asOf} is neither a time with its zone, 2026-11-23T10:15:00Z, nor a day, 2026-11-23`);
  const read = readConfig({ ...clickhouseSettings, topicsProfile }, process.env);
  if ('faults' in read) return complain(read.faults.join('\n'));
  const { config } = read;
  const clickhouse = createClickhouse({
    url: config.clickhouseUrl,
    username: config.clickhouseUser,
    password: config.clickhousePassword,
    database: config.clickhouseDatabase,
    log: pino({ name: 'reassess', level: 'warn' }),
  });
  try {
    await requireMigrations(clickhouse);
    const partitions = serialPartitions(config.topicsProfile);
    const found = await reassess(clickhouse, { claim, by, partitions });
    if (!found) return complain(`nothing was decided about ${claim}${asOf ? ` by ${asOf}` : ''}`);
    process.stdout.write(
      values.json ? `${JSON.stringify(found, null, 2)}\n` : reassessmentPage(found, asOf ?? 'now'),
    );
    return found.same ? 0 : 1;
  } finally {
    await clickhouse.close();
  }
}

/** A day counts to its end in Sydney, where the scheme's days are. */
function untilMoment(text: string): ((at: number) => boolean) | undefined {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (day !== undefined) {
    const last = dayOf(Number(year), Number(month), Number(day));
    return last === undefined ? undefined : (at) => sydneyDay(at) <= last;
  }
  const moment = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(moment) ? undefined : (at) => at <= moment;
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return nothing;
}

try {
  process.exitCode = await run();
} catch (error) {
  if (!(error instanceof OperationalError) && !isArgumentError(error)) throw error;
  process.stderr.write(`not reassessed: ${error.message}\n`);
  process.exitCode = nothing;
}
