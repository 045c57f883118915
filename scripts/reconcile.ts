// Checks Kafka, Redis and ClickHouse against each other while the fleet runs, and says what differs.
import { parseArgs } from 'node:util';
import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { requireTopics } from '#shared/adapters/kafka/topics.ts';
import { reconcile } from './reconcile/reconcile.ts';
import { complain, count, type RecoveryContext, runTool, say } from './recovery/context.ts';

const usage = `usage: npm run reconcile
    -- --since TIME        submissions and claims received before are not looked for in the logs, as 2026-11-24T09:30:00Z
    -- --patience SECONDS  how long the fleet may take to catch up with what is compared (60)
    -- --show N            differences of one check that are told (20); all are counted
    -- --json              the report as one JSON object
  Exit 0: nothing differs; 1: something does; 2: it could not be done.`;

interface Given {
  readonly since: number;
  readonly patienceMs: number;
  readonly shownMax: number;
  readonly json: boolean;
}

function read(argv: readonly string[]): Given | string {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      since: { type: 'string' },
      patience: { type: 'string', default: '60' },
      show: { type: 'string', default: '20' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const since = values.since === undefined ? 0 : Date.parse(values.since);
  if (Number.isNaN(since)) return '--since is a time as 2026-11-24T09:30:00Z';
  const patienceMs = Number(values.patience) * 1_000;
  if (!(patienceMs > 0)) return '--patience is a number of seconds';
  const shownMax = Number(values.show);
  if (!Number.isInteger(shownMax) || shownMax < 1) return '--show is a whole number from 1';
  return { since, patienceMs, shownMax, json: values.json };
}

async function work(context: RecoveryContext, { json, ...options }: Given): Promise<number> {
  await requireTopics(context.kafka, context.profile);
  await requireMigrations(context.clickhouse);
  const begun = performance.now();
  const progress = (doing: string) => complain(`  comparing: ${doing}`);
  const report = await reconcile(context, { ...options, progress });
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  const { checked, differences } = report;
  if (json) say(JSON.stringify({ differences, seconds: Number(seconds), checks: checked }));
  else {
    for (const { check, looked, differences: found, shown } of checked) {
      say(
        `${found === 0 ? 'ok     ' : 'DIFFERS'} ${check}: ${found === 0 ? looked : `${count(found)} differences`}`,
      );
      for (const text of shown) say(`          ${text}`);
      if (found > shown.length) say(`          ... and more`);
    }
    say(
      differences === 0
        ? `nothing differs (${seconds} s)`
        : `${count(differences)} differences (${seconds} s)`,
    );
  }
  return differences === 0 ? 0 : 1;
}

process.exitCode = await runTool({
  name: 'reconcile',
  usage,
  argv: process.argv.slice(2),
  env: process.env,
  read,
  work,
});
