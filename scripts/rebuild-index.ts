// Restores what Redis holds (serials and claims) from ClickHouse, while the fleet runs: workers wait for it and go on.
import { parseArgs } from 'node:util';
import { bucketsOf, indexSettings } from '#dedup/config.ts';
import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { requireTopics } from '#shared/adapters/kafka/topics.ts';
import { checkRedis } from '#shared/adapters/redis/client.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { readConfig } from '#shared/runtime/config.ts';
import { rebuildClaims } from './rebuild-index/claims.ts';
import { rebuildSerials } from './rebuild-index/serials.ts';
import { complain, count, type RecoveryContext, runTool, say } from './recovery/context.ts';

const usage = `usage: npm run rebuild-index                   everything: the index of every partition, and the claims
    -- --partition N [--partition M ...]    only these partitions of the serials
    -- --claims                             only the claims
    -- --new-layout                         draws a new hash key, and lays partitions out for INDEX_CAPACITY
  Exit 0: rebuilt; 1: some of it must not or could not be rebuilt; 2: nothing could be done.`;

interface Given {
  readonly partitions: readonly number[];
  readonly claims: boolean;
  readonly newLayout: boolean;
}

function read(argv: readonly string[]): Given | string {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      partition: { type: 'string', multiple: true, default: [] },
      claims: { type: 'boolean', default: false },
      'new-layout': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const partitions = values.partition.map(Number);
  if (partitions.some((partition) => !Number.isInteger(partition) || partition < 0))
    return '--partition is the number of a partition, from 0';
  return { partitions, claims: values.claims, newLayout: values['new-layout'] };
}

/** One line every two seconds: how far it is, and how fast. */
function progressLine(what: string): (done: number) => void {
  const begun = performance.now();
  let said = begun;
  return (done) => {
    const now = performance.now();
    if (now - said < 2_000) return;
    said = now;
    complain(
      `  ${what}: ${count(done)} so far, ${count(Math.round((done / (now - begun)) * 1_000))} a second`,
    );
  };
}

async function partition(context: RecoveryContext, number: number, newBuckets?: number): Promise<number> {
  const begun = performance.now();
  const rebuilt = await rebuildSerials(context, {
    partition: number,
    ...(newBuckets === undefined ? {} : { newBuckets }),
    progress: progressLine(`partition ${number}, serials`),
  });
  if (rebuilt === 'never_begun') {
    say(`partition ${number}: no worker has begun an index yet, nothing to rebuild`);
    return 0;
  }
  const { generation, cut, serials, batches, seekOffset } = rebuilt;
  const seconds = (performance.now() - begun) / 1_000;
  say(
    `partition ${number}: ${count(serials)} serials and ${count(batches)} batches up to origin ${cut} in ${seconds.toFixed(1)} s; ` +
      `generation ${generation}, read on from offset ${seekOffset}`,
  );
  return serials;
}

async function claims(context: RecoveryContext): Promise<number> {
  const rebuilt = await rebuildClaims(context, progressLine('claims, events'));
  if (rebuilt === 'never_begun') {
    say('claims: no worker has begun their state yet, nothing to rebuild');
    return 0;
  }
  const { generation, cut, events, seekOffset } = rebuilt;
  say(
    `claims: ${count(events)} events up to offset ${cut}; generation ${generation}, read on from offset ${seekOffset}`,
  );
  // They are no serials: they do not count.
  return 0;
}

async function work(context: RecoveryContext, given: Given): Promise<number> {
  await requireTopics(context.kafka, context.profile);
  await requireMigrations(context.clickhouse);
  await checkRedis(context.redis);
  const beyond = given.partitions.find((number) => number >= context.partitions);
  if (beyond !== undefined) {
    complain(`there is no partition ${beyond}: they are 0 to ${context.partitions - 1}`);
    return 2;
  }
  const layout = readConfig(indexSettings, process.env);
  if ('faults' in layout) {
    for (const fault of layout.faults) complain(fault);
    return 2;
  }
  const all = given.partitions.length === 0 && !given.claims;
  const numbers = all ? Array.from({ length: context.partitions }, (_, i) => i) : given.partitions;
  const newBuckets = given.newLayout ? bucketsOf(layout.config, context.partitions) : undefined;
  const begun = performance.now();
  let serials = 0;
  let failures = 0;
  const attempt = async (what: () => Promise<number>) => {
    try {
      serials += await what();
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      failures += 1;
      complain(`not rebuilt: ${error.message}`);
    }
  };
  for (const number of numbers) await attempt(() => partition(context, number, newBuckets));
  if (all || given.claims) await attempt(() => claims(context));
  const seconds = (performance.now() - begun) / 1_000;
  const rate = serials > 0 ? `, ${count(Math.round(serials / seconds))} serials a second` : '';
  say(`done in ${seconds.toFixed(1)} s${rate}; workers that waited go on by themselves`);
  return failures === 0 ? 0 : 1;
}

process.exitCode = await runTool({
  name: 'rebuild-index',
  usage,
  argv: process.argv.slice(2),
  env: process.env,
  read,
  work,
});
