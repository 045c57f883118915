import type { KeptLetter } from '#shared/adapters/kafka/dead-letters.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { readLog } from '#shared/adapters/kafka/read-log.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import { assert, OperationalError } from '#shared/base/errors.ts';
import { readHeaders } from '#shared/codec/headers.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import type { RecoveryContext } from '../recovery/context.ts';
import { type Letter, readLetters } from './letters.ts';

/** Who acts, and why: it is kept for ever. */
export interface Actor {
  readonly by: string;
  readonly why: string;
  readonly now: () => Date;
}

/** Where a letter's message goes when it is replayed, and as what (X1). */
interface Replay {
  readonly topic: string;
  readonly partition: number;
  readonly message: Pick<InMessage, 'key' | 'value' | 'headers'>;
}

export type Replayed =
  | { readonly letter: Letter; readonly topic: string; readonly partition: number; readonly offset: number }
  | { readonly letter: Letter; readonly refused: string };

/**
 * Sends the messages of these letters again, in their order, with the identities that they had. A copy does no harm: rows
 * are known by submission and batch, events by their ids, and what is in the ledger already is not sent.
 */
export async function replayLetters(
  context: RecoveryContext,
  letters: readonly Letter[],
  actor: Actor,
): Promise<readonly Replayed[]> {
  const kept = await readLetters(
    context,
    letters.map(({ number }) => number),
  );
  const publisher = new Publisher(context.kafka);
  const results: Replayed[] = [];
  try {
    for (const letter of letters) results.push(await replayOne(context, publisher, letter, kept, actor));
    return results;
  } finally {
    await publisher.close();
  }
}

async function replayOne(
  context: RecoveryContext,
  publisher: Publisher,
  letter: Letter,
  kept: ReadonlyMap<number, KeptLetter>,
  actor: Actor,
): Promise<Replayed> {
  if (letter.state === 'settled') return { letter, refused: 'its rows are in the ledger already' };
  if (letter.state === 'discarded') return { letter, refused: 'it was discarded' };
  const bytes = kept.get(letter.number);
  assert(bytes, `letter ${letter.number} is in the log`);
  const replay = await replayOf(context, bytes);
  if (typeof replay === 'string') return { letter, refused: replay };
  await note(context, letter, 'replay', actor);
  const { topic, partition, message } = replay;
  const offsets = await publisher.send(topic, [
    {
      partition,
      ...(message.key ? { key: message.key } : {}),
      value: message.value ?? Buffer.alloc(0),
      headers: message.headers,
    },
  ]);
  const offset = offsets.get(partition) ?? -1;
  await note(context, letter, 'replayed', actor, { topic, partition, offset });
  return { letter, topic, partition, offset };
}

/** X1, stage by stage; or why it cannot be. */
async function replayOf(context: RecoveryContext, letter: KeptLetter): Promise<Replay | string> {
  const same = { partition: letter.partition, message: letter };
  switch (letter.stage) {
    case 'cec-validation':
      if (!readHeaders(letter.headers))
        return 'its headers are not ours: no stage could tell what it is. It can only be discarded';
      return { ...same, topic: topicName('serials.submitted') };
    case 'dedup':
      return again(context, 'serials.submitted', letter.partition, letter.origin);
    case 'ledger-writer':
      return { ...same, topic: topicName('serials.decided') };
    case 'ledger-writer of submissions':
      // A manifest is known by its own offset, which a copy does not have.
      return {
        topic: topicName('submissions'),
        partition: letter.partition,
        message: { ...letter, headers: { ...letter.headers, origin: String(letter.origin) } },
      };
    case 'ledger-writer of claims':
      return { ...same, topic: topicName('claims.decided') };
    case 'gather':
      return { ...same, topic: topicName('claims.submitted') };
    case 'decide': {
      // Its source would be behind those that were decided since: the event is sent anew, with its own id.
      const source = /^(\d+):(\d+)$/.exec(letter.headers.source ?? '');
      if (!source) return 'it does not say where its claim was submitted. It can only be discarded';
      return again(context, 'claims.submitted', Number(source[1]), Number(source[2]));
    }
    default:
      return `nothing is known of the stage ${letter.stage}`;
  }
}

/** The message as it was submitted: it is kept for ever. */
async function again(
  { kafka }: RecoveryContext,
  name: string,
  partition: number,
  offset: number,
): Promise<Replay> {
  const topic = topicName(name);
  let message: InMessage | undefined;
  await readLog({
    kafka,
    topic,
    ranges: [{ partition, from: offset, to: offset + 1 }],
    read(found) {
      message = found;
      return 'enough';
    },
  });
  if (!message)
    throw new OperationalError('log_incomplete', `${topic}/${partition} has no message at offset ${offset}`, {
      retryable: false,
    });
  return { topic, partition, message };
}

export type Discarded =
  | { readonly letter: Letter; readonly rebuild?: string }
  | { readonly letter: Letter; readonly refused: string };

/** Stages behind the decision: rows that they hold were decided, and the index knows them. */
const behindDecision: Readonly<Record<string, (partition: number) => string>> = {
  'ledger-writer': (partition) => `--partition ${partition}`,
  'ledger-writer of claims': () => '--claims',
};

/**
 * Gives letters up: their rows are accounted for as discarded, and hold nothing back any more. Of rows that were decided
 * the index must forget what the ledger will never have, so that those are only given up when it is meant.
 */
export async function discardLetters(
  context: RecoveryContext,
  letters: readonly Letter[],
  actor: Actor,
  options: { readonly decided: boolean },
): Promise<readonly Discarded[]> {
  const results: Discarded[] = [];
  for (const letter of letters) {
    const rebuild = behindDecision[letter.stage]?.(letter.partition);
    if (letter.state === 'settled') results.push({ letter, refused: 'its rows are in the ledger already' });
    else if (letter.state === 'discarded') results.push({ letter, refused: 'it was discarded before' });
    else if (letter.stage.startsWith('ledger-writer') && !options.decided)
      results.push({
        letter,
        refused: 'what it holds was accepted and decided: replay it, or repeat with --decided to give it up',
      });
    else {
      await note(context, letter, 'discard', actor);
      await settleDiscarded(context, letter);
      results.push({ letter, ...(rebuild === undefined ? {} : { rebuild }) });
    }
  }
  return results;
}

/** A letter without rows holds nothing back: that it was discarded is on record, and that is all. */
async function settleDiscarded({ clickhouse }: RecoveryContext, letter: Letter): Promise<void> {
  if (letter.rows === 0) return;
  const { stage, partition, origin, submission, batch, rows, cause } = letter;
  await clickhouse.insertRows('dead_letters', [
    {
      stage,
      partition,
      origin,
      submission,
      batch,
      rows,
      cause,
      settled: 2,
    },
  ]);
}

async function note(
  { clickhouse }: RecoveryContext,
  letter: Letter,
  action: 'replay' | 'replayed' | 'discard',
  { by, why, now }: Actor,
  place: { readonly topic: string; readonly partition: number; readonly offset: number } = {
    topic: '',
    partition: 0,
    offset: -1,
  },
): Promise<void> {
  const at = now().toISOString().replace('T', ' ').replace('Z', '');
  await clickhouse.insertRows('dead_letter_actions', [
    { letter: letter.number, at, action, by, why, ...place },
  ]);
}
