import { createRequire } from 'node:module';

// avsc takes every byte but 0 for true. ClickHouse refuses all but 0 and 1, and would do so when the rest of the message has
// been decided by: it must be wrong data for whoever reads it first.

interface Tap {
  readonly buf: Buffer;
  pos: number;
  readBoolean(this: Tap): boolean;
}

const { Tap } = createRequire(import.meta.url)('avsc/lib/utils') as { Tap: { prototype: Tap } };

Tap.prototype.readBoolean = function () {
  const byte = this.buf[this.pos++]!;
  if (byte > 1) throw new Error(`${byte} is no boolean`);
  return byte === 1;
};
