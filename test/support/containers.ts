import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import avro from 'avsc';

/** Reads an Avro object container with avsc's own reader. Rejects when it is not one. */
export async function readContainer(parts: readonly Buffer[]): Promise<Record<string, unknown>[]> {
  const decoder = new avro.streams.BlockDecoder();
  const values: Record<string, unknown>[] = [];
  decoder.on('data', (value) => values.push({ ...value }));
  Readable.from([Buffer.concat(parts)]).pipe(decoder);
  await finished(decoder);
  return values;
}
