import { claimsScope, newestCell, sourceCell } from '#certificate/decide/claims-state.ts';
import { ClaimsDecider } from '#certificate/decide/decider.ts';
import { boundsOf, readLog } from '#shared/adapters/kafka/read-log.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { IndexBuilder } from '#shared/adapters/redis/index-builder.ts';
import { assert, OperationalError } from '#shared/base/errors.ts';
import { Codec } from '#shared/codec/codec.ts';
import type { Decided, DecidedClaim } from '#shared/domain/claims/claim.ts';
import { utf8Bytes } from '#shared/runtime/state-store.ts';
import { type ClaimRange, ledgerClaims } from '../recovery/claims-fold.ts';
import type { RecoveryContext } from '../recovery/context.ts';
import { watermarkOf } from '../recovery/ledger.ts';
import { currentGeneration, rebuildGeneration } from './generation.ts';
import { claimsSeekOffset } from './seek.ts';
import { refuseUnsettled } from './serials.ts';

export interface RebuiltClaims {
  readonly generation: string;
  /** Offset in `claims.evidenced` up to which the ledger was complete. */
  readonly cut: number;
  readonly seekOffset: number;
  readonly events: number;
}

/** Events of one step, as decide takes them. */
const chunkEventsMax = 24;

/**
 * Rebuilds the state of all claims (R2): every event that the ledger has is decided again, by the rule that decided it and
 * in its order, into a new generation. Each decision must be the one in the ledger, or nothing is rebuilt.
 * @returns `never_begun` when no worker ever used this state
 */
export async function rebuildClaims(
  context: RecoveryContext,
  progress: (events: number) => void,
): Promise<RebuiltClaims | 'never_begun'> {
  const former = await currentGeneration(context, claimsScope);
  if (!former) return 'never_begun';
  const cut = await watermarkOf(context.clickhouse, 'claims.decided', 0);
  await refuseUnsettled(context, 'ledger-writer of claims', 0);
  await claimsSeekOffset(context.kafka, cut);
  const { generation, filled } = await rebuildGeneration(context, former, {
    scope: claimsScope,
    async fill(builder) {
      const events = await decideAgain(context, builder, { after: -1, cut }, progress);
      await addReplays(context, builder, cut);
      const seekOffset = await claimsSeekOffset(context.kafka, cut);
      await builder.finish(cut, seekOffset);
      return { events, seekOffset };
    },
  });
  return { generation: generation.generation, cut, ...filled };
}

/**
 * Decides the events of a range of the ledger into a generation that is being built, and says how many they were.
 * @throws OperationalError `decided_otherwise` when one is not what the ledger says
 */
export async function decideAgain(
  { clickhouse }: RecoveryContext,
  builder: IndexBuilder,
  range: ClaimRange,
  progress: (events: number) => void = () => undefined,
): Promise<number> {
  let events = 0;
  let waiting: DecidedClaim[] = [];
  const decide = async (chunk: readonly DecidedClaim[]) => {
    await decideChunk(builder, chunk);
    events += chunk.length;
    progress(events);
  };
  for await (const block of ledgerClaims(clickhouse, range)) {
    waiting.push(...block);
    while (waiting.length >= chunkEventsMax) {
      await decide(waiting.slice(0, chunkEventsMax));
      waiting = waiting.slice(chunkEventsMax);
    }
  }
  if (waiting.length > 0) await decide(waiting);
  return events;
}

async function decideChunk(builder: IndexBuilder, chunk: readonly DecidedClaim[]): Promise<void> {
  const events = chunk.map((claim) => ({ offset: claim.evidenced_offset, claim }));
  const decider = await ClaimsDecider.load(events, (reads) => builder.read(reads));
  const { verdicts, writes } = decider.decide();
  verdicts.forEach((verdict, i) => {
    const recorded = chunk[i]!;
    if (verdict.kind !== 'decided')
      throw otherwise(recorded, 'it counts as a repetition of an event decided before');
    const different = stateFields.find((field) => verdict.decided[field] !== recorded[field]);
    if (different)
      throw otherwise(
        recorded,
        `${different} would be ${JSON.stringify(verdict.decided[different])}, the ledger has ${JSON.stringify(recorded[different])}`,
      );
  });
  await builder.write(writes);
}

/** What of a decision tells what it left in the state. */
const stateFields = [
  'decision',
  'status',
  'certificates',
  'unrounded',
  'accreditation_code',
  'certificate_year',
  'first_number',
  'last_number',
  'certificate_status',
] as const satisfies readonly (keyof Decided)[];

function otherwise({ event, claim, evidenced_offset }: DecidedClaim, how: string): OperationalError {
  return new OperationalError(
    'decided_otherwise',
    `event ${event} of claim ${claim}, at offset ${evidenced_offset}, would be decided otherwise now: ${how}. ` +
      'Rebuild with the release that decided it',
    { retryable: false },
  );
}

/** The parts of an event that a repetition of it leaves in the state. */
const replayView = { source_partition: true, source_offset: true, received_at: true } as const;

/**
 * Repetitions are in no decision, but they moved the sources and the window (C2). The log still has them, as far as it
 * is kept; older ones are told by the ids of their events.
 */
async function addReplays(context: RecoveryContext, builder: IndexBuilder, cut: number): Promise<void> {
  const { kafka, registry } = context;
  const topic = topicName('claims.evidenced');
  const codec = await Codec.open(registry, { [topic]: 'EvidencedClaim' });
  const decoder = codec.decoder<{ source_partition: number; source_offset: number; received_at: number }>(
    'EvidencedClaim',
    replayView,
  );
  const sources = new Map<number, number>();
  let newest = 0;
  const from = (await boundsOf(kafka, topic)).get(0)?.low ?? 0;
  await readLog({
    kafka,
    topic,
    ranges: [{ partition: 0, from, to: cut + 1 }],
    read(message) {
      const event = decoder.decode(message.value);
      if (!event) return undefined;
      const { source_partition: partition, source_offset: offset } = event;
      sources.set(partition, Math.max(sources.get(partition) ?? -1, offset));
      newest = Math.max(newest, event.received_at);
      return undefined;
    },
  });
  await raise(builder, sources, newest);
}

async function raise(
  builder: IndexBuilder,
  sources: ReadonlyMap<number, number>,
  newest: number,
): Promise<void> {
  const cells = [
    ...[...sources].map(([partition, offset]) => ({ cell: sourceCell(partition), value: offset })),
    ...(newest > 0 ? [{ cell: newestCell, value: newest }] : []),
  ];
  for (const { cell, value } of cells) {
    const values = await builder.read([{ kind: 'hash', key: cell.key, fields: [cell.field] }]);
    assert(values.length === 1, 'one answer to one question');
    const known = Number(values[0]?.[0] ?? -1);
    if (value <= known) continue;
    const fields = [[cell.field, utf8Bytes(String(value))] as const];
    await builder.write([{ kind: 'set', key: cell.key, fields }]);
  }
}
