import { afterAll, beforeAll, expect, it } from 'vitest';
import { GatewayClient, until } from '#scripts/demo/client.ts';
import { final, panelFile, startTestFleet, type TestFleet, uniquePrefix } from '#test/support/fleet.ts';

const supplier = 'Interrupted Imports Pty Ltd';
const rows = 5_000;
const files = 4;

let test: TestFleet;
let key: string;

beforeAll(async () => {
  test = await startTestFleet();
  const account = await test.operator.post<{ id: string }>('/v1/accounts', {
    name: supplier,
    kind: 'supplier',
  });
  key = (await test.operator.post<{ key: string }>(`/v1/accounts/${account.id}/keys`, { label: 'test' })).key;
});
afterAll(() => test?.stop());

interface Line {
  readonly event: string;
  readonly code?: string;
  readonly id: string;
  readonly rows: number;
  readonly repeated: boolean;
  readonly committed_row: number;
}

const gateway = () => test.fleet.services.find(({ service }) => service === 'gateway')!;
const url = () => gateway().addresses.http!;

/** The lines of a marking as they come, until the answer ends, or breaks off. */
async function* marking(body: object): AsyncGenerator<Line> {
  const response = await fetch(`${url()}/v1/serials/invalidations`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'idempotency-key': 'interrupted',
    },
    body: JSON.stringify(body),
  });
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body!) {
    text += decoder.decode(piece, { stream: true });
    const lines = text.split('\n');
    text = lines.pop()!;
    yield* lines.map((line) => JSON.parse(line) as Line);
  }
  // A refusal is one document without a line end.
  if (text !== '') yield { event: 'refused', ...(JSON.parse(text) as object) } as Line;
}

async function linesOf(answer: AsyncIterable<Line>): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for await (const line of answer) lines.push(line);
  return lines;
}

it('SIGKILL of the gateway while it marks 20,000 serials: repeated, the rest is marked, and nothing twice', async () => {
  const prefix = uniquePrefix();
  for (let i = 0; i < files; i++) {
    const client = new GatewayClient(url(), key);
    const csv = panelFile(supplier, test.models, { rows, prefix, first: i * rows });
    const { id } = await client.upload<{ id: string }>('/v1/submissions', csv);
    await final(client, id);
  }
  const search = { serial_prefix: prefix, state: 'registered' };
  const body = { product: 'panel', reason: 'serial_wrong', search, count: files * rows };

  // Killed as soon as it has told of the first submission: of the next nobody knows how far it came.
  const broken = async () => {
    for await (const { event } of marking(body))
      if (event === 'submission') gateway().process.kill('SIGKILL');
  };
  await broken().catch(() => undefined);
  expect((await gateway().process.exited).signal).toBe('SIGKILL');
  await test.fleet.startService('gateway');

  // What was committed may be on its way to the ledger still; then the marking says so, and is repeated.
  const lines = await until(
    'the rest of the marking',
    () => linesOf(marking(body)),
    (all) => all.at(-1)?.event === 'complete',
    60_000,
  );
  const submissions = lines.filter(({ event }) => event === 'submission');
  expect(submissions.map((line) => line.rows)).toEqual(new Array(files).fill(rows));
  expect(submissions[0]!.repeated).toBe(true);
  expect(lines.at(-1)).toMatchObject({ rows: files * rows, submissions: files, committed_row: files * rows });

  const client = new GatewayClient(url(), key);
  for (const { id } of submissions)
    expect(await final(client, id)).toMatchObject({
      received: rows,
      outcomes: { invalidated: rows },
      imbalance: 0,
    });
  const counted = async (state: string) =>
    (
      await client.get<{ count: number }>(
        `/v1/serials?product=panel&serial_prefix=${prefix}&state=${state}&count=true&limit=1`,
      )
    ).count;
  expect([await counted('registered'), await counted('invalid')]).toEqual([0, files * rows]);
  const history = await client.get<{ submissions: { id: string }[] }>('/v1/submissions?action=invalidate');
  expect(history.submissions.map(({ id }) => id).sort()).toEqual(submissions.map(({ id }) => id).sort());
});
