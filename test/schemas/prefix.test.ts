import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Appender, Encoder } from '#shared/codec/codec.ts';
import {
  avroType,
  type RecordSchema,
  releasedVersions,
  type SchemaName,
  tailSchema,
} from '#shared/codec/schemas.ts';
import { schemaIdOf, wireHeaderBytes } from '#shared/codec/wire.ts';
import { valuesOf } from '#test/support/avro.ts';

/** Each stage appends its fields to the bytes it received: so the bytes of the shorter are those the longer begins with. */
const pairs: readonly (readonly [shorter: SchemaName, longer: SchemaName])[] = [
  ['SerialBatch', 'ListedBatch'],
  ['ListedBatch', 'DecidedBatch'],
  ['ClaimEvent', 'EvidencedClaim'],
  ['EvidencedClaim', 'DecidedClaim'],
];

type Fields = Readonly<Record<string, unknown>>;

function split(value: Fields, shorter: RecordSchema): { head: Fields; tail: Fields } {
  const own = new Set(shorter.fields.map(({ name }) => name));
  const entries = Object.entries(value);
  return {
    head: Object.fromEntries(entries.filter(([name]) => own.has(name))),
    tail: Object.fromEntries(entries.filter(([name]) => !own.has(name))),
  };
}

describe.each(pairs)('%s begins %s', (shorterName, longerName) => {
  const shorter = releasedVersions(shorterName);
  const longer = releasedVersions(longerName);

  test('one of each per version', () => {
    expect(longer.map(({ version }) => version)).toEqual(shorter.map(({ version }) => version));
  });

  test.each(shorter.map(({ version, schema }, i) => [version, schema, longer[i]!.schema] as const))(
    'version %i: bytes of the longer = bytes of the shorter + tail',
    (version, short, long) => {
      const tailType = avroType(tailSchema(short, long));
      const [shortType, longType] = [avroType(short), avroType(long)];
      const appender = new Appender<Fields>(
        [{ id: version, schema: short, type: shortType }],
        [{ id: 70_000 + version, schema: long, type: longType }],
      );
      const encoder = new Encoder<Fields>(shortType, version);
      fc.assert(
        fc.property(valuesOf(long), (value) => {
          const { head, tail } = split(value, short);
          const bytes = longType.toBuffer(value);
          expect(Buffer.concat([shortType.toBuffer(head), tailType.toBuffer(tail)])).toEqual(bytes);

          const received = encoder.encode(head);
          const kept = Buffer.from(received);
          const message = appender.append(received, tail);
          expect(message.subarray(wireHeaderBytes)).toEqual(bytes);
          expect(schemaIdOf(message)).toBe(70_000 + version);
          // The bytes received may be published again by whoever holds them.
          expect(received).toEqual(kept);
        }),
        { numRuns: 40 },
      );
    },
  );
});

describe('a schema that does not extend another is refused', () => {
  const short = releasedVersions('SerialBatch')[0]!.schema;
  const long = releasedVersions('ListedBatch')[0]!.schema;
  const fields = long.fields;

  test.each<[string, RecordSchema['fields']]>([
    ['a field before the others', [{ name: 'first', type: 'int' }, ...fields]],
    ['two fields in another order', [fields[1]!, fields[0]!, ...fields.slice(2)]],
    ['another type', [{ ...fields[0]!, type: 'bytes' }, ...fields.slice(1)]],
    ['a field less', fields.slice(1)],
    ['fewer fields than the shorter one', fields.slice(0, short.fields.length - 1)],
  ])('%s', (_what, changed) => {
    expect(() => tailSchema(short, { ...long, fields: changed })).toThrow('does not extend SerialBatch');
  });
});
