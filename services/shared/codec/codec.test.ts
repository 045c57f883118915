import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '#shared/base/errors.ts';
import { valuesOf } from '#test/support/avro.ts';
import { Appender, Codec, Decoder, Encoder } from './codec.ts';
import { avroType, type RecordSchema, releasedVersions, schemaOfTopic, viewSchema } from './schemas.ts';
import { schemaIdOf, wireHeaderBytes } from './wire.ts';

type Fields = Readonly<Record<string, unknown>>;

function schemaOf(name: string, ...fields: RecordSchema['fields']): RecordSchema {
  return { type: 'record', name, namespace: 'test', fields };
}

const a = { name: 'a', type: 'string' };
const b = { name: 'b', type: 'int', default: 7 };
const note = { name: 'note', type: 'string' };
const remark = { name: 'remark', type: 'string', default: 'none' };

function version(id: number, schema: RecordSchema) {
  return { id, schema, type: avroType(schema) };
}

// Two releases of a topic's schema, and of the one that extends it, as they would lie in one log.
const short = [version(1, schemaOf('Short', a)), version(2, schemaOf('Short', a, b))];
const long = [version(11, schemaOf('Long', a, note)), version(12, schemaOf('Long', a, b, note, remark))];

const encoderOf = (of: { id: number; type: ReturnType<typeof avroType> }) =>
  new Encoder<Fields>(of.type, of.id);

describe('Encoder and Decoder', () => {
  test('every released version is read as the newest', () => {
    const decoder = new Decoder<Fields>(short[1]!.type, short);
    expect(decoder.decode(encoderOf(short[0]!).encode({ a: 'x' }))).toEqual({ a: 'x', b: 7 });
    expect(decoder.decode(encoderOf(short[1]!).encode({ a: 'x', b: 8 }))).toEqual({ a: 'x', b: 8 });
  });

  test('a message larger than the slab is written whole, and keeps its bytes when the slab is used again', () => {
    const encoder = encoderOf(short[0]!);
    const decoder = new Decoder<Fields>(short[0]!.type, short.slice(0, 1));
    const values = [{ a: 'x'.repeat(300_000) }, { a: 'y' }, { a: 'z'.repeat(64 * 1024) }];
    const messages = values.map((value) => encoder.encode(value));
    expect(messages.map((message) => decoder.decode(message))).toEqual(values);
  });

  test('a value that does not fit is our bug', () => {
    expect(() => encoderOf(short[1]!).encode({ a: 'x', b: 1.5 })).toThrow();
    expect(() => encoderOf(short[1]!).encode({ b: 1 })).toThrow();
  });
});

describe('bytes that are not a message of a known version are no value', () => {
  const decoder = new Decoder<Fields>(short[1]!.type, short);
  const good = encoderOf(short[1]!).encode({ a: 'text', b: 1_000 });
  const changed = (at: number, byte: number) => {
    const message = Buffer.from(good);
    message[at] = byte;
    return message;
  };

  test.each<[string, Buffer | null]>([
    ['no bytes', null],
    ['empty', Buffer.alloc(0)],
    ['a wire header without a body', good.subarray(0, wireHeaderBytes)],
    ['part of a wire header', good.subarray(0, 4)],
    ['wrong magic', changed(0, 1)],
    ['an unknown id', changed(4, 9)],
    ['an id that only a longer schema has', changed(4, 11)],
    ['a byte more', Buffer.concat([good, Buffer.from([0])])],
    ['another message behind it', Buffer.concat([good, good])],
    ['JSON', Buffer.from('{"a":"text"}')],
    ['a length below zero', changed(wireHeaderBytes, 1)],
    ['a length beyond the end', changed(wireHeaderBytes, 120)],
  ])('%s', (_what, message) => {
    expect(decoder.decode(good)).toEqual({ a: 'text', b: 1_000 });
    expect(decoder.decode(message)).toBeUndefined();
  });
});

describe('views', () => {
  const { schema } = releasedVersions('ListedBatch').at(-1)!;
  const full = version(5, schema);
  const view = {
    product: true,
    received_at: true,
    records: { serial_key: true, finding: true },
    listings: { finding: true },
  } as const;
  const whole = new Decoder<Fields>(full.type, [full]);
  const partial = new Decoder<Fields>(avroType(viewSchema(schema, view)), [full]);
  const encoder = encoderOf(full);

  test('hold the fields they name, and nothing else', () => {
    fc.assert(
      fc.property(valuesOf<{ records: Fields[]; listings: Fields[] } & Fields>(schema), (value) => {
        const message = encoder.encode(value);
        expect(whole.decode(message)).toEqual(value);
        expect(partial.decode(message)).toEqual({
          product: value.product,
          received_at: value.received_at,
          records: value.records.map(({ serial_key, finding }) => ({ serial_key, finding })),
          listings: value.listings.map(({ finding }) => ({ finding })),
        });
      }),
      { numRuns: 50 },
    );
  });

  test('what is cut short anywhere, or longer than it says, is no value: skipped fields count as well', () => {
    fc.assert(
      fc.property(
        valuesOf(schema),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        (value, at, more) => {
          const message = encoder.encode(value);
          const cut = message.subarray(0, at % message.length);
          for (const decoder of [whole, partial]) {
            expect(decoder.decode(cut)).toBeUndefined();
            expect(decoder.decode(Buffer.concat([message, more]))).toBeUndefined();
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a damaged count of items', () => {
  const { schema } = releasedVersions('SerialBatch').at(-1)!;
  const full = version(5, schema);
  const batch = { submission: '', batch: 0, account: '', supplier: '', channel: '', product: '', action: '' };
  const message = encoderOf(full).encode({ ...batch, received_at: 0, records: [] });
  // The message ends in the count of its records, 0.
  const damaged = (...counts: readonly number[]) =>
    Buffer.concat([message.subarray(0, -1), ...counts.map((count) => avroType('long').toBuffer(count))]);

  test.each<[string, Buffer]>([
    ['a billion', damaged(1e9)],
    ['more than an array takes', damaged(2 ** 40)],
    ['a block of a billion, with its size', damaged(-1e9, 8)],
    ['one, and nothing behind it', damaged(1)],
  ])('%s: no value, at once, read or skipped', (_what, bytes) => {
    const skipping = new Decoder<Fields>(avroType(viewSchema(schema, { product: true })), [full]);
    for (const decoder of [new Decoder<Fields>(full.type, [full]), skipping]) {
      expect(decoder.decode(message)).toMatchObject({ product: '' });
      expect(decoder.decode(bytes)).toBeUndefined();
    }
  });

  test('any damage to any message is no value, or another value: never the end of the process', () => {
    const encoder = encoderOf(full);
    const decoder = new Decoder<Fields>(full.type, [full]);
    fc.assert(
      fc.property(
        valuesOf(schema),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (value, damages) => {
          const bytes = encoder.encode(value);
          for (const [at, byte] of damages)
            bytes[wireHeaderBytes + (at % (bytes.length - wireHeaderBytes))] = byte;
          decoder.decode(bytes);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('Appender', () => {
  const appender = new Appender<Fields>(short, long);
  const decoder = new Decoder<Fields>(long[1]!.type, long);

  test.each([
    [0, { a: 'x' }, { note: 'n' }, { a: 'x', b: 7, note: 'n', remark: 'none' }],
    [1, { a: 'x', b: 8 }, { note: 'n', remark: 'r' }, { a: 'x', b: 8, note: 'n', remark: 'r' }],
  ])(
    'a message of version %# becomes one of the same version of the longer schema',
    (i, head, tail, read) => {
      const message = appender.append(encoderOf(short[i]!).encode(head), tail);
      expect(schemaIdOf(message)).toBe(long[i]!.id);
      expect(decoder.decode(message)).toEqual(read);
    },
  );

  test('a tail larger than the slab', () => {
    const message = encoderOf(short[0]!).encode({ a: 'x' });
    const tail = { note: 'n'.repeat(100_000) };
    const kept = appender.tail(message, tail);
    appender.tail(message, { note: 'other' });
    expect(decoder.decode(appender.join(message, kept))).toMatchObject(tail);
  });

  test('what was not decoded is not appended to; versions go in pairs: our bugs', () => {
    expect(() => appender.append(encoderOf(long[0]!).encode({ a: 'x', note: '' }), {})).toThrow(
      AssertionError,
    );
    expect(() => new Appender(short, long.slice(0, 1))).toThrow(AssertionError);
  });
});

describe('Codec', () => {
  test('registers every released version under its topic, oldest first, and finds them by name', async () => {
    const registered: string[] = [];
    const registry = {
      register: async (subject: string, text: string) => {
        registered.push(subject);
        return registered.length * 100 + JSON.parse(text).name.length;
      },
    };
    const codec = await Codec.open(registry, schemaOfTopic);
    const expected = Object.entries(schemaOfTopic).flatMap(([topic, name]) =>
      releasedVersions(name).map(() => `${topic}-value`),
    );
    expect(registered).toEqual(expected);
    for (const name of Object.values(schemaOfTopic))
      expect(codec.encoder(name).id).toBe(codec.versions(name).at(-1)!.id);
    const some = await Codec.open(registry, { accounts: 'AccountEvent' });
    expect(() => some.decoder('SerialBatch')).toThrow('was not opened');
  });
});
