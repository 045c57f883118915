import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partRowsMax } from '#gateway/streams/parts.ts';
import { GatewayClient, until } from '#scripts/demo/client.ts';
import { createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { panelFile, startTestFleet, type TestFleet, uniquePrefix } from '#test/support/fleet.ts';
import { silent } from '#test/support/stores.ts';
import { type Line, StreamClient, stream } from '#test/support/stream-client.ts';

const supplier = 'Streaming Imports Pty Ltd';
const rows = 60_000;

let test: TestFleet;
let key: string;

beforeAll(async () => {
  test = await startTestFleet({ instances: { gateway: 2 } });
  const { id } = await test.operator.post<{ id: string }>('/v1/accounts', {
    name: supplier,
    kind: 'supplier',
    suppliers: [supplier],
  });
  const made = await test.operator.post<{ key: string }>(`/v1/accounts/${id}/keys`, { label: 'test' });
  key = made.key;
  await new GatewayClient(url(1), key).post('/v1/declarations/api-users', { declaration: 'api-users-1' });
  await until(
    'the key at the other gateway',
    () => asks(url(2)),
    (known) => known,
    10_000,
  );
});
afterAll(() => test?.stop());

const url = (instance: number) =>
  test.fleet.services.find(({ name }) => name === `gateway-${instance}`)!.addresses.http!;
const asks = async (at: string) =>
  (await fetch(`${at}/v1/declarations/api-users`, { headers: { authorization: `Bearer ${key}` } })).ok;

/** Sends the file in pieces until some row is committed; then, or when the connection breaks, that is it. */
async function sendUntil(client: StreamClient, file: string, committedRow: number): Promise<void> {
  const committed = client.line(
    (line) => (line.committed_row ?? 0) >= committedRow && line.event === 'submission',
  );
  let reached = false;
  void committed.then(() => {
    reached = true;
  });
  for (let at = 0; at < file.length && !reached; at += 16_384)
    await client.write(file.slice(at, at + 16_384));
  await committed;
}

/** What the ledger has of the serials of a test, once all that was accepted is decided. */
async function inLedger(prefix: string): Promise<{ registered: number; others: number; serials: number }> {
  const clickhouse = createClickhouse({
    url: test.fleet.engines.urls.clickhouseUrl,
    database: 'ledger',
    log: silent,
  });
  try {
    const ask = async () => {
      const [row] = await clickhouse.query<{ registered: number; others: number; serials: number }>(
        `SELECT countIf(outcome = 'registered') AS registered, countIf(outcome != 'registered') AS others,
            uniqExact(serial_key) AS serials
         FROM serial_rows FINAL WHERE startsWith(serial_key, {prefix:String})`,
        { prefix },
      );
      return row!;
    };
    return await until('all rows', ask, ({ registered, others }) => registered + others >= rows, 120_000);
  } finally {
    await clickhouse.close();
  }
}

const whole = { registered: rows, others: 0, serials: rows };

async function committedRow(at: string, id: string): Promise<number> {
  const { committed_row } = await new GatewayClient(at, key).get<{ committed_row: number }>(
    `/v1/streams/${id}`,
  );
  return committed_row;
}

function from(file: string, row: number): string {
  const lines = file.split('\n');
  return [lines[0], ...lines.slice(row)].join('\n');
}

describe('a stream whose client dies', () => {
  it.each(['from the row after the last that is committed', 'from its beginning'])(
    'goes on %s, at another gateway, and every row is there once',
    async (how) => {
      const prefix = uniquePrefix();
      const file = panelFile(supplier, test.models, { rows, prefix });
      const idempotencyKey = randomUUID();
      const first = new StreamClient(url(1), { key, idempotencyKey });
      await sendUntil(first, file, 4 * partRowsMax);
      first.break();
      const { id } = first.lines[0]!;
      const done = await committedRow(url(2), id);
      expect(done % partRowsMax).toBe(0);
      const again = how.startsWith('from its')
        ? await stream(url(2), { key, idempotencyKey }, file)
        : await stream(
            url(2),
            { key, idempotencyKey, query: { from_row: String(done + 1) } },
            from(file, done + 1),
          );
      expect(again.last).toMatchObject({ event: 'complete', committed_row: rows });
      expect(await inLedger(prefix)).toEqual(whole);
    },
  );
});

describe('a stream whose gateway is killed', () => {
  it.each([
    ['at the other one at once, from its beginning, compressed', true],
    ['at the same one when it is back, from the row after the last that is committed', false],
  ])('goes on %s, and every row is there once', async (_, elsewhere) => {
    const prefix = uniquePrefix();
    const file = panelFile(supplier, test.models, { rows, prefix });
    const idempotencyKey = randomUUID();
    const gateway = test.fleet.services.find(({ name }) => name === 'gateway-1')!;
    const first = new StreamClient(url(1), { key, idempotencyKey });
    const sending = sendUntil(first, file, rows);
    await first.line((line) => line.committed_row === 3 * partRowsMax);
    process.kill(gateway.process.pid, 'SIGKILL');
    await gateway.process.exited;
    await sending;
    const told = first.lines.filter(({ event }) => event === 'submission');
    let last: Line;
    if (elsewhere) {
      const again = await stream(
        url(2),
        { key, idempotencyKey, headers: { 'content-encoding': 'gzip' } },
        gzipSync(file),
      );
      last = again.last;
      // What was told before it died is what is told now.
      const ids = again.lines.filter(({ event }) => event === 'submission').map(({ id }) => id);
      expect(ids.slice(0, told.length)).toEqual(told.map((line) => line.id));
      await test.fleet.startService('gateway', 1);
    } else {
      await test.fleet.startService('gateway', 1);
      const done = await committedRow(url(1), first.lines[0]!.id);
      expect(done).toBeGreaterThanOrEqual(told.at(-1)!.committed_row);
      const query = { from_row: String(done + 1) };
      ({ last } = await stream(url(1), { key, idempotencyKey, query }, from(file, done + 1)));
    }
    expect(last).toMatchObject({ event: 'complete', committed_row: rows });
    expect(await inLedger(prefix)).toEqual(whole);
  });
});

it('two gateways that are sent the same stream at once make one of it', async () => {
  const prefix = uniquePrefix();
  const file = panelFile(supplier, test.models, { rows, prefix });
  const idempotencyKey = randomUUID();
  const answers = await Promise.all([1, 2].map((at) => stream(url(at), { key, idempotencyKey }, file)));
  for (const { last } of answers) expect(last).toMatchObject({ event: 'complete', committed_row: rows });
  const [one, two] = answers.map(({ lines }) => lines.map(({ id }) => id));
  expect(one).toEqual(two);
  expect(await inLedger(prefix)).toEqual(whole);
});

it('the parts of a stream are submissions like others: final, with their report and their bytes', async () => {
  const prefix = uniquePrefix();
  const file = `${panelFile(supplier, test.models, { rows: 20, prefix })}${supplier},Nobody,Nothing,${prefix}X\n`;
  const { lines } = await stream(url(1), { key, idempotencyKey: randomUUID() }, file);
  const { id } = lines.find(({ event }) => event === 'submission')!;
  const client = new GatewayClient(url(2), key);
  const status = await until(
    'the submission',
    () => client.get<{ state: string; outcomes: object; imbalance: number }>(`/v1/submissions/${id}`),
    ({ state }) => state === 'final',
    60_000,
  );
  expect(status).toMatchObject({ outcomes: { registered: 20, not_listed: 1 }, imbalance: 0 });
  const report = await client.get<{ rows: object[] }>(`/v1/submissions/${id}/report`);
  expect(report.rows).toMatchObject([{ record: 21, line: 22, outcome: 'not_listed' }]);
  const kept = await fetch(`${url(1)}/v1/submissions/${id}/file`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect([kept.headers.get('content-type'), await kept.text()]).toEqual(['text/csv', file]);
  const { submissions } = await client.get<{ submissions: object[] }>(
    `/v1/streams/${lines[0]!.id}/submissions`,
  );
  expect(submissions).toEqual([{ id, url: `/v1/submissions/${id}`, first_row: 1, rows: 21 }]);
});
