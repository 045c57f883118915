import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { whole } from '#shared/runtime/config.ts';
import { clickhouseSettings, consumerSettings } from '#shared/runtime/engine-settings.ts';

export const ledgerWriterSettings = {
  ...kafkaSettings,
  ...clickhouseSettings,
  ...consumerSettings,
  insertRowsMax: whole('INSERT_ROWS_MAX', 'rows of one insert', {
    least: 100,
    most: 500_000,
    fallback: 200_000,
  }),
  lingerMsMax: whole('LINGER_MS_MAX', 'the longest that a row waits for company under full load', {
    least: 0,
    most: 10_000,
    fallback: 500,
  }),
  fullRateRows: whole('LINGER_FULL_RATE_ROWS', 'rows a second from which on the full linger is used', {
    least: 1,
    most: 10_000_000,
    fallback: 50_000,
  }),
  alarmIntervalMs: whole('ALARM_INTERVAL_MS', 'how often ledger_imbalance_rows is computed', {
    least: 1_000,
    most: 3_600_000,
    fallback: 30_000,
  }),
  alarmWindowHours: whole('ALARM_WINDOW_HOURS', 'submissions received within so many hours are looked at', {
    least: 1,
    most: 8_760,
    fallback: 24,
  }),
} as const;
