import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { assert } from '#shared/base/errors.ts';

/** The bytes of an upload, as the ledger keeps them. */
export interface KeptFile {
  readonly gzip: Buffer;
  /** Hexadecimal, of the bytes as they came. */
  readonly sha256: string;
  readonly bytes: number;
  readonly file_name: string;
  readonly channel: string;
  /** Empty for a file or a body of JSON: the channel says it. */
  readonly media_type: string;
}

const unpack = promisify(gunzip);

/** The bytes as they came. Whoever gets them can rely on them: they are compared with the digest of their receipt. */
export async function bytesOf(kept: KeptFile): Promise<Buffer> {
  // One byte more than there may be, so that a longer file is seen to be another one.
  const bytes = await unpack(kept.gzip, { maxOutputLength: kept.bytes + 1 });
  assert(hash('sha256', bytes, 'hex') === kept.sha256, 'the kept bytes are those that came');
  return bytes;
}

export function mediaTypeOf({ media_type, channel }: Pick<KeptFile, 'media_type' | 'channel'>): string {
  if (media_type !== '') return media_type;
  return channel === 'json' ? 'application/json' : 'text/csv';
}

/** RFC 9530. */
export function digestOf(kept: KeptFile): string {
  return `sha-256=:${Buffer.from(kept.sha256, 'hex').toString('base64')}:`;
}

/** RFC 6266: the name in ASCII, and as it is. */
export function dispositionOf(name: string): string {
  const plain = name.replaceAll(/[^ -~]|["\\%/;]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
