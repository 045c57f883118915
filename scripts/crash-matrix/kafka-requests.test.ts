import { describe, expect, it } from 'vitest';
import { KafkaRequests, kafkaApis } from './kafka-requests.ts';

function request(api: number, client: string, bodyBytes: number): Buffer {
  const name = Buffer.from(client);
  const frame = Buffer.alloc(14 + name.length + bodyBytes, 0x2a);
  frame.writeInt32BE(frame.length - 4, 0);
  frame.writeInt16BE(api, 4);
  frame.writeInt16BE(3, 6);
  frame.writeInt32BE(7, 8);
  frame.writeInt16BE(name.length, 12);
  name.copy(frame, 14);
  return frame;
}

describe('requests of Kafka in what passes a proxy', () => {
  const stream = Buffer.concat([
    request(kafkaApis.produce, 'dedup-1', 1_000),
    request(kafkaApis.endTransaction, 'gateway-1', 0),
    request(kafkaApis.fetch, 'ledger-writer-2', 31),
  ]);

  it.each([1, 2, 13, 17, 600, 5_000])('are told, whatever the pieces are: %i bytes', (bytes) => {
    const requests = new KafkaRequests();
    const begun = [];
    for (let from = 0; from < stream.length; from += bytes)
      begun.push(...requests.read(stream.subarray(from, from + bytes)));
    expect(begun).toEqual([
      { api: 0, client: 'dedup-1' },
      { api: 26, client: 'gateway-1' },
      { api: 1, client: 'ledger-writer-2' },
    ]);
  });
});
