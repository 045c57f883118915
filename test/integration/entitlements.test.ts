import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { parseString } from 'fast-csv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '#scripts/engines/local.ts';
import { type Entitlement, outputColumns, resultCells } from '#shared/domain/entitlement/index.ts';
import { startTestFleet, type TestFleet } from '#test/support/fleet.ts';

const requestsPerMinute = 4;
const golden = path.join(root, 'test', 'entitlement', 'golden.csv');

let test_: TestFleet;
let url = '';

beforeAll(async () => {
  const none = { 'cec-validation': 0, dedup: 0, 'ledger-writer': 0, certificate: 0 };
  const settings = { ENTITLEMENTS_PER_MINUTE: String(requestsPerMinute) };
  test_ = await startTestFleet({ instances: none, settings });
  url = test_.fleet.gatewayUrl;
});
afterAll(() => test_?.stop());

interface Answer {
  readonly results: readonly Entitlement[];
  readonly code?: string;
}

/** Without a key: the calculator is for everybody. */
function post(body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/v1/entitlements`, { method: 'POST', headers, body: JSON.stringify(body) });
}

type Row = Readonly<Record<string, string>>;

async function rowsOf(csv: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const reader = parseString<Row, Row>(csv, { headers: true });
  reader.on('data', (row: Row) => rows.push(row));
  await finished(reader, { writable: false });
  return rows;
}

async function commandLine(file: string): Promise<readonly Row[]> {
  const script = path.join(root, 'scripts', 'entitlements.ts');
  const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'ignore'] });
  return rowsOf((await buffer(child.stdout)).toString('utf8'));
}

// In one test, because all requests of this address count together.
test('the calculator of a running gateway: limits, example, the results of the command line, and an end to it', async () => {
  const limits = (await (await fetch(`${url}/v1/limits`)).json()) as { entitlements: object };
  expect(limits.entitlements).toEqual({ calculations: 1000, requests_per_minute: requestsPerMinute });

  const description = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, { post: { requestBody: { content: Record<string, { example: unknown }> } } }>;
  };
  const { example } = description.paths['/v1/entitlements']!.post.requestBody.content['application/json']!;
  const first = await post(example);
  expect(first.status).toBe(200);
  expect(((await first.json()) as Answer).results).toMatchObject([{ outcome: 'eligible', stcs: 45 }]);

  const examples = await rowsOf(readFileSync(golden, 'utf8'));
  const calculations = examples.map(({ expected_stcs, source, ...calculation }) => calculation);
  const answer = (await (await post({ calculations })).json()) as Answer;
  const cells = answer.results.map(resultCells);
  const rows = await commandLine(golden);
  expect(rows.length).toBe(examples.length);
  expect(cells).toEqual(rows.map((row) => outputColumns.map((name) => row[name])));
  expect(answer.results.map(({ stcs }) => String(stcs))).toEqual(
    examples.map(({ expected_stcs }) => expected_stcs),
  );

  const many = Array.from({ length: 1000 }, (_, at) => ({ ...calculations[at % calculations.length] }));
  const thousand = (await (await post({ calculations: many })).json()) as Answer;
  expect(thousand.results.length).toBe(1000);
  expect((await post({ calculations: [...many, {}] })).status).toBe(400);

  const beyond = await post(example);
  expect(beyond.status).toBe(429);
  expect(beyond.headers.get('content-type')).toContain('application/problem+json');
  expect(Number(beyond.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(((await beyond.json()) as Answer).code).toBe('rate_limited');
  // The limit is the calculator's alone.
  expect((await fetch(`${url}/v1/limits`)).status).toBe(200);
});
