import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { whole } from '#shared/runtime/config.ts';
import { clickhouseSettings, consumerSettings, redisSettings } from '#shared/runtime/engine-settings.ts';

/** How an index is laid out when a generation of it begins. */
export const indexSettings = {
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
    fallback: 200,
  }),
} as const;

/** Buckets of one partition. */
export function bucketsOf(
  settings: { readonly indexCapacity: number; readonly bucketSerials: number },
  partitions: number,
): number {
  return Math.ceil(settings.indexCapacity / partitions / settings.bucketSerials);
}

export const dedupSettings = {
  ...kafkaSettings,
  ...clickhouseSettings,
  ...redisSettings,
  ...consumerSettings,
  ...indexSettings,
} as const;
