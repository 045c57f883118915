import type { Kafka } from 'kafkajs';
import { type FollowedLog, followLog } from '#shared/adapters/kafka/follow.ts';
import type { Decoder } from '#shared/codec/codec.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import type { Accounts } from './accounts.ts';
import type { AccountEvent } from './events.ts';

export interface FollowOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly decoder: Decoder<AccountEvent>;
  readonly accounts: Accounts;
  readonly log: { error(details: object, message: string): void };
}

/** Folds the log of accounts from its beginning. What can not be read is left out, by every instance alike. */
export function followAccounts({
  kafka,
  topic,
  decoder,
  accounts,
  log,
}: FollowOptions): Promise<FollowedLog> {
  return followLog({
    kafka,
    topic,
    read(message) {
      const event = readEvent(message, decoder);
      if (event) accounts.read(event);
      else log.error({ topic, offset: message.offset }, 'not an event of an account');
    },
    endReached: () => accounts.endReached(),
  });
}

function readEvent(message: InMessage, decoder: Decoder<AccountEvent>): AccountEvent | undefined {
  const event = decoder.decode(message.value);
  if (!event) return undefined;
  try {
    JSON.parse(event.data);
    return event;
  } catch {
    return undefined;
  }
}
