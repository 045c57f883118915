import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  avroType,
  type RecordSchema,
  releasedVersions,
  type SchemaName,
  schemaOfTopic,
  schemasFolder,
} from '#shared/codec/schemas.ts';
import { valuesOf } from '#test/support/avro.ts';

const released = path.join(schemasFolder, 'released');
const names = readdirSync(schemasFolder)
  .filter((file) => file.endsWith('.avsc'))
  .map((file) => path.basename(file, '.avsc') as SchemaName);
const files = readdirSync(released).filter((file) => file.endsWith('.avsc'));

/** `sha256sum` of every released copy. Lines are added, never changed: what was read once must be readable for ever. */
const sums = new Map(
  readFileSync(path.join(released, 'SHA256SUMS'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('  ').reverse() as [string, string]),
);

/** BACKWARD: a reader of `newer` reads what was written with `older`. Returns why not. */
function unreadable(newer: RecordSchema, older: RecordSchema): string | undefined {
  try {
    avroType(newer).createResolver(avroType(older));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A value as a newer schema has it, records of its arrays too. */
function withDefaults(type: unknown, value: unknown): unknown {
  const {
    type: kind,
    items,
    fields,
  } = type as {
    readonly type?: string;
    readonly items?: unknown;
    readonly fields?: RecordSchema['fields'];
  };
  if (kind === 'array') return (value as unknown[]).map((item) => withDefaults(items, item));
  if (kind !== 'record') return value;
  const own = value as Record<string, unknown>;
  return Object.fromEntries(
    fields!.map((field) => [
      field.name,
      field.name in own ? withDefaults(field.type, own[field.name]) : field.default,
    ]),
  );
}

describe('schemas', () => {
  test('there is one for each topic value, and none besides', () => {
    expect([...names].sort()).toEqual(Object.values(schemaOfTopic).sort());
  });

  test.each(names)('%s equals its newest released copy', (name) => {
    const text = readFileSync(path.join(schemasFolder, `${name}.avsc`), 'utf8');
    expect(text, `release ${name}: copy it to released/ as its next version, with a line in SHA256SUMS`).toBe(
      releasedVersions(name).at(-1)!.text,
    );
  });

  test.each(names)('the versions of %s count from 1 without gaps', (name) => {
    const versions = releasedVersions(name).map(({ version }) => version);
    expect(versions).toEqual(versions.map((_, i) => i + 1));
    expect(versions).not.toEqual([]);
  });
});

describe('released copies', () => {
  test('are all in the list of hashes, and all that is listed is there', () => {
    expect([...sums.keys()].sort()).toEqual([...files].sort());
  });

  test.each(files)('%s never changes', (file) => {
    const bytes = readFileSync(path.join(released, file));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sums.get(file));
  });
});

describe('BACKWARD_TRANSITIVE', () => {
  const pairs = names.flatMap((name) =>
    releasedVersions(name).flatMap((newer, i, all) =>
      all.slice(0, i + 1).map((older) => [newer, older] as const),
    ),
  );

  test.each(pairs.map(([newer, older]) => [newer.name, newer.version, older.version, newer, older] as const))(
    '%s: version %i reads what version %i wrote',
    (_name, _newer, _older, newer, older) => {
      expect(unreadable(newer.schema, older.schema)).toBeUndefined();
      const [reader, writer] = [avroType(newer.schema), avroType(older.schema)];
      const resolver = reader.createResolver(writer);
      fc.assert(
        fc.property(valuesOf(older.schema), (value) => {
          const bytes = writer.toBuffer(value);
          expect(writer.fromBuffer(bytes)).toEqual(value);
          expect(reader.fromBuffer(bytes, resolver, false)).toEqual(withDefaults(newer.schema, value));
        }),
        { numRuns: 30 },
      );
    },
  );

  const base: RecordSchema = {
    type: 'record',
    name: 'Base',
    namespace: 'ledger',
    fields: [
      { name: 'a', type: 'string' },
      { name: 'n', type: 'int' },
    ],
  };
  const withField = (field: RecordSchema['fields'][number]): RecordSchema => ({
    ...base,
    fields: [...base.fields, field],
  });

  test.each<[string, RecordSchema, boolean]>([
    ['the same', base, true],
    ['a field more, with a default', withField({ name: 'b', type: 'string', default: '' }), true],
    ['a field more, without', withField({ name: 'b', type: 'string' }), false],
    ['a field less', { ...base, fields: base.fields.slice(1) }, true],
    ['a wider number', { ...base, fields: [base.fields[0]!, { name: 'n', type: 'long' }] }, true],
    ['another type', { ...base, fields: [base.fields[0]!, { name: 'n', type: 'string' }] }, false],
    ['another name', { ...base, fields: [base.fields[0]!, { name: 'm', type: 'int' }] }, false],
  ])('the check can tell: %s', (_what, newer, readable) => {
    expect(unreadable(newer, base) === undefined).toBe(readable);
  });
});
