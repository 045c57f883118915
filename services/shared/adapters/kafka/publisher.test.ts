import type { Kafka } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { oneRequest, Publisher } from './publisher.ts';

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

describe('how many requests it takes', () => {
  type Batch = { topicMessages: { topic: string; messages: { partition: number }[] }[] };

  /** Answers every request, and keeps the partitions of each. */
  function recording() {
    const requests: number[][] = [];
    const producer = {
      connect: async () => undefined,
      disconnect: async () => undefined,
      sendBatch: async ({ topicMessages }: Batch) => {
        const places = topicMessages.flatMap(({ topic, messages }) =>
          messages.map(({ partition }) => ({ topicName: topic, partition, baseOffset: '0' })),
        );
        requests.push(places.map(({ partition }) => partition));
        return places;
      },
    };
    return { requests, kafka: { producer: () => producer } as unknown as Kafka };
  }

  const message = (partition: number) => [{ partition, value: Buffer.from('x') }];

  test('who is at work on what it will send is waited for, and goes along', async () => {
    const { requests, kafka } = recording();
    let working = 2;
    const publisher = new Publisher(kafka, { sending: () => working });
    const first = publisher.send('listed', message(0)).then(() => --working);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, publisher.send('listed', message(1))]);
    expect(requests).toEqual([[0, 1]]);
  });

  test('who then sends nothing is not waited for much longer, and nobody is when nobody is at work', async () => {
    for (const working of [3, 0]) {
      const { requests, kafka } = recording();
      await new Publisher(kafka, { sending: () => working }).send('listed', message(0));
      expect(requests).toEqual([[0]]);
    }
  });
});
