import { secret, text } from '#shared/runtime/config.ts';

/** What every process that talks to ClickHouse is told. */
export const clickhouseSettings = {
  clickhouseUrl: text('CLICKHOUSE_URL', 'ClickHouse over HTTP, http://host:port'),
  clickhouseUser: text('CLICKHOUSE_USER', 'ClickHouse user', 'default'),
  clickhousePassword: secret('CLICKHOUSE_PASSWORD', 'password of the ClickHouse user', ''),
  clickhouseDatabase: text('CLICKHOUSE_DATABASE', 'database of the ledger', 'ledger'),
} as const;
