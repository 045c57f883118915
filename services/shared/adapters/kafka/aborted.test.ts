import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { type FetchedMessage, withoutAborted } from './aborted.ts';
import './kafkajs.ts';

const require = createRequire(import.meta.url);

type Kind = 'data' | 'plain' | 'abort' | 'commit';

function at(offset: number, producer: number, kind: Kind): FetchedMessage {
  const control = kind === 'abort' || kind === 'commit';
  return {
    offset: String(offset),
    // Data may look like a marker.
    key: kind === 'commit' ? Buffer.from([0, 0, 0, 1]) : Buffer.from([0, 0, 0, 0]),
    isControlRecord: control,
    batchContext: { producerId: String(producer), inTransaction: kind !== 'plain' },
  };
}

const begins = (producer: number, offset: number) => ({
  producerId: String(producer),
  firstOffset: String(offset),
});

function kept(
  messages: readonly FetchedMessage[],
  ...abortedTransactions: readonly ReturnType<typeof begins>[]
): readonly number[] {
  return withoutAborted({ messages, abortedTransactions })
    .filter(({ isControlRecord }) => !isControlRecord)
    .map(({ offset }) => Number(offset));
}

describe('messages of aborted transactions', () => {
  it('are left out when transactions end in another order than they began', () => {
    const messages = [
      at(5, 11, 'data'),
      at(6, 10, 'data'),
      at(7, 12, 'data'),
      at(8, 10, 'abort'),
      at(9, 13, 'abort'),
      at(10, 11, 'abort'),
      at(11, 12, 'commit'),
    ];
    // As the broker lists them: by their ends. One began before what was fetched.
    expect(kept(messages, begins(10, 6), begins(13, 4), begins(11, 5))).toEqual([7]);
  });

  it('are left out when several began before the first message of the fetch', () => {
    const messages = [at(20, 1, 'data'), at(21, 2, 'data'), at(22, 3, 'data'), at(23, 1, 'abort')];
    expect(kept(messages, begins(1, 10), begins(2, 11), begins(3, 12))).toEqual([]);
  });

  it('do not take with them what the same producer wrote before or afterwards, or outside', () => {
    const messages = [
      at(1, 7, 'data'),
      at(2, 7, 'commit'),
      at(3, 7, 'data'),
      at(4, 7, 'plain'),
      at(5, 7, 'abort'),
      at(6, 7, 'data'),
      at(7, 7, 'commit'),
      at(8, 7, 'data'),
      at(9, 7, 'abort'),
    ];
    expect(kept(messages, begins(7, 3), begins(7, 8))).toEqual([1, 4, 6]);
  });

  it('are not ended by data whose key looks like a marker', () => {
    expect(kept([at(1, 7, 'data'), at(2, 7, 'data'), at(3, 7, 'abort')], begins(7, 1))).toEqual([]);
  });

  it('are told by this module wherever kafkajs asks', () => {
    expect(require('kafkajs/src/consumer/filterAbortedMessages')).toBe(withoutAborted);
    const Batch = require('kafkajs/src/consumer/batch');
    const messages = [at(5, 11, 'data'), at(6, 10, 'data'), at(8, 10, 'abort'), at(10, 11, 'abort')];
    const abortedTransactions = [begins(10, 6), begins(11, 5)];
    const batch = new Batch('topic', '5', {
      partition: 0,
      highWatermark: '11',
      messages,
      abortedTransactions,
    });
    expect(batch.messages).toEqual([]);
  });
});
