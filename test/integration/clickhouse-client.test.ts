import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Clickhouse, createClickhouse, isDataRefused } from '#shared/adapters/clickhouse/client.ts';
import { dataRefusedCodes, otherCodes, retryableCodes } from '#shared/adapters/clickhouse/errors.ts';
import { type Stores, silent, startStores, testDatabase } from '#test/support/stores.ts';

let stores: Stores;
let clickhouse: Clickhouse;

beforeAll(async () => {
  stores = await startStores('clickhouse');
  const apart = stores.clickhouse('default');
  const database = testDatabase();
  await apart.command(`CREATE DATABASE ${database}`);
  await apart.close();
  clickhouse = stores.clickhouse(database);
  await clickhouse.command('CREATE TABLE t (a UInt32, s String) ENGINE = MergeTree ORDER BY a');
}, 60_000);

afterAll(async () => {
  await clickhouse?.command(`DROP DATABASE ${clickhouse.database}`);
  await clickhouse?.close();
  await stores?.stop();
});

async function failureOf(
  call: Promise<unknown>,
): Promise<{ code: string; retryable: boolean; refused: boolean }> {
  const error = await call.then(
    () => undefined,
    (reason) => reason,
  );
  return { code: error?.code, retryable: error?.retryable, refused: isDataRefused(error) };
}

describe('values', () => {
  test('any text goes in as a parameter and comes back as it was', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => value.isWellFormed());
    await fc.assert(
      fc.asyncProperty(text, fc.array(text, { maxLength: 8 }), async (one, list) => {
        const [row] = await clickhouse.query<{ one: string; list: string[] }>(
          'SELECT {one:String} AS one, {list:Array(String)} AS list',
          { one, list },
        );
        expect(row).toEqual({ one, list });
      }),
      { numRuns: 100 },
    );
  });

  test('thousands of serials fit into one question', async () => {
    const serials = Array.from({ length: 50_000 }, (_, index) => `SERIAL-${index}-'\\`);
    const [row] = await clickhouse.query<{ n: number }>(
      'SELECT uniqExact(x) AS n FROM (SELECT arrayJoin({serials:Array(String)}) AS x)',
      { serials },
    );
    expect(row).toEqual({ n: 50_000 });
  });

  test('offsets come as numbers', async () => {
    expect(await clickhouse.query('SELECT toUInt64(9007199254740991) AS a, toInt64(-5) AS b')).toEqual([
      { a: 9007199254740991, b: -5 },
    ]);
  });

  test('rows with line breaks, and none at all', async () => {
    expect(await clickhouse.query("SELECT 'a\\nb' AS x UNION ALL SELECT 'a\\nb'")).toEqual([
      { x: 'a\nb' },
      { x: 'a\nb' },
    ]);
    expect(await clickhouse.query('SELECT 1 WHERE 0')).toEqual([]);
  });
});

describe('inserts', () => {
  test('rows are in the table when the call returns', async () => {
    await clickhouse.insertRows('t', [
      { a: 1, s: 'x' },
      { a: 2, s: 'ä\n' },
    ]);
    await clickhouse.insertRows('t', []);
    await clickhouse.insertRaw('INSERT INTO t FORMAT CSV', [Buffer.from('3,'), Buffer.from('y\n')]);
    expect(await clickhouse.query('SELECT a, s FROM t ORDER BY a')).toEqual([
      { a: 1, s: 'x' },
      { a: 2, s: 'ä\n' },
      { a: 3, s: 'y' },
    ]);
  });

  test.each([
    ['a column that does not exist', () => clickhouse.insertRows('t', [{ a: 1, misspelt: 1 }])],
    ['a value of another type', () => clickhouse.insertRows('t', [{ a: 'x' }])],
    [
      'bytes that are not Avro',
      () => clickhouse.insertRaw('INSERT INTO t FORMAT Avro', Buffer.from('Objgarbage')),
    ],
    [
      'a cut-off container',
      () => clickhouse.insertRaw('INSERT INTO t FORMAT Avro', Buffer.from('4f626a01', 'hex')),
    ],
    [
      'a sentinel',
      () =>
        clickhouse.insertRaw(
          "INSERT INTO t SELECT a, toString(throwIf(a = 9)) FROM input('a UInt32') FORMAT CSV",
          Buffer.from('9\n'),
        ),
    ],
  ])('L5: %s is data refused, and nothing of it is stored', async (_, insert) => {
    const before = await clickhouse.query('SELECT count() AS n FROM t');
    expect(await failureOf(insert())).toMatchObject({ retryable: false, refused: true });
    expect(await clickhouse.query('SELECT count() AS n FROM t')).toEqual(before);
  });

  test('a refusal is understood also when the server stops reading a large body', async () => {
    const body = Buffer.alloc(16_000_000, 'x');
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(await failureOf(clickhouse.insertRaw('INSERT INTO t FORMAT Avro', body))).toMatchObject({
        refused: true,
      });
      expect(await failureOf(clickhouse.insertRaw('INSERT INTO nowhere FORMAT CSV', body))).toMatchObject({
        code: 'clickhouse.UNKNOWN_TABLE',
      });
    }
  });

  test('an error in a view fails the insert', async () => {
    await clickhouse.command('CREATE TABLE v (a UInt8) ENGINE = MergeTree ORDER BY a');
    await clickhouse.command('CREATE TABLE src (a UInt32) ENGINE = Null');
    await clickhouse.command(
      'CREATE MATERIALIZED VIEW m TO v AS SELECT toUInt8(throwIf(a > 255)) AS a FROM src',
    );
    expect(await failureOf(clickhouse.insertRows('src', [{ a: 256 }]))).toMatchObject({ refused: true });
  });
});

describe('large answers', () => {
  test('come in blocks, all of them', async () => {
    let rows = 0;
    let sum = 0;
    for await (const block of clickhouse.queryStream<{ n: number }>(
      'SELECT number AS n FROM numbers(500000)',
    )) {
      rows += block.length;
      for (const { n } of block) sum += n;
    }
    expect([rows, sum]).toEqual([500_000, (500_000 * 499_999) / 2]);
  });

  test.each([0, 100, 3_000_000])('an error after %i rows is an error of the stream', async (at) => {
    const read = async () => {
      for await (const _ of clickhouse.queryStream(
        'SELECT throwIf(number = {at:UInt32}) FROM numbers(5000000)',
        { at },
      ));
    };
    expect(await failureOf(read())).toMatchObject({ code: 'clickhouse.FUNCTION_THROW_IF_VALUE_IS_NON_ZERO' });
  });

  test('a reader may stop half-way', async () => {
    for await (const block of clickhouse.queryStream('SELECT number FROM numbers(100000000)')) {
      expect(block.length).toBeGreaterThan(0);
      break;
    }
    await clickhouse.ping();
  });
});

describe('the world', () => {
  test('a query that takes too long ends with a retryable error', async () => {
    expect(await failureOf(clickhouse.query('SELECT sleep(3)', {}, { timeoutMs: 100 }))).toMatchObject({
      code: 'clickhouse.timeout',
      retryable: true,
    });
  });

  test('nobody listens; a wrong password', async () => {
    const absent = createClickhouse({ url: 'http://127.0.0.1:1', database: 'x', log: silent });
    expect(await failureOf(absent.ping())).toMatchObject({
      code: 'clickhouse.ECONNREFUSED',
      retryable: true,
    });
    await absent.close();
    const stranger = createClickhouse({
      url: stores.engines.urls.clickhouseUrl,
      username: 'x',
      password: 'y',
      database: 'x',
      log: silent,
    });
    expect(await failureOf(stranger.ping())).toMatchObject({
      code: 'clickhouse.AUTHENTICATION_FAILED',
      retryable: false,
    });
    await stranger.close();
  });

  test('an answer that breaks off, and one of a proxy, are retryable', async () => {
    const breaking = createTcpServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n5\r\n{"a"');
        socket.end();
      });
    });
    const proxy = createServer((_, response) => response.writeHead(503).end('no healthy upstream'));
    for (const [server, code] of [
      [breaking, 'clickhouse.ECONNRESET'],
      [proxy, 'clickhouse.HTTP_503'],
    ] as const) {
      const url = await listen(server);
      const client = createClickhouse({ url, database: 'x', log: silent });
      expect(await failureOf(client.query('SELECT 1'))).toMatchObject({ code, retryable: true });
      await client.close();
      server.close();
    }
  });

  test('the names of codes are those of the server', async () => {
    const known = [...dataRefusedCodes, ...retryableCodes, ...otherCodes];
    const [row] = await clickhouse.query<{ names: string[] }>(
      'SELECT arrayMap(x -> toString(errorCodeToName(x)), {codes:Array(UInt32)}) AS names',
      { codes: known.map(([code]) => code) },
    );
    expect(row?.names).toEqual(known.map(([, name]) => name));
  });
});

function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
}
