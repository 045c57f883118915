import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Encoder } from '#shared/codec/codec.ts';
import { avroType, releasedVersions, type SchemaName } from '#shared/codec/schemas.ts';
import { valuesOf } from '#test/support/avro.ts';
import { readContainer } from '#test/support/containers.ts';
import { ContainerWriter, sentinel } from './container.ts';

const names: readonly SchemaName[] = ['DecidedBatch', 'SubmissionManifest', 'DecidedClaim'];
const all = names.flatMap((name) =>
  releasedVersions(name).map(({ version, schema }) => [name, version, schema] as const),
);

describe('a container', () => {
  test.each(all)(
    'of %s, version %i: every message, then where it came from and the sentinel',
    async (_name, id, schema) => {
      const encoder = new Encoder(avroType(schema), id);
      const writer = new ContainerWriter(schema);
      const messages = fc.array(
        fc.record({
          partition: fc.nat(11),
          offset: fc.nat(),
          fields: valuesOf(schema),
        }),
        { minLength: 1, maxLength: 5 },
      );
      await fc.assert(
        fc.asyncProperty(messages, async (given) => {
          const parts = writer.write(
            given.map(({ fields, ...at }) => ({ ...at, value: encoder.encode(fields) })),
          );
          expect(await readContainer(parts)).toEqual(
            given.map(({ fields, partition, offset }) => ({ ...fields, partition, offset, sentinel })),
          );
        }),
        { numRuns: 15 },
      );
    },
  );

  test('bodies are not copied on their way', () => {
    const [, , schema] = all[0]!;
    const value = Buffer.from([0, 0, 0, 0, 1, 42]);
    const parts = new ContainerWriter(schema).write([{ partition: 0, offset: 0, value }]);
    expect(
      parts.some((part) => part.buffer === value.buffer && part.byteOffset === value.byteOffset + 5),
    ).toBe(true);
  });
});
