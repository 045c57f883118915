import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Refusal, RefusedError, refuse } from '#gateway/refusal.ts';

export type ContentEncoding = 'identity' | 'gzip';

/** As the header says, in lower case; `identity` unless it says anything. */
export function encodingGiven(headers: IncomingHttpHeaders): string {
  return headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
}

/** The connection broke: there is nobody to answer. */
export class ClientGone extends Error {}

/** The bytes of a body as they come, without ending it when they are not wanted any more: its answer is still to be read. */
export function bytesOf(body: Readable, encoding: ContentEncoding): AsyncIterable<Buffer> {
  return encoding === 'gzip' ? unzipped(body, () => undefined) : plain(body);
}

async function* plain(body: Readable): AsyncGenerator<Buffer, void> {
  try {
    yield* body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw new ClientGone('the connection broke', { cause: error });
  }
  if (!body.readableEnded) throw new ClientGone('the connection broke');
}

/** Of gzip with any number of members. Data that the format has no place for is an error, not left out. */
async function* unzipped(body: Readable, came: (bytes: number) => void): AsyncGenerator<Buffer, void> {
  const gunzip = createGunzip();
  const gone = () => {
    if (!body.readableEnded) gunzip.destroy(new ClientGone('the connection broke'));
  };
  let received = 0;
  let lastData = 0;
  const count = (bytes: Buffer) => {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end -= 1;
    if (end > 0) lastData = received + end;
    received += bytes.length;
    came(bytes.length);
  };
  body.on('error', gone).on('close', gone).on('data', count).pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    throw error instanceof ClientGone ? error : broken(gunzip.bytesWritten, (error as Error).message);
  } finally {
    body.unpipe(gunzip);
    body.off('close', gone).off('data', count);
    gunzip.destroy();
  }
  // Zeros behind the end are padding. What stands behind them is not read by zlib, and must not be lost.
  if (!body.readableEnded)
    for await (const bytes of plain(body)) {
      count(bytes);
      yield nothing;
    }
  if (lastData > gunzip.bytesWritten) throw broken(gunzip.bytesWritten, 'there is data behind its end');
}

const nothing = Buffer.alloc(0);

function broken(position: number, message: string): RefusedError {
  return new RefusedError(
    refuse('gzip_broken', `at byte ${position} of the compressed data: ${message}`, { position }),
  );
}

/** How far a compressed body may grow. */
export interface Inflation {
  readonly bytesMax: number;
  /** How many times its compressed size, once it is beyond `freeBytes`. */
  readonly ratioMax: number;
  readonly freeBytes: number;
  /** What the first limit is called among all limits. */
  readonly name: string;
}

/** A compressed body as it was before, for a parser that reads all of it. */
export function inflated(body: Readable, limits: Inflation): Readable {
  let received = 0;
  const unpacked = unzipped(body, (bytes) => {
    received += bytes;
  });
  const bytes = Readable.from(
    bounded(unpacked, limits, () => received),
    { objectMode: false },
  );
  // By this the parser compares what came with what was announced.
  return Object.defineProperty(bytes, 'receivedEncodedLength', { get: () => received });
}

async function* bounded(
  bytes: AsyncIterable<Buffer>,
  { bytesMax, ratioMax, freeBytes, name }: Inflation,
  received: () => number,
): AsyncGenerator<Buffer, void> {
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > bytesMax) throw new RefusedError(tooLarge(bytesMax, name));
    if (length > freeBytes && length > ratioMax * received())
      throw new RefusedError(refuse('inflates_too_far', undefined, { limit: ratioMax }));
    yield piece;
  }
}

/** `name`: what the limit is called at /v1/limits. */
export function tooLarge(limit: number, name: string): Refusal {
  return refuse('body_too_large', `the limit is ${limit} bytes`, { limit, limit_name: name });
}
