import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { whole } from '#shared/runtime/config.ts';
import { clickhouseSettings, consumerSettings, redisSettings } from '#shared/runtime/engine-settings.ts';

export const dedupSettings = {
  ...kafkaSettings,
  ...clickhouseSettings,
  ...redisSettings,
  ...consumerSettings,
  indexCapacity: whole(
    'INDEX_CAPACITY',
    'serials that the index is laid out for; beyond it works, with more memory',
    {
      least: 1_000,
      most: 2_000_000_000,
      fallback: 10_000_000,
    },
  ),
  bucketSerials: whole('INDEX_BUCKET_SERIALS', 'serials of one bucket at that capacity', {
    least: 16,
    most: 450,
    fallback: 400,
  }),
} as const;
