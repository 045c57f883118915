import { topicName } from '#shared/adapters/kafka/topics.ts';
import { Codec } from '#shared/codec/codec.ts';

export const topics = {
  submitted: topicName('serials.submitted'),
  listed: topicName('serials.listed'),
  decided: topicName('serials.decided'),
  deadLetters: topicName('dead.letters'),
} as const;

/** The real codec on a registry in memory. What it makes is made once: building it takes longer than a whole run. */
export async function openCodec(): Promise<Codec> {
  const ids = new Map<string, number>();
  const registry = {
    register: async (_subject: string, schemaText: string) => {
      const id = ids.get(schemaText) ?? ids.size + 1;
      ids.set(schemaText, id);
      return id;
    },
  };
  const codec = await Codec.open(registry, {
    [topics.submitted]: 'SerialBatch',
    [topics.listed]: 'ListedBatch',
    [topics.decided]: 'DecidedBatch',
  });
  return Object.assign(Object.create(codec) as Codec, {
    encoder: remembered(codec.encoder.bind(codec)),
    decoder: remembered(codec.decoder.bind(codec)),
    appender: remembered(codec.appender.bind(codec)),
    versions: remembered(codec.versions.bind(codec)),
  });
}

function remembered<A extends readonly unknown[], R>(make: (...args: A) => R): (...args: A) => R {
  const made = new Map<string, R>();
  return (...args) => {
    const key = JSON.stringify(args);
    if (!made.has(key)) made.set(key, make(...args));
    return made.get(key)!;
  };
}
