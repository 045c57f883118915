import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partRowsMax } from '#gateway/streams/parts.ts';
import { until } from '#scripts/demo/client.ts';
import type { Member } from '#test/support/cast.ts';
import type { DescribedApi } from '#test/support/described-api.ts';
import { startTestGateway, type TestGateway } from '#test/support/gateway.ts';
import { type Line, StreamClient, stream } from '#test/support/stream-client.ts';

const supplier = 'Acme Imports Pty Ltd';
const headings = 'Supplier name,Licensee/Certificate holder,Model number,Serial number\n';

let gateway: TestGateway;
let api: DescribedApi;
let importer: Member;

beforeAll(async () => {
  gateway = await startTestGateway({ STREAM_IDLE_SECONDS: '2' });
  api = gateway.api;
  importer = await gateway.casting.made('Importer', 'supplier', [supplier]);
  await api.call('declareForApi', { key: importer.key, body: api.example('declareForApi') });
});
afterAll(() => gateway?.stop());

const rowsOf = (rows: number, first = 1) =>
  Array.from(
    { length: rows },
    (_, i) => `${supplier},Holder,Model,ST${String(first + i).padStart(9, '0')}\n`,
  ).join('');
const csv = (rows: number, first = 1) => headings + rowsOf(rows, first);
const open = (
  more: { idempotencyKey?: string; headers?: Record<string, string>; query?: Record<string, string> } = {},
) => new StreamClient(api.url, { key: importer.key, idempotencyKey: randomUUID(), ...more });
const send = (body: string | Buffer, more: Parameters<typeof open>[0] = {}) =>
  stream(api.url, { key: importer.key, idempotencyKey: randomUUID(), ...more }, body);
const submissions = (lines: readonly Line[]) => lines.filter(({ event }) => event === 'submission');
const idOf = (lines: readonly Line[]) => lines[0]!.id;
const stateOf = async (id: string, key = importer.key) =>
  (await api.call('getStream', { key, params: { stream: id } })).body;

describe('a stream that goes well', () => {
  it('is told as it is committed, in submissions of at most 5,000 rows', async () => {
    const client = open();
    await client.write(csv(2 * partRowsMax + 1));
    // The second is complete when the first row behind it has come; the client still sends.
    const second = await client.line((line) => line.last_row === 2 * partRowsMax);
    expect(second).toMatchObject({
      event: 'submission',
      rows: partRowsMax,
      first_row: partRowsMax + 1,
      first_line: partRowsMax + 2,
      last_line: 2 * partRowsMax + 1,
      committed_row: 2 * partRowsMax,
      repeated: false,
      findings: {},
    });
    expect(await stateOf(idOf(client.lines))).toMatchObject({
      state: 'open',
      product: 'panel',
      committed_row: 2 * partRowsMax,
    });
    await client.write(`${supplier},Holder,,X1\n`);
    client.end();
    expect(await client.result()).toMatchObject({
      event: 'complete',
      message: 'File upload successful',
      rows: 2 * partRowsMax + 2,
      submissions: 3,
      committed_row: 2 * partRowsMax + 2,
      findings: { cell_empty: 1 },
    });
    expect(await stateOf(idOf(client.lines))).toMatchObject({ state: 'closed' });
  });

  it.each([1, 3, 200])('compressed, in %i members', async (members) => {
    const body = csv(partRowsMax + 10);
    const size = Math.ceil(body.length / members);
    const parts = Array.from({ length: members }, (_, i) => gzipSync(body.slice(i * size, (i + 1) * size)));
    const { last } = await send(Buffer.concat([...parts, Buffer.alloc(17)]), {
      headers: { 'content-encoding': 'gzip' },
    });
    expect(last).toMatchObject({ event: 'complete', rows: partRowsMax + 10 });
  });

  it('of JSON lines, faulty lines among them; what was sent is kept', async () => {
    const example = api.operation('createStream').body!['application/x-ndjson']!.example as string;
    const body = `${example}{"x":1}\nno JSON\n`;
    const { lines, last } = await send(body, { headers: { 'content-type': 'application/x-ndjson' } });
    expect(last).toMatchObject({
      event: 'complete',
      rows: 3,
      findings: { member_unknown: 1, line_not_json: 1 },
    });
    const { id } = submissions(lines)[0]!;
    const status = await api.call('getSubmission', { key: importer.key, params: { submission: id } });
    expect(status.body).toMatchObject({ id, received: 3, product: 'panel' });
  });

  it('is of the account and the regulator', async () => {
    const { lines } = await send(csv(3));
    const stranger = await gateway.casting.made('Stranger', 'supplier', [supplier]);
    const regulator = await gateway.casting.made('Regulator', 'regulator');
    const of = { params: { stream: idOf(lines) } };
    for (const operation of ['getStream', 'listStreamSubmissions'])
      expect((await api.call(operation, { key: stranger.key, ...of })).body.code).toBe('resource_not_found');
    expect(await stateOf(idOf(lines), regulator.key)).toMatchObject({ committed_row: 3 });
  });
});

describe('a stream that ends early', () => {
  const rows = partRowsMax + 100;
  const broken = (at: number) => {
    const bytes = gzipSync(csv(3 * partRowsMax));
    bytes.fill(0xff, at, at + 40);
    return bytes;
  };

  it.each([
    ['headings', () => Buffer.from(csv(rows).replace('Model number', 'Modell')), 'headings_missing', 0],
    ['no headings', () => Buffer.from(rowsOf(rows)), 'headings_missing', 0],
    [
      'quotation marks',
      () => Buffer.from(`${csv(rows)}"x" y,,,\n${rowsOf(9)}`),
      'quotes_broken',
      partRowsMax,
    ],
    [
      'an endless row',
      () => Buffer.from(`${csv(rows)}${'x'.repeat(40_000)}\n`),
      'record_too_long',
      partRowsMax,
    ],
    [
      'bytes',
      () => Buffer.concat([Buffer.from(csv(2 * rows)), Buffer.from([0xff, 0xfe]), Buffer.from(rowsOf(9))]),
      'file_encoding_unknown',
      2 * partRowsMax,
    ],
    ['a workbook', () => Buffer.from('504b030414000600080000002100', 'hex'), 'file_not_csv', 0],
    ['gzip that nobody announced', () => gzipSync(csv(rows)), 'file_not_csv', 0],
    ['no rows', () => Buffer.from(headings), 'file_empty', 0],
    ['nothing', () => Buffer.alloc(0), 'file_empty', 0],
    [
      'damaged rows',
      () => Buffer.from(`${csv(partRowsMax)}${`${supplier},Holder,Model,1.2E+10\n`.repeat(partRowsMax)}`),
      'file_damaged',
      partRowsMax,
    ],
  ])('says what is wrong, and keeps what was committed: %s', async (_, body, code, committed) => {
    const { lines, last } = await send(body());
    expect(last).toMatchObject({ event: 'refused', code, committed_row: committed });
    expect(last.hint).toBeTypeOf('string');
    expect(submissions(lines).at(-1)?.committed_row ?? 0).toBe(committed);
    if (committed > 0) {
      expect(last.row).toBe(committed + (code === 'file_damaged' ? 1 : committed > partRowsMax ? 201 : 101));
      expect(await stateOf(idOf(lines))).toMatchObject({ committed_row: committed });
    }
  });

  it.each([
    ['in its middle', () => broken(20_000)],
    ['at its end', () => gzipSync(csv(3 * partRowsMax)).subarray(0, -4)],
    ['behind its end', () => Buffer.concat([gzipSync(csv(3)), Buffer.from('rows that nobody would see')])],
    ['behind its padding', () => Buffer.concat([gzipSync(csv(3)), Buffer.alloc(30), gzipSync(rowsOf(3))])],
  ])('broken gzip: %s', async (_, body) => {
    const { last } = await send(body(), { headers: { 'content-encoding': 'gzip' } });
    expect(last).toMatchObject({ event: 'refused', code: 'gzip_broken', position: expect.any(Number) });
    expect((last.committed_row as number) % partRowsMax).toBe(0);
  });

  it('a client that has stopped sending is told so, and its place is free', async () => {
    const client = open();
    await client.write(csv(partRowsMax + 10));
    expect(await client.result()).toMatchObject({
      event: 'refused',
      code: 'body_too_slow',
      committed_row: partRowsMax,
    });
    expect(await stateOf(idOf(client.lines))).toMatchObject({ state: 'closed' });
  });

  it('a client whose connection breaks has committed what was complete, and nothing of the rest', async () => {
    const idempotencyKey = randomUUID();
    const client = open({ idempotencyKey });
    await client.write(csv(partRowsMax + 4_000));
    const first = await client.line(({ event }) => event === 'submission');
    client.break();
    const id = idOf(client.lines);
    await until(
      'the end of the stream',
      () => stateOf(id),
      ({ state }) => state === 'closed',
      10_000,
    );
    expect(await stateOf(id)).toMatchObject({ committed_row: first!.committed_row });
  });
});

describe('a stream that goes on', () => {
  /** A stream whose client died after `rows` rows of `csv(30_000)`. */
  async function interrupted(rows: number): Promise<{ idempotencyKey: string; committed: readonly Line[] }> {
    const idempotencyKey = randomUUID();
    const client = open({ idempotencyKey });
    await client.write(csv(rows));
    await client.line((line) => line.last_row === Math.floor(rows / partRowsMax) * partRowsMax);
    client.break();
    return { idempotencyKey, committed: submissions(client.lines) };
  }
  const whole = 6 * partRowsMax;

  it('sent from its beginning: what was committed is told again', async () => {
    const { idempotencyKey, committed } = await interrupted(3 * partRowsMax + 1_000);
    const { lines, last } = await send(csv(whole), { idempotencyKey });
    expect(last).toMatchObject({
      event: 'complete',
      rows: whole,
      repeated: 3,
      submissions: 6,
      committed_row: whole,
    });
    expect(
      submissions(lines)
        .slice(0, 3)
        .map(({ id }) => id),
    ).toEqual(committed.map(({ id }) => id));
    const again = await send(csv(whole), { idempotencyKey });
    expect(again.last).toMatchObject({ event: 'complete', repeated: 6 });
    expect(submissions(again.lines).map(({ id }) => id)).toEqual(submissions(lines).map(({ id }) => id));
  });

  it('sent from the row after the last that is committed', async () => {
    const { idempotencyKey } = await interrupted(2 * partRowsMax + 1_000);
    const from = 2 * partRowsMax + 1;
    const { lines, last } = await send(csv(whole - from + 1, from), {
      idempotencyKey,
      query: { from_row: String(from) },
    });
    expect(lines[0]).toMatchObject({ from_row: from, committed_row: from - 1 });
    expect(last).toMatchObject({
      event: 'complete',
      repeated: 0,
      rows: whole - from + 1,
      committed_row: whole,
    });
    // The same submissions as if it had been sent in one piece.
    const all = await send(csv(whole), { idempotencyKey });
    expect(all.last).toMatchObject({ event: 'complete', repeated: 6 });
  });

  it.each([
    ['behind a gap', 2 * partRowsMax + 2],
    ['in the middle of a submission', 7],
  ])('is not taken %s', async (_, from) => {
    const { idempotencyKey } = await interrupted(2 * partRowsMax + 1);
    const client = open({ idempotencyKey, query: { from_row: String(from) } });
    client.end(csv(10));
    expect(await client.status).toBe(409);
    await client.result().catch(() => undefined);
    expect(client.problem).toMatchObject({ code: 'stream_position', committed_row: 2 * partRowsMax });
  });

  it('is not taken with other rows, or for another product', async () => {
    const { idempotencyKey } = await interrupted(2 * partRowsMax + 1);
    const { last } = await send(csv(whole, 2), { idempotencyKey });
    expect(last).toMatchObject({ event: 'refused', code: 'idempotency_key_reused', row: 1 });
    const other = open({ idempotencyKey, query: { product: 'inverter' } });
    other.end(csv(1));
    await other.result().catch(() => undefined);
    expect(other.problem).toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('takes over from a connection that is still open', async () => {
    const idempotencyKey = randomUUID();
    const first = open({ idempotencyKey });
    await first.write(csv(partRowsMax + 1));
    await first.line(({ event }) => event === 'submission');
    const { last } = await send(csv(whole), { idempotencyKey });
    expect(last).toMatchObject({ event: 'complete', rows: whole });
    expect(await first.result()).toMatchObject({ event: 'refused', code: 'stream_taken_over' });
  });

  it('its key is taken: neither a file nor another stream is sent with it, nor it with theirs', async () => {
    const idempotencyKey = randomUUID();
    await send(csv(3), { idempotencyKey });
    const upload = (key: string) =>
      api.call('createSubmission', {
        key: importer.key,
        query: { declaration: 'file-upload-1' },
        headers: { 'content-type': 'text/csv', 'idempotency-key': key },
        body: csv(4),
      });
    expect((await upload(idempotencyKey)).body).toMatchObject({ code: 'idempotency_key_reused' });
    const other = randomUUID();
    expect((await upload(other)).status).toBe(202);
    const client = open({ idempotencyKey: other });
    client.end(csv(3));
    await client.result().catch(() => undefined);
    expect(client.problem).toMatchObject({ code: 'idempotency_key_reused' });
  });
});

describe('who may', () => {
  it('nobody without a declaration for API users', async () => {
    const undeclared = await gateway.casting.made('Undeclared', 'supplier', [supplier]);
    const client = new StreamClient(api.url, { key: undeclared.key, idempotencyKey: 'k' });
    client.end(csv(1));
    expect(await client.status).toBe(403);
    await client.result().catch(() => undefined);
    expect(client.problem).toMatchObject({ code: 'api_declaration_missing' });
  });

  it('nobody without an Idempotency-Key: a stream that breaks could not go on', async () => {
    const client = new StreamClient(api.url, { key: importer.key });
    client.end(csv(1));
    expect(await client.status).toBe(400);
  });

  it.each([
    ['another kind of data', { 'content-type': 'application/json' }, 'media_type_unsupported'],
    ['another encoding', { 'content-type': 'text/csv; charset=utf-16' }, 'media_type_unsupported'],
    ['another compression', { 'content-encoding': 'br' }, 'encoding_unsupported'],
  ])('not with %s', async (_, headers, code) => {
    const client = open({ headers });
    client.end(csv(1));
    await client.result().catch(() => undefined);
    expect(client.problem).toMatchObject({ status: 415, code });
  });

  it('a key that is revoked in the middle ends the stream', async () => {
    const member = await gateway.casting.made('Short', 'supplier', [supplier]);
    await api.call('declareForApi', { key: member.key, body: api.example('declareForApi') });
    const client = new StreamClient(api.url, { key: member.key, idempotencyKey: randomUUID() });
    await client.write(csv(partRowsMax + 1));
    await client.line(({ event }) => event === 'submission');
    const id = member.key.split('_')[1]!;
    await api.call('revokeKey', { key: gateway.operator, params: { account: member.account, key: id } });
    await client.write(rowsOf(2 * partRowsMax, partRowsMax + 2));
    expect(await client.result()).toMatchObject({
      event: 'refused',
      code: 'credentials_unknown',
      committed_row: partRowsMax,
    });
  });
});
