import fc from 'fast-check';
import type { RecordSchema } from '#shared/codec/schemas.ts';

/** Values of any Avro schema of this project, with the lengths and numbers at which encodings change. */
export function valuesOf<T = Readonly<Record<string, unknown>>>(schema: RecordSchema): fc.Arbitrary<T> {
  return recordOf(schema) as fc.Arbitrary<T>;
}

interface Complex {
  readonly type: unknown;
  readonly items?: unknown;
  readonly values?: unknown;
  readonly symbols?: readonly string[];
}

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', 'x'.repeat(63), 'x'.repeat(64), 'é'.repeat(64)),
);
/** What avsc keeps of a long as a number: below -2^52 it reads another than it wrote. Ours are never below -1. */
const longMin = -(2 ** 52);
const longMax = 2 ** 53 - 2;
const longs = fc.oneof(
  fc.maxSafeInteger().map((value) => Math.min(Math.max(value, longMin), longMax)),
  fc.constantFrom(0, -1, 63, 64, 2 ** 31, longMin, longMax),
);

function recordOf({ fields }: RecordSchema): fc.Arbitrary<unknown> {
  return fc.record(Object.fromEntries(fields.map(({ name, type }) => [name, arbitraryOf(type)])), {
    noNullPrototype: true,
  });
}

function arbitraryOf(type: unknown): fc.Arbitrary<unknown> {
  const kind = typeof type === 'string' ? type : (type as Complex).type;
  const complex = type as Complex;
  switch (kind) {
    case 'string':
      return texts;
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.oneof(fc.integer(), fc.constantFrom(0, 1, 63, 64, 2 ** 31 - 1, -(2 ** 31)));
    case 'long':
      return longs;
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    case 'array':
      return fc.array(arbitraryOf(complex.items), { maxLength: 4 });
    case 'record':
      return recordOf(type as RecordSchema);
    default:
      throw new Error(`no values are known for the Avro type ${JSON.stringify(type)}`);
  }
}
