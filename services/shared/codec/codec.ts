import type avro from 'avsc';
import { assert } from '#shared/base/errors.ts';
import {
  avroType,
  type RecordSchema,
  releasedVersions,
  type SchemaName,
  tailSchema,
  type View,
  viewSchema,
} from './schemas.ts';
import { schemaIdOf, wireHeaderBytes, writeWireHeader } from './wire.ts';

/** What the codec needs of a schema registry. Ids are resolved once and kept. */
export interface RegistryPort {
  /** Registers one version under the subject `<topic>-value` and returns its id; the same text has the same id. */
  register(subject: string, schemaText: string): Promise<number>;
}

interface Version {
  readonly id: number;
  readonly schema: RecordSchema;
  readonly type: avro.Type;
}

/** Writes values of one type into Confluent wire format. A slab is reused, the message itself is a copy of its own. */
export class Encoder<T> {
  readonly id: number;
  readonly #type: avro.Type;
  #slab = Buffer.allocUnsafeSlow(64 * 1024);

  constructor(type: avro.Type, id: number) {
    this.#type = type;
    this.id = id;
  }

  /** The message: wire header and body. Throws when the value does not fit the schema (our bug). */
  encode(value: T): Buffer {
    let end = this.#type.encode(value, this.#slab, wireHeaderBytes);
    if (end < 0) {
      this.#slab = Buffer.allocUnsafeSlow((this.#slab.length - end) * 2);
      end = this.#type.encode(value, this.#slab, wireHeaderBytes);
    }
    writeWireHeader(this.#slab, this.id);
    return Buffer.from(this.#slab.subarray(0, end));
  }
}

/** Reads messages of every released version of one schema, or a view of it, as values of the newest version. */
export class Decoder<T> {
  readonly #readerType: avro.Type;
  readonly #resolvers = new Map<number, unknown>();

  constructor(readerType: avro.Type, versions: readonly Version[]) {
    this.#readerType = readerType;
    for (const version of versions)
      this.#resolvers.set(version.id, readerType.createResolver(version.type as never));
  }

  /** The value, or undefined when the bytes are not a message of a known version: wrong data, a dead letter. */
  decode(message: Buffer | null): T | undefined {
    const resolver = this.#resolvers.get(schemaIdOf(message) ?? -1);
    if (!resolver || !message) return undefined;
    try {
      const { value, offset } = this.#readerType.decode(message, wireHeaderBytes, resolver as never) as {
        value: T | undefined;
        offset: number;
      };
      return offset === message.length ? value : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Appends a stage's own fields to the bytes it received (append, never rewrite). */
export class Appender<T> {
  /** Id of the message received -> id of the message it becomes. */
  readonly #successors = new Map<number, { id: number; type: avro.Type }>();
  #slab = Buffer.allocUnsafeSlow(16 * 1024);

  constructor(shorter: readonly Version[], longer: readonly Version[]) {
    assert(shorter.length === longer.length, 'a schema and the one that extends it have the same versions');
    shorter.forEach((version, i) => {
      const next = longer[i]!;
      this.#successors.set(version.id, {
        id: next.id,
        type: avroType(tailSchema(version.schema, next.schema)),
      });
    });
  }

  /** The bytes that a message of this id gets appended. */
  tail(message: Buffer, fields: T): Buffer {
    const { type } = this.#successor(message);
    let end = type.encode(fields, this.#slab, 0);
    if (end < 0) {
      this.#slab = Buffer.allocUnsafeSlow((this.#slab.length - end) * 2);
      end = type.encode(fields, this.#slab, 0);
    }
    return Buffer.from(this.#slab.subarray(0, end));
  }

  /** The longer message: the bytes received, the tail, and the id of the longer schema. */
  join(message: Buffer, tail: Buffer): Buffer {
    const longer = Buffer.concat([message, tail]);
    writeWireHeader(longer, this.#successor(message).id);
    return longer;
  }

  append(message: Buffer, fields: T): Buffer {
    return this.join(message, this.tail(message, fields));
  }

  #successor(message: Buffer): { id: number; type: avro.Type } {
    const successor = this.#successors.get(schemaIdOf(message) ?? -1);
    assert(successor, 'only a decoded message is appended to');
    return successor;
  }
}

/** The schemas of the named topics, registered and ready. */
export class Codec {
  readonly #versions: ReadonlyMap<SchemaName, readonly Version[]>;

  private constructor(versions: ReadonlyMap<SchemaName, readonly Version[]>) {
    this.#versions = versions;
  }

  /** Registers every released version of the schemas, oldest first. */
  static async open(registry: RegistryPort, topics: Readonly<Record<string, SchemaName>>): Promise<Codec> {
    const versions = new Map<SchemaName, Version[]>();
    for (const [topic, name] of Object.entries(topics)) {
      const known: Version[] = [];
      for (const released of releasedVersions(name)) {
        const id = await registry.register(`${topic}-value`, released.text);
        known.push({ id, schema: released.schema, type: avroType(released.schema) });
      }
      assert(known.length > 0, `schema ${name} has no released version`);
      versions.set(name, known);
    }
    return new Codec(versions);
  }

  encoder<T>(name: SchemaName): Encoder<T> {
    const newest = this.versions(name).at(-1)!;
    return new Encoder<T>(newest.type, newest.id);
  }

  decoder<T>(name: SchemaName, view?: View): Decoder<T> {
    const versions = this.versions(name);
    const newest = versions.at(-1)!.schema;
    return new Decoder<T>(avroType(view ? viewSchema(newest, view) : newest), versions);
  }

  appender<T>(shorter: SchemaName, longer: SchemaName): Appender<T> {
    return new Appender<T>(this.versions(shorter), this.versions(longer));
  }

  versions(name: SchemaName): readonly Version[] {
    const versions = this.#versions.get(name);
    assert(versions, `schema ${name} was not opened`);
    return versions;
  }
}
