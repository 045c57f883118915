import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { OutMessage } from '#shared/adapters/kafka/publisher.ts';
import type { Transaction } from '#shared/adapters/kafka/transactions.ts';
import { Decoder, Encoder } from '#shared/codec/codec.ts';
import { readHeaders } from '#shared/codec/headers.ts';
import { avroType, releasedVersions, type SchemaName } from '#shared/codec/schemas.ts';
import { type SentBatch, spelledOut } from '#shared/domain/records.ts';
import type { SerialRecord } from '#shared/domain/serials.ts';
import { panelRegistration } from './documents.ts';
import { kafkaSubmissionLog, type SubmissionManifest, splitSends } from './log.ts';
import { type FileContents, readFile } from './read-file.ts';
import type { Submission } from './submission.ts';

function codec<T>(name: SchemaName): { encoder: Encoder<T>; decoder: Decoder<T> } {
  const { schema } = releasedVersions(name).at(-1)!;
  const version = { id: 7, schema, type: avroType(schema) };
  return { encoder: new Encoder<T>(version.type, 7), decoder: new Decoder<T>(version.type, [version]) };
}

const batches = codec<SentBatch>('SerialBatch');
const manifests = codec<SubmissionManifest>('SubmissionManifest');

/** Partitions that already hold something, and give offsets as a broker does: the first of a send. */
class Partitions implements Transaction {
  readonly sends: { topic: string; messages: readonly OutMessage[] }[] = [];
  readonly ends = new Map<number, number>(
    [0, 1, 2, 3, 4, 5].map((partition) => [partition, 100 * partition]),
  );

  async send(topic: string, messages: readonly OutMessage[]) {
    this.sends.push({ topic, messages });
    const first = new Map<number, number>();
    for (const { partition } of messages) {
      const offset = this.ends.get(partition)!;
      if (!first.has(partition)) first.set(partition, offset);
      this.ends.set(partition, offset + 1);
    }
    return first;
  }
}

async function submissionOf(rows: number): Promise<Submission> {
  const heading = 'Supplier name,Licensee/Certificate holder,Model number,Serial number\n';
  const body = Buffer.from(heading + Array.from({ length: rows }, (_, i) => `A,H,M,S${i}\n`).join(''));
  const contents = (await readFile(body, panelRegistration, {
    partitions: 6,
    sender: { supplier: 'A', mayUploadFor: () => true },
  })) as FileContents;
  return {
    id: '019d0000-0000-7000-8000-000000000000',
    account: 'account-1',
    supplier: 'A',
    channel: 'csv',
    product: 'panel',
    action: 'register',
    receivedAt: 1_776_000_000_000,
    fileName: 'panels.csv',
    declaration: 'file-upload-1',
    declaredBy: 'user:u',
    idempotencyKey: 'key',
    bodySha256: 'ab',
    bodyGzip: gzipSync(body),
    bodyBytes: body.length,
    ...contents,
  };
}

test('one transaction: batches to their partitions, then the manifest with the last offset of each', async () => {
  const submission = await submissionOf(4_000);
  const partitions = new Partitions();
  let transactions = 0;
  const log = kafkaSubmissionLog({
    transactions: {
      async run(work) {
        transactions += 1;
        return work(partitions);
      },
    },
    topics: { batches: 'batches', manifests: 'manifests' },
    batchEncoder: batches.encoder,
    manifestEncoder: manifests.encoder,
  });
  await log.write(submission);

  expect(transactions).toBe(1);
  expect(partitions.sends.map(({ topic }) => topic)).toEqual(['batches', 'manifests']);
  const sent = partitions.sends[0]!.messages.map((message) => {
    const batch = batches.decoder.decode(message.value)!;
    expect(readHeaders(message.headers!)).toEqual({
      submission: submission.id,
      batch: batch.batch,
      rows: batch.records.length,
      deadRows: 0,
      receivedAt: submission.receivedAt,
    });
    return { number: batch.batch, partition: message.partition, records: inRows(spelledOut(batch.records)) };
  });
  expect(sent).toEqual(submission.batches);

  const manifest = manifests.decoder.decode(partitions.sends[1]!.messages[0]!.value)!;
  expect(manifest).toMatchObject({
    submission: submission.id,
    rows: 4_000,
    batches: submission.batches.length,
  });
  expect(gunzipSync(manifest.body_gzip)).toHaveLength(submission.bodyBytes);
  expect(manifest.partitions.reduce((sum, { rows }) => sum + rows, 0)).toBe(4_000);
  for (const { partition, batches: count, last_offset } of manifest.partitions)
    expect(last_offset).toBe(100 * partition + count - 1);
});

/** In the order of the file. */
function inRows(records: readonly SerialRecord[]): readonly SerialRecord[] {
  return records.toSorted((a, b) => a.row - b.row);
}

test('a send holds at most what one record batch of a partition may hold; order is kept', () => {
  const message = (partition: number, kib: number, at: number): OutMessage => ({
    partition,
    value: Buffer.alloc(kib * 1024),
    headers: { at: String(at) },
  });
  const messages = Array.from({ length: 40 }, (_, i) => message(i % 2, i % 2 ? 200 : 20, i));
  const sends = splitSends(messages);
  expect(sends.length).toBe(5);
  for (const partition of [0, 1]) {
    const order = sends.flatMap((send) => send.filter((each) => each.partition === partition));
    expect(order).toEqual(messages.filter((each) => each.partition === partition));
    for (const send of sends) {
      const bytes = send.filter((each) => each.partition === partition).map(({ value }) => value.length);
      expect(bytes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(900_000);
    }
  }
});
