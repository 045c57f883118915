import { OperationalError } from '#shared/base/errors.ts';
import { withoutCredentials } from '#shared/base/urls.ts';

/** A failure of ClickHouse, or on the way to it, translated once. `code` is `clickhouse.NAME`. */
export class ClickhouseError extends OperationalError {
  /** true: ClickHouse looked at the data of this insert and refused it; the same data will be refused again (L5). */
  readonly dataRefused: boolean;

  constructor(
    code: string,
    message: string,
    options: { retryable: boolean; dataRefused?: boolean; cause?: unknown },
  ) {
    super(code, message, options);
    this.name = 'ClickhouseError';
    this.dataRefused = options.dataRefused ?? false;
  }
}

/** L5: bisect and dead-letter. Only for errors of inserts: a query that fails so is a bug of the query. */
export function isDataRefused(error: unknown): boolean {
  return error instanceof ClickhouseError && error.dataRefused;
}

/** Exception codes that mean: the data itself cannot be taken. Names as the server's `errorCodeToName`; tested. */
export const dataRefusedCodes: ReadonlyMap<number, string> = new Map([
  [6, 'CANNOT_PARSE_TEXT'],
  [9, 'SIZES_OF_COLUMNS_DOESNT_MATCH'],
  [25, 'CANNOT_PARSE_ESCAPE_SEQUENCE'],
  [26, 'CANNOT_PARSE_QUOTED_STRING'],
  [27, 'CANNOT_PARSE_INPUT_ASSERTION_FAILED'],
  [32, 'ATTEMPT_TO_READ_AFTER_EOF'],
  [33, 'CANNOT_READ_ALL_DATA'],
  [38, 'CANNOT_PARSE_DATE'],
  [41, 'CANNOT_PARSE_DATETIME'],
  [53, 'TYPE_MISMATCH'],
  [69, 'ARGUMENT_OUT_OF_BOUND'],
  [70, 'CANNOT_CONVERT_TYPE'],
  [72, 'CANNOT_PARSE_NUMBER'],
  [117, 'INCORRECT_DATA'],
  [128, 'TOO_LARGE_ARRAY_SIZE'],
  [130, 'CANNOT_READ_ARRAY_FROM_TEXT'],
  [131, 'TOO_LARGE_STRING_SIZE'],
  [190, 'SIZES_OF_ARRAYS_DONT_MATCH'],
  [321, 'VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE'],
  [349, 'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN'],
  [376, 'CANNOT_PARSE_UUID'],
  [395, 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
  [407, 'DECIMAL_OVERFLOW'],
  [441, 'CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING'],
  [467, 'CANNOT_PARSE_BOOL'],
  [469, 'VIOLATED_CONSTRAINT'],
  [563, 'CANNOT_READ_MAP_FROM_TEXT'],
  [632, 'UNEXPECTED_DATA_AFTER_PARSED_VALUE'],
  [691, 'UNKNOWN_ELEMENT_OF_ENUM'],
  [748, 'AVRO_EXCEPTION'],
]);

/**
 * Exception codes that mean: the server, its disks or its peers are not able just now. Everything that is in neither
 * table is not retryable: an unknown table, a wrong password or a bug of ours does not go away by asking again.
 */
export const retryableCodes: ReadonlyMap<number, string> = new Map([
  [75, 'CANNOT_WRITE_TO_FILE_DESCRIPTOR'],
  [95, 'CANNOT_READ_FROM_SOCKET'],
  [96, 'CANNOT_WRITE_TO_SOCKET'],
  [159, 'TIMEOUT_EXCEEDED'],
  [160, 'TOO_SLOW'],
  [173, 'CANNOT_ALLOCATE_MEMORY'],
  [198, 'DNS_ERROR'],
  [201, 'QUOTA_EXCEEDED'],
  [202, 'TOO_MANY_SIMULTANEOUS_QUERIES'],
  [203, 'NO_FREE_CONNECTION'],
  [209, 'SOCKET_TIMEOUT'],
  [210, 'NETWORK_ERROR'],
  [225, 'NO_ZOOKEEPER'],
  [236, 'ABORTED'],
  [241, 'MEMORY_LIMIT_EXCEEDED'],
  [242, 'TABLE_IS_READ_ONLY'],
  [243, 'NOT_ENOUGH_SPACE'],
  [252, 'TOO_MANY_PARTS'],
  [254, 'NO_ACTIVE_REPLICAS'],
  [265, 'NO_AVAILABLE_REPLICA'],
  [279, 'ALL_CONNECTION_TRIES_FAILED'],
  [285, 'TOO_FEW_LIVE_REPLICAS'],
  [286, 'UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE'],
  [289, 'REPLICA_IS_NOT_IN_QUORUM'],
  [319, 'UNKNOWN_STATUS_OF_INSERT'],
  [364, 'RECEIVED_ERROR_TOO_MANY_REQUESTS'],
  [369, 'ALL_REPLICAS_ARE_STALE'],
  [384, 'PART_IS_TEMPORARILY_LOCKED'],
  [394, 'QUERY_WAS_CANCELLED'],
  [410, 'EXTERNAL_SERVER_IS_NOT_RESPONDING'],
  [416, 'REPLICA_STATUS_CHANGED'],
  [439, 'CANNOT_SCHEDULE_TASK'],
  [473, 'DEADLOCK_AVOIDED'],
  [499, 'S3_ERROR'],
  [517, 'CANNOT_ASSIGN_ALTER'],
  [519, 'NO_REMOTE_SHARD_AVAILABLE'],
  [574, 'DISTRIBUTED_TOO_MANY_PENDING_BYTES'],
  [677, 'THREAD_WAS_CANCELED'],
  [733, 'TABLE_IS_BEING_RESTARTED'],
  [734, 'CANNOT_WRITE_AFTER_BUFFER_CANCELED'],
  [735, 'QUERY_WAS_CANCELLED_BY_CLIENT'],
  [738, 'PART_IS_LOCKED'],
  [745, 'SERVER_OVERLOADED'],
  [749, 'TCP_CONNECTION_LIMIT_REACHED'],
  [762, 'HTTP_CONNECTION_LIMIT_REACHED'],
  [776, 'RESOURCE_LIMIT_EXCEEDED'],
  [777, 'MEMORY_RESERVATION_KILLED'],
  [778, 'MEMORY_RESERVATION_FAILED'],
  [904, 'TOO_MANY_UNAVAILABLE_SHARDS'],
  [999, 'KEEPER_EXCEPTION'],
]);

/** Known by name because something is decided by them; never right by asking again. */
export const otherCodes: ReadonlyMap<number, string> = new Map([
  [57, 'TABLE_ALREADY_EXISTS'],
  [58, 'TABLE_METADATA_ALREADY_EXISTS'],
  [60, 'UNKNOWN_TABLE'],
  [62, 'SYNTAX_ERROR'],
  [81, 'UNKNOWN_DATABASE'],
  [82, 'DATABASE_ALREADY_EXISTS'],
  [516, 'AUTHENTICATION_FAILED'],
]);

const stdException = 1001;
const messageCharsMax = 600;

/** An answer that carries an exception of the server. `code` comes from the header, not from the text. */
export function serverError(code: number, text: string): ClickhouseError {
  const message = text.trim().slice(0, messageCharsMax);
  const refused = dataRefusedCodes.get(code);
  if (refused !== undefined) {
    return new ClickhouseError(`clickhouse.${refused}`, message, { retryable: false, dataRefused: true });
  }
  // Exceptions of the server's Avro library have no code of their own: they come as STD_EXCEPTION, which also covers a
  // full disk. The type is a field of the server's answer, never part of the data.
  if (code === stdException && text.startsWith('std::exception. Code: 1001, type: avro::Exception')) {
    return new ClickhouseError('clickhouse.AVRO_EXCEPTION', message, { retryable: false, dataRefused: true });
  }
  const passing = retryableCodes.get(code);
  if (passing !== undefined)
    return new ClickhouseError(`clickhouse.${passing}`, message, { retryable: true });
  return new ClickhouseError(`clickhouse.${otherCodes.get(code) ?? code}`, message, { retryable: false });
}

const proxyStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** An answer with an error status but without an exception code: a proxy speaks, or a server that is starting or stopping. */
export function statusError(status: number, text: string): ClickhouseError {
  return new ClickhouseError(
    `clickhouse.HTTP_${status}`,
    `HTTP ${status}: ${text.trim().slice(0, messageCharsMax)}`,
    {
      retryable: proxyStatuses.has(status),
    },
  );
}

const networkCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** A failure without an answer. The outcome of an insert is then unknown, which is why a repeat must change nothing (L1). */
export function transportError(error: unknown, url: string): ClickhouseError {
  const code = errorCode(error);
  const network = networkCodes.has(code) || code.startsWith('HPE_');
  const detail = error instanceof Error ? error.message || code : String(error);
  const name = network ? `clickhouse.${code}` : 'clickhouse.unknown';
  return new ClickhouseError(name, `ClickHouse at ${withoutCredentials(url)}: ${detail}`, {
    retryable: network,
    cause: error,
  });
}

function errorCode(error: unknown): string {
  // Node tries all addresses of a name and reports an AggregateError; its parts have the code too, and so has the whole.
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return '';
}

export function timeoutError(url: string, timeoutMs: number): ClickhouseError {
  return new ClickhouseError(
    'clickhouse.timeout',
    `ClickHouse at ${withoutCredentials(url)} gave no answer in ${timeoutMs} ms`,
    { retryable: true },
  );
}
