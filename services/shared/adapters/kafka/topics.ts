import type { Admin, Kafka } from 'kafkajs';
import { assert, OperationalError } from '#shared/base/errors.ts';
import plan from '../../../../deploy/kafka/topics.json' with { type: 'json' };
import { withAdmin } from './client.ts';
import { kafkajs } from './kafkajs.ts';

export type TopicsProfile = keyof typeof plan.profiles;
export const topicsProfiles = ['local', 'production'] as const satisfies readonly TopicsProfile[];

/** What a topic shall be. `name` is the topic's name in Kafka, with the generation. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  /** -1: for ever. */
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
}

/** One respect in which a topic is not what it shall be. `refuse`: no service may start on it. */
export interface TopicDifference {
  readonly topic: string;
  readonly weight: 'refuse' | 'warn';
  readonly text: string;
}

/**
 * K6: names carry the generation of the topics. A recreated topic has a new name, so that no position of the old one is
 * taken for a position in it.
 * @param name as in deploy/kafka/topics.json, for example `serials.submitted`
 */
export function topicName(name: string): string {
  assert(
    plan.topics.some((topic) => topic.name === name),
    `no topic ${name} in deploy/kafka/topics.json`,
  );
  return `${name}.g${plan.generation}`;
}

/** Generation of all topics; Redis keys that hold positions carry it too (K6). */
export const topicsGeneration: number = plan.generation;

/**
 * Rises when what those keys hold is laid out otherwise: what an earlier release left is then not there, so that workers
 * wait for a rebuild instead of misreading it. 2: slots with a status.
 */
const indexFormat = 2;

/** Begins the name of every Redis key that holds state of the log: indexes of serials and claims. */
export const indexPrefix = `ledger:t${topicsGeneration}:f${indexFormat}:`;

/** Number of partitions of the serial topics: a serial's partition is its hash modulo this. */
export function serialPartitions(profile: TopicsProfile): number {
  return plan.profiles[profile].partitions;
}

/**
 * The topics of a profile.
 * @throws OperationalError `topics_unsafe` when the production profile could lose what it acknowledged (K7)
 */
export function topicSpecs(profile: TopicsProfile): readonly TopicSpec[] {
  const { partitions, replicationFactor, minInsyncReplicas } = plan.profiles[profile];
  const specs = plan.topics.map((topic) => ({
    name: topicName(topic.name),
    partitions: typeof topic.partitions === 'number' ? topic.partitions : partitions,
    replicationFactor,
    minInsyncReplicas,
    retentionMs: topic.retentionDays < 0 ? -1 : topic.retentionDays * 86_400_000,
    maxMessageBytes: topic.maxMessageBytes,
  }));
  if (profile === 'production') refuseUnsafe(specs);
  return specs;
}

/** K7. With as many replicas in sync demanded as there are, one broker's restart would stop every write. */
export function refuseUnsafe(specs: readonly TopicSpec[]): void {
  for (const { name, replicationFactor, minInsyncReplicas } of specs) {
    if (replicationFactor >= 2 && minInsyncReplicas >= 2 && minInsyncReplicas < replicationFactor) continue;
    throw new OperationalError(
      'topics_unsafe',
      `${name}: replication factor ${replicationFactor} with min.insync.replicas ${minInsyncReplicas} is refused in the production profile: at least 2 replicas in sync, and one replica more than that`,
      { retryable: false },
    );
  }
}

/** The entries of a topic's configuration that are ours to set. */
export function configEntries(spec: TopicSpec): Readonly<Record<string, string>> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(spec.retentionMs),
    'retention.bytes': '-1',
    'max.message.bytes': String(spec.maxMessageBytes),
    'min.insync.replicas': String(spec.minInsyncReplicas),
    'unclean.leader.election.enable': 'false',
  };
}

/** What is found in Kafka; undefined when there is no such topic. */
export interface FoundTopic {
  /** Number of replicas of each partition. */
  readonly replicas: readonly number[];
  readonly config: Readonly<Record<string, string>>;
}

/** Every respect in which the found topic differs. Pure. */
export function differences(
  spec: TopicSpec,
  found: FoundTopic | undefined,
  profile: TopicsProfile,
): readonly TopicDifference[] {
  const list: TopicDifference[] = [];
  const add = (weight: 'refuse' | 'warn', text: string): void => {
    list.push({ topic: spec.name, weight, text });
  };
  if (found === undefined) {
    add('refuse', 'is not there');
    return list;
  }
  if (found.replicas.length !== spec.partitions) {
    add('refuse', `has ${found.replicas.length} partitions instead of ${spec.partitions}`);
  }
  const replicas = Math.min(...found.replicas);
  if (replicas !== spec.replicationFactor) {
    const unsafe = profile === 'production' && replicas < 2;
    add(
      unsafe ? 'refuse' : 'warn',
      `has replication factor ${replicas} instead of ${spec.replicationFactor}`,
    );
  }
  for (const [name, wanted] of Object.entries(configEntries(spec))) {
    const actual = found.config[name] ?? 'unknown';
    if (actual !== wanted)
      add(weightOf(name, actual, wanted, profile), `has ${name} ${actual} instead of ${wanted}`);
  }
  return list;
}

function weightOf(name: string, actual: string, wanted: string, profile: TopicsProfile): 'refuse' | 'warn' {
  switch (name) {
    // Compaction would take away rows that were accepted.
    case 'cleanup.policy':
      return 'refuse';
    case 'min.insync.replicas':
      return profile === 'production' && !(Number(actual) >= 2) ? 'refuse' : 'warn';
    case 'unclean.leader.election.enable':
      return profile === 'production' ? 'refuse' : 'warn';
    // Our own batches would not fit.
    case 'max.message.bytes':
      return Number(actual) >= Number(wanted) ? 'warn' : 'refuse';
    default:
      return 'warn';
  }
}

/** Compares topics in Kafka with what they shall be. */
export async function checkTopics(
  kafka: Kafka,
  specs: readonly TopicSpec[],
  profile: TopicsProfile,
): Promise<readonly TopicDifference[]> {
  return withAdmin(kafka, 'looking at topics', async (admin) => {
    const found = await findTopics(admin, specs);
    return specs.flatMap((spec) => differences(spec, found.get(spec.name), profile));
  });
}

/**
 * For a service's start: refuses a topic that is missing or that may not be used.
 * @param names as in deploy/kafka/topics.json; all topics when absent
 * @returns differences that do not forbid a start
 * @throws OperationalError `topics_differ`, not retryable
 */
export async function requireTopics(
  kafka: Kafka,
  profile: TopicsProfile,
  names?: readonly string[],
): Promise<readonly TopicDifference[]> {
  const wanted = names === undefined ? undefined : new Set(names.map(topicName));
  const specs = topicSpecs(profile).filter(({ name }) => wanted?.has(name) ?? true);
  const found = await checkTopics(kafka, specs, profile);
  const refused = found.filter(({ weight }) => weight === 'refuse');
  if (refused.length === 0) return found;
  throw new OperationalError(
    'topics_differ',
    `${refused.map(({ topic, text }) => `topic ${topic} ${text}`).join('; ')} (profile ${profile}): "npm run topics" creates missing ones; it changes none, since a serial's partition depends on their number`,
    { retryable: false },
  );
}

/** Creates the topics that are not there. Others are left as they are. Several instances may do so at once. */
export async function createTopics(kafka: Kafka, specs: readonly TopicSpec[]): Promise<readonly string[]> {
  return withAdmin(kafka, 'creating topics', async (admin) => {
    const found = await findTopics(admin, specs);
    const missing = specs.filter(({ name }) => !found.has(name));
    const created: string[] = [];
    for (const spec of missing) {
      const made = await admin.createTopics({
        // kafkajs takes a topic that the broker does not know yet for an error; `known` waits instead.
        waitForLeaders: false,
        topics: [
          {
            topic: spec.name,
            numPartitions: spec.partitions,
            replicationFactor: spec.replicationFactor,
            configEntries: Object.entries(configEntries(spec)).map(([name, value]) => ({ name, value })),
          },
        ],
      });
      if (made) created.push(spec.name);
    }
    await known(() => admin.fetchTopicMetadata({ topics: specs.map(({ name }) => name) }));
    return created;
  });
}

async function findTopics(admin: Admin, specs: readonly TopicSpec[]): Promise<Map<string, FoundTopic>> {
  const existing = new Set(await admin.listTopics());
  const names = specs.map(({ name }) => name).filter((name) => existing.has(name));
  if (names.length === 0) return new Map();
  const { topics } = await known(() => admin.fetchTopicMetadata({ topics: names }));
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  const configs = new Map(
    resources.map(({ resourceName, configEntries: entries }) => [resourceName, entries]),
  );
  return new Map(
    topics.map(({ name, partitions }) => [
      name,
      {
        replicas: partitions.map(({ replicas }) => replicas.length),
        config: Object.fromEntries(
          (configs.get(name) ?? []).map((entry) => [entry.configName, entry.configValue]),
        ),
      },
    ]),
  );
}

const knownWithinMs = 10_000;
const askAgainMs = 50;

/** A topic just made is in the controller's list before brokers know it and its partitions have leaders. */
async function known<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let left = knownWithinMs; ; left -= askAgainMs) {
    try {
      return await ask();
    } catch (error) {
      const settling = error instanceof kafkajs.KafkaJSProtocolError && becomingKnown.has(error.type);
      if (!settling || left <= 0) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
  }
}

const becomingKnown: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);
