import { describe, expect, test } from 'vitest';
import {
  configEntries,
  differences,
  type FoundTopic,
  refuseUnsafe,
  serialPartitions,
  type TopicSpec,
  topicName,
  topicSpecs,
  topicsGeneration,
} from './topics.ts';

const spec: TopicSpec = {
  name: 'serials.listed.g1',
  partitions: 3,
  replicationFactor: 3,
  minInsyncReplicas: 2,
  retentionMs: 86_400_000,
  maxMessageBytes: 2_000_000,
};
const asWanted: FoundTopic = { replicas: [3, 3, 3], config: configEntries(spec) };
const withConfig = (name: string, value: string): FoundTopic => ({
  ...asWanted,
  config: { ...asWanted.config, [name]: value },
});

describe('differences of a topic', () => {
  test.each<[string, FoundTopic | undefined, readonly string[]]>([
    ['as it shall be', asWanted, []],
    ['missing', undefined, ['refuse is not there']],
    ['fewer partitions', { ...asWanted, replicas: [3, 3] }, ['refuse has 2 partitions instead of 3']],
    ['more partitions', { ...asWanted, replicas: [3, 3, 3, 3] }, ['refuse has 4 partitions instead of 3']],
    [
      'one partition without replicas',
      { ...asWanted, replicas: [3, 1, 3] },
      ['refuse has replication factor 1 instead of 3'],
    ],
    ['two replicas', { ...asWanted, replicas: [2, 2, 2] }, ['warn has replication factor 2 instead of 3']],
    [
      'compacted',
      withConfig('cleanup.policy', 'compact'),
      ['refuse has cleanup.policy compact instead of delete'],
    ],
    [
      'one in sync',
      withConfig('min.insync.replicas', '1'),
      ['refuse has min.insync.replicas 1 instead of 2'],
    ],
    [
      'three in sync',
      withConfig('min.insync.replicas', '3'),
      ['warn has min.insync.replicas 3 instead of 2'],
    ],
    [
      'unclean',
      withConfig('unclean.leader.election.enable', 'true'),
      ['refuse has unclean.leader.election.enable true instead of false'],
    ],
    [
      'shorter retention',
      withConfig('retention.ms', '1000'),
      ['warn has retention.ms 1000 instead of 86400000'],
    ],
    [
      'bounded by size',
      withConfig('retention.bytes', '1000'),
      ['warn has retention.bytes 1000 instead of -1'],
    ],
    [
      'smaller messages',
      withConfig('max.message.bytes', '1000'),
      ['refuse has max.message.bytes 1000 instead of 2000000'],
    ],
    [
      'larger messages',
      withConfig('max.message.bytes', '3000000'),
      ['warn has max.message.bytes 3000000 instead of 2000000'],
    ],
  ])('in production: %s', (_, found, expected) => {
    expect(differences(spec, found, 'production').map(({ weight, text }) => `${weight} ${text}`)).toEqual(
      expected,
    );
  });

  test('all of them are told', () => {
    const found = { replicas: [1], config: {} };
    expect(differences(spec, found, 'production').length).toBe(2 + Object.keys(configEntries(spec)).length);
  });

  test('locally one replica is enough, but not another number of partitions', () => {
    const local = { ...spec, replicationFactor: 1, minInsyncReplicas: 1 };
    const found = { replicas: [2, 2], config: { ...configEntries(local), 'min.insync.replicas': '2' } };
    expect(differences(local, found, 'local').map(({ weight }) => weight)).toEqual([
      'refuse',
      'warn',
      'warn',
    ]);
  });
});

describe('profiles', () => {
  test.each([
    [1, 1],
    [3, 1],
    [2, 2],
    [1, 2],
  ])('K7: production refuses %i replicas with %i in sync', (replicationFactor, minInsyncReplicas) => {
    expect(() => refuseUnsafe([{ ...spec, replicationFactor, minInsyncReplicas }])).toThrow(
      /refused in the production/,
    );
  });

  test('the shipped plan is fit for production, and names carry the generation', () => {
    expect(topicSpecs('production').map(({ name }) => name)).toContain(
      `serials.submitted.g${topicsGeneration}`,
    );
    expect(topicSpecs('local').every(({ replicationFactor }) => replicationFactor === 1)).toBe(true);
    expect(() => topicName('serials.sumbitted')).toThrow(/no topic serials.sumbitted/);
  });

  test('the serial topics have the same partitions, since every stage emits to the partition it read', () => {
    for (const profile of ['local', 'production'] as const) {
      const serials = topicSpecs(profile).filter(({ name }) => name.startsWith('serials.'));
      expect(serials.length).toBe(3);
      expect(new Set(serials.map(({ partitions }) => partitions))).toEqual(
        new Set([serialPartitions(profile)]),
      );
    }
  });
});
