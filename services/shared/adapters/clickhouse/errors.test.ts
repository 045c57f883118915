import { describe, expect, test } from 'vitest';
import { isRetryable } from '#shared/base/errors.ts';
import {
  dataRefusedCodes,
  isDataRefused,
  otherCodes,
  retryableCodes,
  serverError,
  statusError,
  timeoutError,
  transportError,
} from './errors.ts';
import { formatParam } from './params.ts';

describe('errors of ClickHouse', () => {
  test.each([
    [
      'data refused',
      serverError(53, 'Code: 53. DB::Exception: ...'),
      'clickhouse.TYPE_MISMATCH',
      false,
      true,
    ],
    ['throwIf', serverError(395, '...'), 'clickhouse.FUNCTION_THROW_IF_VALUE_IS_NON_ZERO', false, true],
    ['overloaded', serverError(252, '...'), 'clickhouse.TOO_MANY_PARTS', true, false],
    ['no such table', serverError(60, '...'), 'clickhouse.UNKNOWN_TABLE', false, false],
    ['unknown code', serverError(4711, '...'), 'clickhouse.4711', false, false],
    ['the proxy is up, the server not', statusError(503, 'busy'), 'clickhouse.HTTP_503', true, false],
    ['not a ClickHouse', statusError(404, '<html>'), 'clickhouse.HTTP_404', false, false],
    ['no answer in time', timeoutError('http://x', 5), 'clickhouse.timeout', true, false],
  ])('%s', (_, error, code, retryable, refused) => {
    expect([error.code, isRetryable(error), isDataRefused(error)]).toEqual([code, retryable, refused]);
  });

  test('exceptions of the Avro library are the data; other exceptions without a code of their own are not', () => {
    const avro =
      'std::exception. Code: 1001, type: avro::Exception, e.what() = EOF reached (version 26.7.2.1)';
    const disk =
      'std::exception. Code: 1001, type: std::__1::__fs::filesystem::filesystem_error, e.what() = avro::Exception';
    expect(isDataRefused(serverError(1001, avro))).toBe(true);
    expect(isDataRefused(serverError(1001, disk))).toBe(false);
    expect(isRetryable(serverError(1001, disk))).toBe(false);
  });

  test('a broken connection is retryable, an unknown failure is not', () => {
    const broken = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    expect(transportError(broken, 'http://x')).toMatchObject({
      code: 'clickhouse.ECONNRESET',
      retryable: true,
    });
    expect(transportError(new Error('what?'), 'http://x')).toMatchObject({
      code: 'clickhouse.unknown',
      retryable: false,
    });
  });

  test('no error tells the password that stands in an address', () => {
    const url = 'https://ledger:hidden@clickhouse:8443/path';
    for (const { message } of [timeoutError(url, 5), transportError(new Error('what?'), url)]) {
      expect(message).toContain('https://***@clickhouse:8443/path');
      expect(message).not.toContain('hidden');
    }
  });

  test('no code stands in two tables', () => {
    const codes = [dataRefusedCodes, retryableCodes, otherCodes].flatMap((table) => [...table.keys()]);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

test.each([
  ['text', "it's\ta\\b\n", "it\\'s\\ta\\\\b\\n"],
  ['number', 7, '7'],
  ['boolean', true, '1'],
  ['nothing', null, '\\N'],
  ['list', ['a', "b'c", null], "['a','b\\'c',NULL]"],
  ['list of lists', [[1, 2], []], '[[1,2],[]]'],
])('a parameter: %s', (_, value, expected) => {
  expect(formatParam(value)).toBe(expected);
});
