import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import avro from 'avsc';
import './avsc-strings.ts';
import { boundedArrays } from './bounded-arrays.ts';
import './strict-booleans.ts';

/** One Avro schema as written in `schemas/`. Only records travel on topics. */
export interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly namespace: string;
  readonly fields: readonly { readonly name: string; readonly type: unknown; readonly default?: unknown }[];
}

/** A released schema: once published, its text never changes. Versions count from 1 without gaps. */
export interface ReleasedSchema {
  readonly name: string;
  readonly version: number;
  readonly schema: RecordSchema;
  readonly text: string;
}

export const schemasFolder = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  '..',
  'schemas',
);

/** The value schemas of each topic, by the topic's plain name. */
export const schemaOfTopic = {
  accounts: 'AccountEvent',
  submissions: 'SubmissionManifest',
  'serials.submitted': 'SerialBatch',
  'serials.listed': 'ListedBatch',
  'serials.decided': 'DecidedBatch',
  'claims.submitted': 'ClaimEvent',
  'claims.evidenced': 'EvidencedClaim',
  'claims.decided': 'DecidedClaim',
  rulings: 'Ruling',
} as const;
export type SchemaName = (typeof schemaOfTopic)[keyof typeof schemaOfTopic];

export function readSchema(file: string): RecordSchema {
  return JSON.parse(readFileSync(file, 'utf8')) as RecordSchema;
}

/** All released versions of one schema, oldest first. */
export function releasedVersions(name: SchemaName): readonly ReleasedSchema[] {
  const folder = path.join(schemasFolder, 'released');
  return readdirSync(folder)
    .map((file) => /^(\w+)\.(\d+)\.avsc$/.exec(file))
    .filter((match) => match?.[1] === name)
    .map((match) => {
      const text = readFileSync(path.join(folder, match![0]), 'utf8');
      return { name, version: Number(match![2]), schema: JSON.parse(text) as RecordSchema, text };
    })
    .sort((a, b) => a.version - b.version);
}

/** Longs are numbers in this project: offsets, origins and epoch milliseconds all stay below 2^53. */
export function avroType(schema: unknown): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, { logicalTypes: {}, typeHook: boundedArrays });
}

/**
 * The fields by which `longer` extends `shorter`, as a record of their own: its bytes, written after the bytes of a
 * `shorter`, are exactly the bytes of a `longer`. Throws when `longer` does not begin with all fields of `shorter`.
 */
export function tailSchema(shorter: RecordSchema, longer: RecordSchema): RecordSchema {
  shorter.fields.forEach((field, i) => {
    const other = longer.fields[i];
    if (!other || other.name !== field.name || JSON.stringify(other.type) !== JSON.stringify(field.type))
      throw new Error(`${longer.name} does not extend ${shorter.name}: field ${i} (${field.name}) differs`);
  });
  return { ...longer, name: `${longer.name}Tail`, fields: longer.fields.slice(shorter.fields.length) };
}

/**
 * A reader's view of a schema: the named fields only, at the depth given. `true` keeps a field whole; an object keeps
 * fields of the record (or of the array's items). What is left out is skipped while decoding, not built.
 */
export interface View {
  readonly [field: string]: true | View;
}

export function viewSchema(schema: RecordSchema, view: View): RecordSchema {
  const fields = schema.fields
    .filter((field) => field.name in view)
    .map((field) => ({ ...field, type: viewType(field.type, view[field.name]!) }));
  return { ...schema, fields };
}

function viewType(type: unknown, view: true | View): unknown {
  if (view === true) return type;
  const { type: kind, items } = type as { type: string; items?: RecordSchema };
  return kind === 'array'
    ? { type: 'array', items: viewSchema(items!, view) }
    : viewSchema(type as RecordSchema, view);
}
