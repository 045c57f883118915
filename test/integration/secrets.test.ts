import { once } from 'node:events';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRedis, translated } from '#shared/adapters/redis/client.ts';
import { startTestEngines, type TestEngines } from '#test/support/engines.ts';

let engines: TestEngines;
beforeAll(async () => {
  engines = await startTestEngines('redis');
});
afterAll(() => engines?.stop());

test('a password that Redis refuses is in no line of the log', async () => {
  const url = new URL(engines.engines.urls.redisUrl);
  url.username = 'ledger';
  url.password = 'a-password-to-be-kept';
  let logged = '';
  const log = pino({ level: 'trace' }, { write: (line) => (logged += line) });
  const redis = createRedis({ url: url.href, log });
  try {
    await once(redis, 'error');
    const error = await translated(redis.get('key'), 'reading').then(
      () => undefined,
      (of) => of,
    );
    log.error({ err: error }, 'not read');
  } finally {
    redis.disconnect();
  }
  expect(logged).toContain('Redis does not answer');
  expect(logged).toContain('WRONGPASS');
  expect(logged).not.toContain('a-password-to-be-kept');
});
