import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';
import './kafkajs.ts';

const require = createRequire(import.meta.url);

type ProduceRequest = (of: object) => { encode(): Promise<{ buffer: Buffer; size(): number }> };
type CreateRequest = (of: object) => Promise<{ buffer: Buffer }>;

interface Protocol {
  readonly produce: ProduceRequest;
  readonly request: CreateRequest;
}

function load(): Protocol {
  return {
    produce: require('kafkajs/src/protocol/requests/produce/v7/request'),
    request: require('kafkajs/src/protocol/request'),
  };
}

/** kafkajs as it was published: its modules loaded anew, without what we do to them. */
function untouched(): Protocol {
  const own = Object.keys(require.cache).filter((file) => file.includes('/kafkajs/src/protocol/'));
  const kept = own.map((file) => [file, require.cache[file]!] as const);
  for (const file of own) delete require.cache[file];
  const fresh = load();
  for (const file of Object.keys(require.cache).filter((name) => name.includes('/kafkajs/src/protocol/')))
    delete require.cache[file];
  for (const [file, module] of kept) require.cache[file] = module;
  return fresh;
}

async function bytesOf({ produce, request }: Protocol, messages: readonly object[]): Promise<Buffer> {
  const topicData = [
    {
      topic: 'serials.submitted',
      partitions: [0, 3].map((partition) => ({ partition, messages, firstSequence: 7 })),
    },
    { topic: 'other', partitions: [{ partition: 1, messages: messages.slice(0, 1), firstSequence: 0 }] },
  ];
  const encoded = produce({ acks: -1, timeout: 30_000, transactionalId: 'gateway-1-0', topicData });
  return (
    await request({ correlationId: 9, clientId: 'test', request: { apiKey: 0, apiVersion: 7, ...encoded } })
  ).buffer;
}

function message(bytes: number, seed: number): object {
  const value = Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 31 + seed) & 255));
  const headers = { submission: `id-${seed}`, rows: String(bytes), tags: ['a', 'é'] };
  return { key: seed % 2 === 0 ? null : `key ${seed}`, value, headers, timestamp: 1_700_000_000_000 + seed };
}

describe('what goes over the wire', () => {
  it.each([
    ['small messages', [0, 1, 100]],
    ['messages around the size that is kept', [2_047, 2_048, 2_049]],
    ['large messages', [70_000, 250_000]],
    ['large and small ones', [5_000, 3, 100_000, 0, 2_048, 17]],
  ])('is what kafkajs itself writes: %s', async (_, sizes) => {
    const messages = sizes.map(message);
    const ours = await bytesOf(load(), messages);
    const theirs = await bytesOf(untouched(), messages);
    expect(ours.length).toBeGreaterThan(sizes.reduce((a, b) => a + b, 0) * 2);
    expect(ours.equals(theirs)).toBe(true);
  });

  it('is really encoded by two different modules', () => {
    expect(untouched().produce).not.toBe(load().produce);
    expect(require('kafkajs/src/protocol/recordBatch/crc32C')).toBe(crc32c);
  });
});

describe('crc32c', () => {
  // RFC 3720, B.4, and the check value of the catalogue of CRCs.
  it.each([
    ['zeros', Buffer.alloc(32), 0x8a9136aa],
    ['ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['ascending', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    ['digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('%s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
});
