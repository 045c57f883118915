import { Readable } from 'node:stream';
import { ClickHouseLogLevel, type ClickHouseSettings, createClient } from '@clickhouse/client';
import type { Logger } from 'pino';
import { ClickhouseError, serverError, statusError, timeoutError, transportError } from './errors.ts';
import { formOf, type Params, type SentTable } from './params.ts';

export { ClickhouseError, isDataRefused } from './errors.ts';
export type { Param, Params, SentTable } from './params.ts';

export interface ClickhouseOptions {
  /** http://host:port, without credentials and database. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly database: string;
  readonly log: Logger;
  /** How long a call waits for its answer, from the start of the request to the last byte. */
  readonly timeoutMs?: number;
  readonly connectionsMax?: number;
}

export interface CallOptions {
  readonly settings?: ClickHouseSettings;
  readonly timeoutMs?: number;
  /** Of a query: tables that it can read besides those of the database. */
  readonly tables?: readonly SentTable[];
}

/**
 * Every failure is a `ClickhouseError`, an `OperationalError`. After a time-out or a broken connection the outcome of a
 * write is unknown: it is retryable because every write here may be repeated (L1).
 *
 * Integers of 64 bits come as JS numbers, so they are exact up to 2^53: offsets and counts are. Select
 * `toString(x)` for hashes. DateTime64 comes as text without zone; select `toUnixTimestamp64Milli(x)` for epoch ms.
 */
export interface Clickhouse {
  readonly database: string;
  /** All rows of a SELECT, without FORMAT. Values go in as `{name:Type}` parameters, never into the text. */
  query<Row>(sql: string, params?: Params, options?: CallOptions): Promise<Row[]>;
  /** The rows of a large SELECT as they come, in blocks. Rows may have been given before the error comes. */
  queryStream<Row>(sql: string, params?: Params, options?: CallOptions): AsyncGenerator<readonly Row[], void>;
  /** The rows of a large SELECT as the server writes them, in blocks of whole lines. `sql` ends in a JSON FORMAT of lines. */
  queryLines(sql: string, params?: Params, options?: CallOptions): AsyncGenerator<Buffer, void>;
  /** Keys that are not columns are an error. Resolves when the rows are in the table and its views. */
  insertRows(table: string, rows: readonly object[], options?: CallOptions): Promise<void>;
  /** `sql` ends in FORMAT; `body` is the data in that format. Resolves when the rows are in the table and its views. */
  insertRaw(sql: string, body: Buffer | readonly Buffer[], options?: CallOptions): Promise<void>;
  /** Anything without a result: DDL, INSERT ... SELECT. */
  command(sql: string, params?: Params, options?: CallOptions): Promise<void>;
  /** Resolves when the server answers a query with these credentials. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

interface Request {
  readonly sql: string;
  readonly settings: ClickHouseSettings;
  readonly timeoutMs: number;
  readonly params?: Params;
  readonly tables?: readonly SentTable[];
  readonly body?: Buffer | readonly Buffer[];
}

interface Answer {
  readonly stream: Readable;
  /** Ends the time-out; to be called when the stream has been read. */
  readonly done: () => void;
  readonly timedOut: () => boolean;
}

const pingTimeoutMs = 5_000;

const readSettings: ClickHouseSettings = {
  output_format_json_quote_64bit_integers: 0,
  // A reader that went away must not keep the server busy.
  cancel_http_readonly_queries_on_client_close: 1,
};

const streamSettings: ClickHouseSettings = { ...readSettings, http_write_exception_in_output_format: 1 };

// The status line is then sent after the last byte of work, so that an error is never hidden behind "200 OK".
const waitForEnd: ClickHouseSettings = { wait_end_of_query: 1 };

/** Not open to the caller: each of them lost acknowledged rows when it was otherwise (L1). */
const insertSettings: ClickHouseSettings = {
  ...waitForEnd,
  async_insert: 0,
  // Replicated tables drop a block that looks like an earlier one, also after that one was deleted.
  insert_deduplicate: 0,
  materialized_views_ignore_errors: 0,
  // Repeats within one block are for merges and FINAL, like those between blocks: nobody may count on less.
  optimize_on_insert: 0,
};

export function createClickhouse(options: ClickhouseOptions): Clickhouse {
  const { url, database, log } = options;
  const timeoutMs = options.timeoutMs ?? 30_000;
  const client = createClient({
    url,
    database,
    username: options.username ?? 'default',
    password: options.password ?? '',
    application: 'serial-ledger',
    max_open_connections: options.connectionsMax ?? 16,
    // Our own timer decides, so that a time-out is known by its cause and not by the text of an error.
    request_timeout: 24 * 3600 * 1000,
    keep_alive: { enabled: true, idle_socket_ttl: 2_500, eagerly_destroy_stale_sockets: true },
    // Bodies travel over loopback or one data centre's network, where compressing costs more than it saves.
    compression: { request: false, response: false },
    // Errors are thrown, translated, and logged by whoever handles them; the client would log parameters with them.
    log: { level: ClickHouseLogLevel.OFF },
  });

  /** Sends, and looks at the answer's head. Throws unless the server has taken the statement. */
  async function send(request: Request): Promise<Answer> {
    const abort = new AbortController();
    let stream: Readable | undefined;
    const timer = setTimeout(() => {
      abort.abort();
      stream?.destroy(timeoutError(url, request.timeoutMs));
    }, request.timeoutMs);
    const done = (): void => clearTimeout(timer);
    try {
      const result = await client.exec({
        clickhouse_settings: request.settings,
        abort_signal: abort.signal,
        // Errors come as answers: the exception's code stands in a header that the client's own errors do not carry.
        ignore_error_response: true,
        ...contentOf(request),
      });
      stream = result.stream;
      const code = Number(result.response_headers['x-clickhouse-exception-code'] ?? 0);
      const status = result.http_status_code ?? 200;
      if (code === 0 && status < 300) return { stream, done, timedOut: () => abort.signal.aborted };
      const text = await readText(stream);
      throw code === 0 ? statusError(status, text) : serverError(code, text);
    } catch (error) {
      done();
      throw translated(error, abort.signal.aborted, request.timeoutMs);
    }
  }

  function translated(error: unknown, timedOut: boolean, after: number): ClickhouseError {
    const known = timedOut ? timeoutError(url, after) : error;
    const translatedError = known instanceof ClickhouseError ? known : transportError(error, url);
    log.debug({ code: translatedError.code, retryable: translatedError.retryable }, 'ClickHouse call failed');
    return translatedError;
  }

  async function read<Result>(
    request: Request,
    consume: (stream: Readable) => Promise<Result>,
  ): Promise<Result> {
    const answer = await send(request);
    try {
      return await consume(answer.stream);
    } catch (error) {
      throw translated(error, answer.timedOut(), request.timeoutMs);
    } finally {
      answer.done();
    }
  }

  async function* readLines(request: Request): AsyncGenerator<Buffer, void> {
    const answer = await send(request);
    try {
      yield* linesOf(answer.stream);
    } catch (error) {
      throw translated(error, answer.timedOut(), request.timeoutMs);
    } finally {
      answer.done();
      // A reader that stops half-way leaves the rest unread: the connection cannot be used again.
      answer.stream.destroy();
    }
  }

  async function* readRows<Row>(request: Request): AsyncGenerator<readonly Row[], void> {
    for await (const lines of readLines(request))
      yield lines
        .toString('utf8', 0, lines.length - 1)
        .split('\n')
        .map((line) => JSON.parse(line) as Row);
  }

  function requestOf(sql: string, forced: ClickHouseSettings, params?: Params, call?: CallOptions): Request {
    const request = {
      sql,
      settings: { ...call?.settings, ...forced },
      timeoutMs: call?.timeoutMs ?? timeoutMs,
      ...(call?.tables ? { tables: call.tables } : {}),
    };
    return params === undefined || Object.keys(params).length === 0 ? request : { ...request, params };
  }

  async function insertRaw(sql: string, body: Buffer | readonly Buffer[], call?: CallOptions): Promise<void> {
    await read({ ...requestOf(sql, insertSettings, undefined, call), body }, readText);
  }

  return {
    database,
    insertRaw,
    async query<Row>(sql: string, params?: Params, call?: CallOptions): Promise<Row[]> {
      const request = requestOf(
        `${sql}\nFORMAT JSONEachRow`,
        { ...readSettings, ...waitForEnd },
        params,
        call,
      );
      const text = await read(request, readText);
      return text === '' ? [] : (JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as Row[]);
    },
    queryStream<Row>(sql: string, params?: Params, call?: CallOptions): AsyncGenerator<readonly Row[], void> {
      return readRows<Row>(requestOf(`${sql}\nFORMAT JSONEachRow`, streamSettings, params, call));
    },
    queryLines(sql: string, params?: Params, call?: CallOptions): AsyncGenerator<Buffer, void> {
      return readLines(requestOf(sql, streamSettings, params, call));
    },
    async insertRows(table: string, rows: readonly object[], call?: CallOptions): Promise<void> {
      if (rows.length === 0) return;
      const body = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'));
      const settings: ClickHouseSettings = { ...call?.settings, input_format_skip_unknown_fields: 0 };
      await insertRaw(`INSERT INTO ${table} FORMAT JSONEachRow`, body, { ...call, settings });
    },
    async command(sql: string, params?: Params, call?: CallOptions): Promise<void> {
      await read(requestOf(sql, insertSettings, params, call), readText);
    },
    async ping(): Promise<void> {
      await read(requestOf('SELECT 1', waitForEnd, undefined, { timeoutMs: pingTimeoutMs }), readText);
    },
    async close(): Promise<void> {
      await client.close();
    },
  };
}

/** The statement for the client's `exec`, with data, or parameters as a form, or nothing. */
function contentOf(request: Request): {
  readonly query: string;
  readonly values?: Readable;
  readonly http_headers?: Record<string, string>;
} {
  if (request.body !== undefined) return { query: request.sql, values: streamOf(request.body) };
  if (request.params === undefined && request.tables === undefined) return { query: request.sql };
  const form = formOf(request.sql, request.params ?? {}, request.tables);
  return {
    query: form.sql,
    values: streamOf(form.body),
    http_headers: { 'Content-Type': form.contentType },
  };
}

/** As one piece: copying megabytes once costs less than thousands of small writes, each a chunk of its own. */
function streamOf(body: Buffer | readonly Buffer[]): Readable {
  return Readable.from([Buffer.isBuffer(body) ? body : Buffer.concat(body)], { objectMode: false });
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/**
 * Complete lines, in blocks of what arrived together. An error that arises after the first rows comes as a last line that
 * no row can look like: rows are written without spaces between name and value.
 */
async function* linesOf(stream: Readable): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = data.lastIndexOf(newline);
    rest = data.subarray(end + 1);
    if (end < 0) continue;
    const last = data.subarray(end === 0 ? 0 : data.lastIndexOf(newline, end - 1) + 1, end).toString();
    if (last.startsWith(lateErrorStart)) throw lateError(last);
    yield data.subarray(0, end + 1);
  }
  if (rest.length > 0) throw truncated();
}

const newline = 0x0a;
const lateErrorStart = '{"exception": ';

function lateError(line: string): ClickhouseError {
  const { exception } = JSON.parse(line) as { exception: string };
  return serverError(Number(/^Code: (\d+)\./.exec(exception)?.[1] ?? 0), exception);
}

function truncated(): ClickhouseError {
  return new ClickhouseError('clickhouse.truncated', 'the answer ended inside a row', { retryable: true });
}
