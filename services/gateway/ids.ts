import { createHash, randomBytes } from 'node:crypto';
import { joinKey } from '#shared/base/keys.ts';

/** UUID version 7: the time in milliseconds, then randomness. */
export function newId(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  return formatUuid(bytes, 7);
}

/** UUID version 8 out of SHA-256 of the parts: the same parts, the same id, at any instance and at any time. */
export function derivedId(...parts: readonly string[]): string {
  return formatUuid(
    createHash('sha256')
      .update(joinKey(...parts))
      .digest()
      .subarray(0, 16),
    8,
  );
}

/**
 * As `derivedId`, of two lists of parts: all ids of one first list begin alike, and can be looked for by that. Returns the id,
 * and its beginning.
 */
export function derivedIdOf(
  first: readonly string[],
  second: readonly string[],
): { readonly id: string; readonly beginning: string } {
  const half = (parts: readonly string[]) =>
    createHash('sha256')
      .update(joinKey(...parts))
      .digest()
      .subarray(0, 8);
  const id = formatUuid(Buffer.concat([half(first), half(second)]), 8);
  return { id, beginning: id.slice(0, 19) };
}

/** When an id of version 7 was made, epoch milliseconds. */
export function timeOfId(id: string): number | undefined {
  return id[14] === '7' ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined;
}

function formatUuid(bytes: Buffer, version: 7 | 8): string {
  bytes[6] = (bytes[6]! & 0x0f) | (version << 4);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
