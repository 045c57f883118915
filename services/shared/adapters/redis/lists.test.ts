import { describe, expect, test } from 'vitest';
import { OperationalError } from '#shared/base/errors.ts';
import type { Snapshot } from '../clickhouse/lists.ts';
import { translateRedisError } from './client.ts';
import { publicationId } from './lists.ts';

function snapshot(taken_on: string, name: string): Snapshot {
  return {
    product: 'panel',
    snapshot: name,
    taken_on,
    sha256: '',
    file_name: '',
    rows: 1,
    listings: 1,
    models: 1,
  };
}

const april = snapshot('2026-04-23', 'panel-20260423-a');
const may = snapshot('2026-05-23', 'panel-20260523-b');
const other = snapshot('2026-05-23', 'panel-20260523-c');

describe('the id of a publication', () => {
  test('says the product, the day of the latest snapshot and how many there are', () => {
    expect(publicationId('panel', [april, may], 1)).toMatch(/^panel-20260523-2-[0-9a-f]{12}$/);
  });

  test('is the same for the same snapshots, and another for others', () => {
    const ids = [
      publicationId('panel', [april], 1),
      publicationId('panel', [april, may], 1),
      publicationId('panel', [april, other], 1),
      publicationId('panel', [april, may, other], 1),
    ];
    expect(new Set(ids).size).toBe(4);
    expect(publicationId('panel', [april, other, may], 1).slice(-12)).toBe(ids[3]?.slice(-12));
  });

  test('changes with the version of folding: a release that folds otherwise finds no list rather than a wrong one', () => {
    expect(publicationId('panel', [april], 2)).not.toBe(publicationId('panel', [april], 1));
  });
});

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

describe('errors of Redis', () => {
  test.each([
    [
      'refused connection',
      Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
      'redis_unavailable',
      true,
    ],
    ['closed connection', new Error('Connection is closed.'), 'redis_unavailable', true],
    ['no answer in time', new Error('Command timed out'), 'redis_unavailable', true],
    ['starting', reply('LOADING Redis is loading the dataset in memory'), 'redis_unavailable', true],
    [
      'out of memory',
      reply("OOM command not allowed when used memory > 'maxmemory'."),
      'redis_unavailable',
      true,
    ],
    [
      'out of memory in a script',
      reply(
        'ERR Error running script (call to f_ee5b): @user_script:1: @user_script: 1: -OOM command not allowed',
      ),
      'redis_unavailable',
      true,
    ],
    [
      'out of memory in a protected call',
      reply('@user_script: 1: -OOM command not allowed'),
      'redis_unavailable',
      true,
    ],
    [
      'a bug in a script',
      reply(
        'ERR Error running script (call to f_ee5b): @user_script:3: user_script:3: attempt to index a nil value',
      ),
      'redis_refused',
      false,
    ],
    ['another type of key', reply('WRONGTYPE Operation against a key'), 'redis_refused', false],
    ['no password given', reply('NOAUTH Authentication required.'), 'redis_refused', false],
  ])('%s', (_, error, code, retryable) => {
    const translated = translateRedisError(error, 'trying') as OperationalError;
    expect(translated).toBeInstanceOf(OperationalError);
    expect([translated.code, translated.retryable]).toEqual([code, retryable]);
  });

  test('what is not an error of Redis passes unchanged: it is a bug, and stops the process', () => {
    const bug = new TypeError('x is not a function');
    expect(translateRedisError(bug, 'trying')).toBe(bug);
  });
});
