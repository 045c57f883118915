import avro from 'avsc';

/** What this needs of avsc's inner workings; its version is pinned, and a test decodes damaged counts. */
interface Tap {
  readonly buf: Buffer;
  readonly pos: number;
  readLong(): number;
}

interface ItemsType {
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
}

/**
 * avsc believes the count in front of an array: a few damaged bytes make it build a billion records before it looks for
 * the end of the message, and the process dies of that message for ever. This array refuses a count that the bytes left
 * cannot hold (every item of ours has at least one byte), so that such a message is wrong data like any other.
 */
class BoundedArray extends avro.types.ArrayType {
  // Resolvers take over the `_read` of the type they are made from.
  _read(this: { readonly itemsType: ItemsType }, tap: Tap): unknown[] {
    const items: unknown[] = [];
    for (let count = nextBlock(tap); count > 0; count = nextBlock(tap))
      for (let i = 0; i < count; i++) items.push(this.itemsType._read(tap));
    return items;
  }

  _skip(this: { readonly itemsType: ItemsType }, tap: Tap): void {
    for (let count = nextBlock(tap); count > 0; count = nextBlock(tap))
      for (let i = 0; i < count; i++) this.itemsType._skip(tap);
  }
}

/** A hook for `Type.forSchema`: its arrays are bounded. */
export function boundedArrays(schema: avro.Schema, options: avro.ForSchemaOptions): avro.Type | undefined {
  const isArray = typeof schema === 'object' && 'type' in schema && schema.type === 'array';
  return isArray ? new BoundedArray(schema as avro.schema.ArrayType, options) : undefined;
}

/** Items of the next block; a negative count is followed by the block's size. */
function nextBlock(tap: Tap): number {
  const count = tap.readLong();
  if (count < 0) tap.readLong();
  const items = Math.abs(count);
  if (items > tap.buf.length - tap.pos)
    throw new Error(`${items} items in ${tap.buf.length - tap.pos} bytes`);
  return items;
}
