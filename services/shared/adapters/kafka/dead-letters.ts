import type { InMessage } from '#shared/runtime/stage.ts';
import type { Publisher } from './publisher.ts';
import { topicName } from './topics.ts';

export interface DeadLetter {
  readonly stage: string;
  /** Topic that the bytes were read from, and where. */
  readonly topic: string;
  readonly partition: number;
  readonly message: InMessage;
  readonly origin: number;
  readonly submission: string;
  readonly batch: number;
  readonly rows: number;
  readonly cause: string;
}

/**
 * Keeps the original bytes of a message that can not be processed, with where it came from and why. Resolves when they
 * are acknowledged: until then the caller's position must not move.
 */
export async function keepDeadLetter(publisher: Publisher, letter: DeadLetter): Promise<void> {
  const { message, ...about } = letter;
  const original = Object.entries(message.headers).map(([name, value]) => [originalPrefix + name, value]);
  await publisher.send(topicName('dead.letters'), [
    {
      partition: 0,
      ...(message.key ? { key: message.key } : {}),
      value: message.value ?? Buffer.alloc(0),
      headers: {
        ...Object.fromEntries(original),
        ...Object.fromEntries(Object.entries(about).map(([name, value]) => [name, String(value)])),
        offset: String(message.offset),
        timestamp: String(message.timestamp),
      },
    },
  ]);
}

/** Before the names of the headers that the message itself had. */
const originalPrefix = 'original.';

/** A dead letter as it was kept. Its number is its offset in the topic; a message that failed twice has two. */
export interface KeptLetter extends Omit<DeadLetter, 'message'> {
  readonly number: number;
  readonly keptAt: number;
  /** The submission or event that it belongs to, where `submission` is not what its stage knows it by. */
  readonly subject: string;
  /** Offset in `topic`. */
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** The letter that `keepDeadLetter` wrote. */
export function readDeadLetter(message: InMessage): KeptLetter {
  const { headers } = message;
  const text = (name: string) => headers[name] ?? '';
  const original = Object.entries(headers)
    .filter(([name]) => name.startsWith(originalPrefix))
    .map(([name, value]) => [name.slice(originalPrefix.length), value]);
  return {
    number: message.offset,
    keptAt: message.timestamp,
    stage: text('stage'),
    topic: text('topic'),
    partition: Number(text('partition')),
    offset: Number(text('offset')),
    origin: Number(text('origin')),
    submission: text('submission'),
    subject: text('submission') || text('original.submission') || text('original.event'),
    batch: Number(text('batch')),
    rows: Number(text('rows')),
    cause: text('cause'),
    key: message.key,
    value: message.value ?? Buffer.alloc(0),
    headers: Object.fromEntries(original),
  };
}
