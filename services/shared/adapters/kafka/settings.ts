import { choice, text } from '#shared/runtime/config.ts';
import { topicsProfiles } from './topics.ts';

/** What a process is told that creates or checks topics. */
export const kafkaSettings = {
  kafkaBrokers: text('KAFKA_BROKERS', 'Kafka brokers, host:port, comma-separated'),
  topicsProfile: choice(
    'TOPICS_PROFILE',
    'which profile of deploy/kafka/topics.json applies',
    topicsProfiles,
    'local',
  ),
} as const;
