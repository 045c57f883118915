import { describe, expect, test } from 'vitest';
import { oneRequest } from './publisher.ts';

const send = (name: string, partition: number, bytes: number, topic = 'listed') => ({
  name,
  topic,
  messages: [{ partition, value: Buffer.alloc(bytes) }],
});

const names = (sends: readonly { name: string }[]) => sends.map(({ name }) => name).join('');

describe('what goes into one request', () => {
  test('everything that waits, while no record batch grows beyond its bound', () => {
    const { now, later } = oneRequest([send('a', 0, 500_000), send('b', 1, 900_000), send('c', 0, 400_000)]);
    expect([names(now), names(later)]).toEqual(['abc', '']);
  });

  test('one that does not fit waits, and so does everything behind it: order is kept', () => {
    const { now, later } = oneRequest([send('a', 0, 500_000), send('b', 0, 400_001), send('c', 1, 1)]);
    expect([names(now), names(later)]).toEqual(['a', 'bc']);
  });

  test('partitions of one number in two topics are two', () => {
    const sends = [send('a', 0, 800_000), send('b', 0, 800_000, 'dead.letters')];
    expect(names(oneRequest(sends).now)).toBe('ab');
  });

  test('one that is too large alone is sent alone: the broker decides', () => {
    const { now, later } = oneRequest([send('a', 0, 5_000_000), send('b', 0, 1)]);
    expect([names(now), names(later)]).toEqual(['a', 'b']);
  });
});
