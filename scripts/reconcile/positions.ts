import type { Admin } from 'kafkajs';
import { claimsScope } from '#certificate/decide/claims-state.ts';
import type { IndexGeneration } from '#shared/adapters/clickhouse/index-generations.ts';
import { translateKafkaError, withAdmin } from '#shared/adapters/kafka/client.ts';
import { type LogBounds, logBounds } from '#shared/adapters/kafka/read-log.ts';
import { indexPrefix, topicName, topicsGeneration } from '#shared/adapters/kafka/topics.ts';
import { RedisStateStore } from '#shared/adapters/redis/state-store.ts';
import { journalEntriesMax, type Started } from '#shared/runtime/state-store.ts';
import { currentGeneration } from '../rebuild-index/generation.ts';
import type { RecoveryContext } from '../recovery/context.ts';
import { watermarkOf } from '../recovery/ledger.ts';
import { caughtUp } from './caught-up.ts';
import type { Report } from './report.ts';
import { waitFor } from './wait.ts';

const check = 'positions';

/** An index that can be compared: Redis has it, and the ledger has everything that it decided up to `cut`. */
export interface LiveIndex {
  readonly scope: string;
  readonly generation: IndexGeneration;
  readonly cut: number;
}

interface LogPlace {
  readonly topic: string;
  readonly partition: number;
}

interface Place {
  readonly scope: string;
  /** Where the coordinate of this scope is counted, what its worker reads, and what the ledger has read of it. */
  readonly coordinate: LogPlace;
  readonly input: LogPlace;
  readonly mark: LogPlace;
}

/** Logs, index and ledger stand where they can stand: nobody is ahead of whom he follows, and all lie inside the logs. */
export async function checkPositions(
  context: RecoveryContext,
  report: Report,
  patienceMs: number,
): Promise<readonly LiveIndex[]> {
  return withAdmin(context.kafka, 'look at the logs', async (admin) => {
    const live: LiveIndex[] = [];
    const places = placesOf(context.partitions);
    for (const place of places) {
      const index = await checkPlace(context, admin, report, place, patienceMs);
      if (index) live.push(index);
    }
    await checkGroups(admin, report);
    report.looked(
      check,
      `${places.length} indexes and all consumer groups, against the logs and the watermarks`,
    );
    return live;
  });
}

function placesOf(partitions: number): readonly Place[] {
  const serials = Array.from({ length: partitions }, (_, partition) => ({
    scope: String(partition),
    coordinate: { topic: 'serials.submitted', partition },
    input: { topic: 'serials.listed', partition },
    mark: { topic: 'serials.decided', partition },
  }));
  const evidenced = { topic: 'claims.evidenced', partition: 0 };
  return [
    ...serials,
    {
      scope: claimsScope,
      coordinate: evidenced,
      input: evidenced,
      mark: { topic: 'claims.decided', partition: 0 },
    },
  ];
}

async function checkPlace(
  context: RecoveryContext,
  admin: Admin,
  report: Report,
  place: Place,
  patienceMs: number,
): Promise<LiveIndex | undefined> {
  const { scope } = place;
  const mark = await watermarkOf(context.clickhouse, place.mark.topic, place.mark.partition);
  const coordinates = await boundsOf(admin, place.coordinate);
  if (mark >= coordinates.high)
    report.differs(
      check,
      `the ledger is complete up to ${mark} of {${scope}}, but ${place.coordinate.topic} ends at ${coordinates.high}: the topic was recreated, or the ledger belongs to another one`,
    );
  const generation = await currentGeneration(context, scope);
  if (!generation) {
    if (mark >= 0)
      report.differs(check, `the ledger has decisions of {${scope}}, but no generation of an index`);
    return undefined;
  }
  const store = new RedisStateStore(context.redis, indexPrefix);
  const key = { name: scope, generation: generation.generation };
  const ask = () => store.start(key);
  const started = await ask();
  if (started === 'no_index') {
    report.differs(
      check,
      `Redis has not generation ${generation.generation} of {${scope}}: npm run rebuild-index -- ${scope === claimsScope ? '--claims' : `--partition ${scope}`}`,
    );
    return undefined;
  }
  const reached = await reachedMark(ask, started, mark, patienceMs);
  if (!reached)
    report.differs(
      check,
      `the index of {${scope}} is at ${started.position}, behind the ledger at ${mark}: it was put back, and nobody reads on`,
    );
  await checkStarted(admin, report, place, started);
  if (!reached) return undefined;
  const now = await ask();
  const cut = now === 'no_index' ? started.position : now.position;
  await caughtUp(context, key, cut, patienceMs);
  return { scope, generation, cut };
}

/** An index that was put back, or rebuilt a moment ago, reads what it lacks again. */
async function reachedMark(
  ask: () => Promise<Started | 'no_index'>,
  started: Started,
  mark: number,
  patienceMs: number,
): Promise<boolean> {
  if (started.position >= mark) return true;
  try {
    const there = (answer: Started | 'no_index') => answer !== 'no_index' && answer.position >= mark;
    await waitFor('the index', ask, there, patienceMs);
    return true;
  } catch {
    return false;
  }
}

/** What is read of the logs after the index can only be further: they grow. */
async function checkStarted(admin: Admin, report: Report, place: Place, started: Started): Promise<void> {
  const { scope } = place;
  const { position, seekOffset, journal } = started;
  const coordinates = await boundsOf(admin, place.coordinate);
  const input = await boundsOf(admin, place.input);
  if (position >= coordinates.high || seekOffset > input.high)
    report.differs(
      check,
      `the index of {${scope}} is at ${position} and reads on from ${seekOffset}, but its logs end at ${coordinates.high} and ${input.high}`,
    );
  const from = Math.min(seekOffset, journal[0]?.offset ?? seekOffset);
  if (from < input.low)
    report.differs(
      check,
      `the index of {${scope}} reads on from ${from}, and ${place.input.topic} is kept from ${input.low}: retention has passed it`,
    );
  if (journal.length > journalEntriesMax)
    report.differs(check, `the journal of {${scope}} has ${journal.length} entries`);
  for (const entry of journal)
    if (entry.origin > position || entry.offset >= seekOffset)
      report.differs(
        check,
        `the journal of {${scope}} has origin ${entry.origin} at offset ${entry.offset}, beyond its position ${position} and seek offset ${seekOffset}`,
      );
}

const groups = [
  { group: 'cec-validation', topic: 'serials.submitted' },
  { group: 'ledger-writer.DecidedBatch', topic: 'serials.decided' },
  { group: 'ledger-writer.SubmissionManifest', topic: 'submissions' },
  { group: 'ledger-writer.DecidedClaim', topic: 'claims.decided' },
  { group: 'certificate.gather', topic: 'claims.submitted' },
] as const;

/** Stages whose position is the group's: it lies inside the log, or they will not start. */
async function checkGroups(admin: Admin, report: Report): Promise<void> {
  for (const { group, topic } of groups) {
    const groupId = `${group}.g${topicsGeneration}`;
    const [stored] = await admin.fetchOffsets({ groupId, topics: [topicName(topic)] }).catch((error) => {
      throw translateKafkaError(error, 'read the committed offsets');
    });
    for (const { partition, offset } of stored?.partitions ?? []) {
      const { low } = await boundsOf(admin, { topic, partition });
      const at = Math.max(Number(offset), 0);
      if (at < low)
        report.differs(check, `${groupId} is at ${at} of ${topic}/${partition}, which is kept from ${low}`);
    }
  }
}

async function boundsOf(admin: Admin, { topic, partition }: LogPlace): Promise<LogBounds> {
  return (await logBounds(admin, topicName(topic))).get(partition) ?? { low: 0, high: 0 };
}
