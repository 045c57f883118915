import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import Type from 'typebox';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { accountOf } from '#test/support/accounts.ts';
import { type Endpoint, guarded } from './operation.ts';
import { createServer, type LoadLimits } from './server.ts';

let server: FastifyInstance | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await server?.close();
  server = undefined;
});

const bytesMax = 4 * 1024 * 1024;

/** What comes in is counted; the file as it came, JSON as it was meant. */
function endpoints(): readonly Endpoint[] {
  const shared = {
    method: 'POST',
    tag: 'test',
    summary: '',
    access: ['supplier'],
    answers: { 200: { description: '' } },
    refusals: [],
  } as const;
  return [
    guarded(
      { ...shared, id: 'file', path: '/file', body: { kind: 'file', mediaTypes: ['text/csv'], bytesMax } },
      async ({ request }) => ({ status: 200, body: { bytes: (request.body as Buffer).length } }),
    ),
    guarded(
      {
        ...shared,
        id: 'json',
        path: '/json',
        body: { kind: 'json', bytesMax, schema: Type.Object({ text: Type.String() }) },
      },
      async ({ body }) => ({ status: 200, body: { bytes: body.text.length } }),
    ),
  ];
}

async function start(load: Partial<LoadLimits> = {}): Promise<string> {
  const accounts = ['a', 'b'].map((id) => accountOf(id, 'supplier'));
  server = await createServer({
    endpoints: endpoints(),
    log: pino({ level: 'silent' }),
    ready: () => true,
    identify: (key) => {
      const account = accounts.find(({ id }) => id === key);
      return account && { account, key };
    },
    load,
  });
  return server.listen({ host: '127.0.0.1', port: 0 });
}

const post = (url: string, body: string | Buffer, headers: Record<string, string> = {}, key = 'a') =>
  fetch(url, {
    method: 'POST',
    body: body as string,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv', ...headers },
  });

/** A connection by hand, with the head of a request sent. */
async function half(
  path: string,
  headers: readonly string[],
): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { port } = server!.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: x',
    'authorization: Bearer a',
    'content-type: text/csv',
    ...headers,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const answer = (async () => {
    let text = '';
    for await (const bytes of socket) {
      text += bytes;
      if (/\r\n\r\n.*\}/s.test(text)) break;
    }
    return text;
  })();
  answer.catch(() => undefined);
  return { socket, answer };
}

describe('a compressed body', () => {
  const gzip = { 'content-encoding': 'gzip' };

  it('is taken as what it was before', async () => {
    const url = await start();
    const text = 'a'.repeat(100_000);
    const file = await post(`${url}/file`, gzipSync(text), gzip);
    expect(await file.json()).toEqual({ bytes: text.length });
    const json = await post(`${url}/json`, gzipSync(JSON.stringify({ text })), {
      ...gzip,
      'content-type': 'application/json',
    });
    expect(await json.json()).toEqual({ bytes: text.length });
  });

  it.each([
    ['one that grows too far', gzipSync(Buffer.alloc(3 * 1024 * 1024)), gzip, 413, 'inflates_too_far'],
    ['one that is too large unpacked', gzipSync(noise(5 * 1024 * 1024)), gzip, 413, 'body_too_large'],
    ['one that ends early', gzipSync('abc').subarray(0, -3), gzip, 422, 'gzip_broken'],
    ['one that is none', Buffer.from('abc'), gzip, 422, 'gzip_broken'],
    ['another compression', Buffer.from('abc'), { 'content-encoding': 'br' }, 415, 'encoding_unsupported'],
  ])('is refused: %s', async (_, body, headers, status, code) => {
    const answer = await post(`${await start()}/file`, body, headers);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
  });

  it('a limit is called by its name', async () => {
    const answer = await post(`${await start()}/file`, Buffer.alloc(bytesMax + 1));
    expect([answer.status, await answer.json()]).toMatchObject([
      413,
      { limit: bytesMax, limit_name: 'operations.file.body_bytes' },
    ]);
  });

  /** Half of it can be left out when it is compressed, and no more. */
  function noise(bytes: number): Buffer {
    let state = 1;
    return Buffer.from(
      Array.from({ length: bytes }, () => {
        state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
        return 65 + ((state >> 16) & 15);
      }),
    );
  }
});

describe('a body that does not come', () => {
  it('is not waited for when it trickles', async () => {
    await start({ bodyWindowMs: 100, bodyWindowBytes: 50 });
    const { socket, answer } = await half('/file', ['content-length: 1000']);
    const trickle = setInterval(() => socket.write('a'), 10);
    expect(await answer).toMatch(/^HTTP\/1\.1 408 .*body_too_slow/s);
    clearInterval(trickle);
    socket.destroy();
  });

  it('is not waited for longer than a body may take, however much has come', async () => {
    await start({ bodyMs: 300, bodyWindowMs: 20, bodyWindowBytes: 1 });
    const { socket, answer } = await half('/file', ['content-length: 1000000']);
    const steady = setInterval(() => socket.write('a'.repeat(500)), 5);
    expect(await answer).toMatch(/^HTTP\/1\.1 408 .*body_too_slow/s);
    clearInterval(steady);
    socket.destroy();
  });

  it('gives its place back when the connection breaks', async () => {
    const url = await start({ uploadsMax: 1 });
    const { socket } = await half('/file', ['content-length: 1000']);
    socket.write('half');
    await taken(url);
    socket.destroy();
    for (;;) {
      const answer = await post(`${url}/file`, 'abc');
      if (answer.status === 200) break;
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('2');
    }
  });

  /** Resolves once there is no place for another. */
  async function taken(url: string): Promise<void> {
    while ((await post(`${url}/file`, 'abc', {}, 'b')).status !== 503);
  }
});

describe('an answer that comes before the body has', () => {
  it('is read by whoever is still sending', async () => {
    await start();
    for (const [path, expected] of [
      ['/nowhere', /^HTTP\/1\.1 404 .*resource_not_found/s],
      ['/file', /^HTTP\/1\.1 413 .*body_too_large/s],
    ] as const) {
      const { socket, answer } = await half(path, ['content-length: 5000000']);
      for (let i = 0; i < 50; i++) socket.write(Buffer.alloc(100_000, 65));
      const text = await answer;
      expect(text).toMatch(expected);
      expect(text).not.toContain('connection: close');
      socket.destroy();
    }
  });

  it('is kept for whoever reads only when all is sent, however long that takes; whoever stops is let go', async () => {
    await start({ bodyWindowMs: 1_000, bodyWindowBytes: 10 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const connected = once(server!.server, 'connection') as Promise<[Socket]>;
    const { port } = server!.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    const head = ['POST /file HTTP/1.1', 'host: x', 'authorization: Bearer a', 'content-length: 5000000'];
    socket.write(`${head.join('\r\n')}\r\ncontent-type: text/csv\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    const [served] = await connected;
    for (let second = 0; second < 30; second++) {
      const before = served.bytesRead;
      socket.write('a'.repeat(100));
      while (served.bytesRead < before + 100) await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(1_000);
      expect([second, served.destroyed]).toEqual([second, false]);
    }
    vi.advanceTimersByTime(1_000);
    expect(served.destroyed).toBe(true);
    socket.destroy();
  });
});

describe('the requests of an account', () => {
  it('are counted together, whatever they ask, and those of others apart', async () => {
    const url = await start({ requestsPerMinute: 3 });
    const json = { 'content-type': 'application/json' };
    const statuses = [];
    for (const [path, body, headers] of [
      ['file', 'a', {}],
      ['json', '{"text":"a"}', json],
      ['json', '{}', json],
      ['file', 'a', {}],
    ] as const)
      statuses.push((await post(`${url}/${path}`, body, headers)).status);
    expect(statuses).toEqual([200, 200, 400, 429]);
    const limited = await post(`${url}/file`, 'a');
    expect(await limited.json()).toMatchObject({
      code: 'rate_limited',
      limit: 3,
      limit_name: 'accounts.requests_per_minute',
    });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await post(`${url}/file`, 'a', {}, 'b')).status).toBe(200);
  });

  it('are refused in the words of the catalogue when the process ends', async () => {
    const url = await start();
    const { socket, answer } = await half('/file', ['content-length: 3']);
    await new Promise((resolve) => setImmediate(resolve));
    const closing = server!.close();
    socket.write('abc');
    const text = await answer;
    expect(text).toMatch(/^HTTP\/1\.1 (200|503)/);
    if (text.startsWith('HTTP/1.1 503')) expect(text).toContain('retry-after');
    socket.destroy();
    await closing;
    server = undefined;
    await expect(post(`${url}/file`, 'a')).rejects.toThrow();
  });
});
