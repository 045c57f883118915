import { randomBytes } from 'node:crypto';
import { avroType, type RecordSchema } from '#shared/codec/schemas.ts';
import { wireHeaderBytes } from '#shared/codec/wire.ts';

/** Ends every message in a container: when it does not, the bodies do not add up and the insert must throw (L4). */
export const sentinel = 0x5e_a1_1e_d6;

/** What the writer appends to each message, by the same rule as the stages: the bytes follow those of the message. */
export const coordinateFields = [
  { name: 'partition', type: 'int' },
  { name: 'offset', type: 'long' },
  { name: 'sentinel', type: 'long' },
] as const;

const coordinates = avroType({ type: 'record', name: 'Coordinates', fields: coordinateFields });
const long = avroType('long');
const fileHeader = avroType({
  type: 'record',
  name: 'FileHeader',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 'Sync', size: 16 } },
  ],
});

/**
 * Puts message bodies of one schema id into one Avro object container of one block, without decoding any of them.
 * The container is a list of buffers: bodies are put together once, where they are sent.
 */
export class ContainerWriter {
  readonly #header: Buffer;
  readonly #sync = randomBytes(16);

  constructor(schema: RecordSchema) {
    const extended = { ...schema, fields: [...schema.fields, ...coordinateFields] };
    this.#header = fileHeader.toBuffer({
      magic: Buffer.from('Obj\x01', 'latin1'),
      meta: { 'avro.schema': Buffer.from(JSON.stringify(extended)), 'avro.codec': Buffer.from('null') },
      sync: this.#sync,
    });
  }

  write(messages: readonly { partition: number; offset: number; value: Buffer }[]): readonly Buffer[] {
    const parts: Buffer[] = [];
    let bytes = 0;
    for (const { partition, offset, value } of messages) {
      const body = value.subarray(wireHeaderBytes);
      const tail = coordinates.toBuffer({ partition, offset, sentinel });
      parts.push(body, tail);
      bytes += body.length + tail.length;
    }
    const counts = Buffer.concat([long.toBuffer(messages.length), long.toBuffer(bytes)]);
    return [this.#header, counts, ...parts, this.#sync];
  }
}
