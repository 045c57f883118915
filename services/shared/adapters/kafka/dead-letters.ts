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
  await publisher.send(topicName('dead.letters'), [
    {
      partition: 0,
      value: message.value ?? Buffer.alloc(0),
      headers: {
        ...Object.fromEntries(
          Object.entries(message.headers).map(([name, value]) => [`original.${name}`, value]),
        ),
        ...Object.fromEntries(Object.entries(about).map(([name, value]) => [name, String(value)])),
        offset: String(message.offset),
      },
    },
  ]);
}
