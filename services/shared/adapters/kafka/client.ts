import type * as Kafkajs from 'kafkajs';
import { OperationalError } from '#shared/base/errors.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import { kafkajs } from './kafkajs.ts';

const { Kafka, KafkaJSError, KafkaJSProtocolError, Partitioners, logLevel } = kafkajs;

export interface KafkaLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/** One Kafka client per process. `brokers`: host:port, comma-separated. */
export function createKafka(options: { brokers: string; clientId: string; log: KafkaLog }): Kafkajs.Kafka {
  return new Kafka({
    clientId: options.clientId,
    brokers: options.brokers.split(','),
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 50, maxRetryTime: 2_000, retries: 5 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, timestamp: _, logger: __, ...details } = entry.log;
      // What kafkajs calls an error it tries again by itself; what fails in the end is thrown, and logged by its handler.
      if (entry.level <= logLevel.ERROR) options.log.warn(details, `kafka: ${message}`);
      else options.log.info(details, `kafka: ${message}`);
    },
  });
}

/** Every message names its partition; saying which default applies otherwise keeps kafkajs from warning about it. */
export const createPartitioner = Partitioners.DefaultPartitioner;

/** Errors of the protocol that say the request itself is wrong: trying again cannot help. */
const refusedRequests = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_REQUIRED_ACKS',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'UNSUPPORTED_VERSION',
  'INVALID_RECORD',
]);

/** Translates what kafkajs throws, once. Errors of others pass through: they are not Kafka's, and not retryable. */
export function translateKafkaError(cause: unknown, doing: string): unknown {
  if (!(cause instanceof KafkaJSError)) return cause;
  const root = rootCause(cause);
  const type = root instanceof KafkaJSProtocolError ? root.type : root.name;
  return new OperationalError(
    'kafka_unavailable',
    `Kafka did not complete: ${doing} (${type}: ${root.message})`,
    {
      retryable: !refusedRequests.has(type),
      cause,
    },
  );
}

function rootCause(error: Kafkajs.KafkaJSError): Error {
  const next = (error as { cause?: unknown }).cause ?? (error as { originalError?: unknown }).originalError;
  return next instanceof KafkaJSError ? rootCause(next) : error;
}

/** A message as stages see it: numbers for offsets, text for headers. */
export function toInMessage(message: Kafkajs.KafkaMessage): InMessage {
  return {
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    headers: textHeaders(message.headers),
    timestamp: Number(message.timestamp),
  };
}

function textHeaders(headers: Kafkajs.IHeaders | undefined): Readonly<Record<string, string>> {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {}))
    if (value !== undefined) text[name] = String(value);
  return text;
}
