import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { consumerSettings, redisSettings } from '#shared/runtime/engine-settings.ts';

export const cecValidationSettings = { ...kafkaSettings, ...redisSettings, ...consumerSettings } as const;
