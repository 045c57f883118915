import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { whole } from '#shared/runtime/config.ts';
import { clickhouseSettings, consumerSettings, redisSettings } from '#shared/runtime/engine-settings.ts';

export const certificateSettings = {
  ...kafkaSettings,
  ...clickhouseSettings,
  ...redisSettings,
  ...consumerSettings,
  ledgerWaitMs: whole('LEDGER_WAIT_MS', 'how long claims wait for the ledger before they ask it again', {
    least: 1_000,
    most: 120_000,
    fallback: 15_000,
  }),
} as const;
