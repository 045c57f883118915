import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { partRowsMax } from '#gateway/streams/parts.ts';
import { until } from '#scripts/demo/client.ts';
import type { Member } from '#test/support/cast.ts';
import type { DescribedApi } from '#test/support/described-api.ts';
import { startTestGateway, type TestGateway } from '#test/support/gateway.ts';
import { StreamClient, stream } from '#test/support/stream-client.ts';

const supplier = 'Acme Imports Pty Ltd';
const headings = 'Supplier name,Licensee/Certificate holder,Model number,Serial number\n';
const rowsPerMinute = 30_000;

let gateway: TestGateway;
let api: DescribedApi;
/** Who has nothing to do with any of it. */
let bystander: Member;
const opened: ClientRequest[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({
    ROWS_PER_MINUTE: String(rowsPerMinute),
    STREAMS_MAX: '3',
    STREAMS_PER_ACCOUNT_MAX: '2',
    STREAM_IDLE_SECONDS: '600',
    UPLOADS_PER_ACCOUNT_MAX: '200',
  });
  api = gateway.api;
  bystander = await uploader('Bystander');
});
afterEach(() => {
  for (const sending of opened.splice(0)) sending.destroy();
});
afterAll(() => gateway?.stop());

async function uploader(name: string): Promise<Member> {
  const member = await gateway.casting.made(name, 'supplier', [supplier]);
  await api.call('declareForApi', { key: member.key, body: api.example('declareForApi') });
  return member;
}

let serials = 0;
const csv = (rows: number) =>
  headings +
  Array.from(
    { length: rows },
    () => `${supplier},Holder,Model,HC${String(++serials).padStart(9, '0')}\n`,
  ).join('');

function upload({ key }: Member, body: string, headers: Record<string, string> = {}) {
  return api.call('createSubmission', {
    key,
    query: { declaration: 'file-upload-1' },
    headers: { 'content-type': 'text/csv', ...headers },
    body,
  });
}

/** An upload of which only the beginning comes. */
function begin({ key }: Member, bytes: number, headers: Record<string, string> = {}): ClientRequest {
  const sending = request(`${api.url}/v1/submissions?declaration=file-upload-1`, {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'text/csv',
      'content-length': bytes,
      ...headers,
    },
  });
  sending.on('error', () => undefined);
  opened.push(sending);
  return sending;
}

async function answerOf(
  sending: ClientRequest,
): Promise<{ status: number; retryAfter?: string; body: Record<string, unknown> }> {
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += chunk;
  const retryAfter = response.headers['retry-after'];
  return { status: response.statusCode!, body: JSON.parse(text), ...(retryAfter ? { retryAfter } : {}) };
}

/** What everybody else may expect meanwhile. */
async function bystanderIsServed(): Promise<void> {
  expect((await upload(bystander, csv(10))).status).toBe(202);
  const answer = await api.call('lookUpSerials', {
    key: bystander.key,
    body: { product: 'panel', serials: ['HC000000001'] },
  });
  expect(answer.status).toBe(200);
}

describe('others are served while one account', () => {
  it('sends 200 uploads at once, and all of those are taken', async () => {
    const busy = await uploader('Busy');
    const uploads = Array.from({ length: 200 }, () => upload(busy, csv(20)));
    await bystanderIsServed();
    const statuses = (await Promise.all(uploads)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([202]));
  });

  it('holds 200 uploads open that trickle; they are ended, and told why (must survive 11)', async () => {
    const slow = await uploader('Slow');
    const sendings: ClientRequest[] = [];
    const holdOneMore = () => {
      const sending = begin(slow, 100_000);
      sending.write('A');
      sendings.push(sending);
    };
    for (let i = 0; i < 200; i++) holdOneMore();
    const trickle = setInterval(() => {
      for (const sending of sendings) if (!sending.destroyed) sending.write('A');
    }, 200);
    const full = await until(
      'all its places to be taken',
      () => {
        // The upload before may have had the place of the last of them, which was then refused.
        holdOneMore();
        return upload(slow, csv(1));
      },
      ({ status }) => status === 429,
      10_000,
    );
    expect(full.body).toMatchObject({ code: 'uploads_too_many', limit: 200 });
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
    await bystanderIsServed();
    const { status, body } = await answerOf(sendings[0]!);
    clearInterval(trickle);
    expect([status, body.code]).toEqual([408, 'body_too_slow']);
    await until(
      'its places to be free',
      () => upload(slow, csv(1)),
      (answer) => answer.status === 202,
      20_000,
    );
  });

  it('breaks uploads off in their middle: nothing of them is stored, and their key is free (must survive 11)', async () => {
    const breaking = await uploader('Breaking');
    const file = csv(50);
    const key = randomUUID();
    for (let i = 0; i < 200; i++) {
      const sending = begin(breaking, file.length, { 'idempotency-key': key });
      sending.write(file.slice(0, file.length / 2), () => sending.destroy());
    }
    await bystanderIsServed();
    const other = await upload(breaking, csv(3), { 'idempotency-key': key });
    expect([other.status, other.body.received]).toEqual([202, 3]);
  });

  it('sends compressed bodies that grow a thousandfold', async () => {
    const bomber = await uploader('Bomber');
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'A,'));
    const headers = { 'content-encoding': 'gzip' };
    const bombs = Array.from({ length: 5 }, () => {
      const sending = begin(bomber, bomb.length, headers);
      sending.end(bomb);
      return answerOf(sending);
    });
    await bystanderIsServed();
    for (const { status, body } of await Promise.all(bombs)) {
      expect(status).toBe(413);
      expect(['inflates_too_far', 'body_too_large']).toContain(body.code);
    }
    const { last } = await stream(api.url, { key: bomber.key, idempotencyKey: randomUUID(), headers }, bomb);
    expect(last).toMatchObject({ event: 'refused', code: 'record_too_long', committed_row: 0 });
    await bystanderIsServed();
  });

  it('holds streams open: it has places of its own, and there are so many for all', async () => {
    const [one, two] = [await uploader('Streamer 1'), await uploader('Streamer 2')];
    const open = (member: Member) =>
      new StreamClient(api.url, { key: member.key, idempotencyKey: randomUUID() });
    const taken = [open(one), open(one), open(two)];
    for (const client of taken) expect(await client.status).toBe(200);
    const [own, all] = [open(one), open(two)];
    expect([await own.status, await all.status]).toEqual([429, 503]);
    await own.result().catch(() => undefined);
    expect(own.problem).toMatchObject({ code: 'uploads_too_many', limit: 2 });
    await bystanderIsServed();
    for (const client of [...taken, own, all]) client.break();
    await until(
      'a place to be free',
      () => open(two).status,
      (status) => status === 200,
      10_000,
    );
  });
});

describe('rows by the minute', () => {
  it('an upload is told when to come again, a stream is slowed down; others are not concerned', async () => {
    const eager = await uploader('Eager');
    for (let i = 0; i < rowsPerMinute / 5_000; i++)
      expect((await upload(eager, csv(5_000))).status).toBe(202);
    const limited = await upload(eager, csv(5_000));
    expect(limited.body).toMatchObject({
      status: 429,
      code: 'rows_limited',
      limit: rowsPerMinute,
      limit_name: 'accounts.rows_per_minute',
    });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    const rows = partRowsMax + 1;
    const streaming = stream(api.url, { key: eager.key, idempotencyKey: randomUUID() }, csv(rows));
    await bystanderIsServed();
    expect((await streaming).last).toMatchObject({ event: 'complete', committed_row: rows });
  });

  it('what was accepted before is told again, whatever has been sent since', async () => {
    const repeating = await uploader('Repeating');
    const key = { 'idempotency-key': randomUUID() };
    const file = csv(5_000);
    const first = await upload(repeating, file, key);
    for (let i = 1; i < rowsPerMinute / 5_000; i++) await upload(repeating, csv(5_000));
    expect((await upload(repeating, csv(5_000))).status).toBe(429);
    const again = await upload(repeating, file, key);
    expect([again.status, again.body]).toEqual([202, first.body]);
  });
});

it('when the gateway ends, a stream is told how far it came and goes on later', async () => {
  const member = await uploader('Patient');
  const idempotencyKey = randomUUID();
  const client = new StreamClient(api.url, { key: member.key, idempotencyKey });
  const file = csv(partRowsMax + 100);
  await client.write(file);
  await client.line(({ event }) => event === 'submission');
  const service = gateway.fleet.services.find(({ service }) => service === 'gateway')!;
  const stopped = service.process.stop(15_000);
  expect(await client.result()).toMatchObject({
    event: 'refused',
    code: 'temporarily_unavailable',
    committed_row: partRowsMax,
  });
  client.break();
  await stopped;
  const { addresses } = await gateway.fleet.startService('gateway');
  const { last } = await stream(addresses.http!, { key: member.key, idempotencyKey }, file);
  expect(last).toMatchObject({ event: 'complete', repeated: 1, committed_row: partRowsMax + 100 });
});
