import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { final, panelFile, startTestFleet, type TestFleet, uniquePrefix } from '#test/support/fleet.ts';

const supplier = 'Killtest Imports Pty Ltd';
const files = 10;
const rows = 5_000;

let test: TestFleet;

beforeAll(async () => {
  test = await startTestFleet({ settings: { SESSION_TIMEOUT_MS: '6000' } });
});
afterAll(() => test?.stop());

describe('SIGKILL of every worker while 50,000 rows are on their way', () => {
  it('decides every row exactly once, and the conservation equation holds', async () => {
    const client = await test.account(supplier, 'supplier');
    const prefix = uniquePrefix();
    // The second half repeats serials of the first: what is registered once must be a duplicate, whatever died meanwhile.
    const csvs = Array.from({ length: files }, (_, i) =>
      panelFile(supplier, test.models, { rows, prefix, first: (i % (files / 2)) * rows }),
    );
    const uploads = csvs.map((csv) => client.upload<{ id: string }>('/v1/submissions', csv));
    await Promise.race(uploads);

    for (const service of ['dedup', 'ledger-writer', 'cec-validation'] as const) {
      const { process: running } = test.fleet.services.find((candidate) => candidate.service === service)!;
      running.kill('SIGKILL');
      expect((await running.exited).signal).toBe('SIGKILL');
      await test.fleet.startService(service);
    }

    const accepted = await Promise.all(uploads);
    const statuses = await Promise.all(accepted.map(({ id }) => final(client, id)));
    for (const { received, outcomes, imbalance } of statuses) {
      expect(received).toBe(rows);
      expect(imbalance).toBe(0);
      expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(rows);
    }
    const total = (outcome: string) =>
      statuses.reduce((sum, { outcomes }) => sum + (outcomes[outcome] ?? 0), 0);
    expect({ registered: total('registered'), duplicate: total('duplicate') }).toEqual({
      registered: (files / 2) * rows,
      duplicate: (files / 2) * rows,
    });
    expect(await ledgerOf(prefix)).toEqual({
      rows: files * rows,
      entries: (files / 2) * rows,
      serials: (files / 2) * rows,
    });
  });
});

/** What the ledger itself holds: rows, entries among them, and serials with exactly one entry. */
async function ledgerOf(prefix: string): Promise<object | undefined> {
  const clickhouse = createClickhouse({
    url: test.fleet.engines.urls.clickhouseUrl,
    database: 'ledger',
    log: pino({ level: 'silent' }),
  });
  try {
    const [counts] = await clickhouse.query<object>(
      `SELECT count() AS rows, countIf(entry > 0) AS entries, uniqExactIf(serial_key, entry = 1) AS serials
       FROM serial_rows FINAL WHERE startsWith(serial_key, {prefix:String})`,
      { prefix },
    );
    return counts;
  } finally {
    await clickhouse.close();
  }
}
