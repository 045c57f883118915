import { createRequire } from 'node:module';
import { withoutAborted } from './aborted.ts';
import { crc32c } from './crc32c.ts';

/**
 * The one place where kafkajs is loaded: with a checksum of our own, an encoder that does not copy what it nests, a timer that
 * ends, and a filter that leaves out all of an aborted transaction. The bytes on the wire are the same (tested against the
 * untouched modules).
 */
const require = createRequire(import.meta.url);

// Before anything else of kafkajs: its other modules take hold of a function when they are loaded.
replace('kafkajs/src/protocol/recordBatch/crc32C', crc32c);
replace('kafkajs/src/consumer/filterAbortedMessages', withoutAborted);

export const kafkajs = require('kafkajs') as typeof import('kafkajs');
nestWithoutCopies(require('kafkajs/src/protocol/encoder'));
endIdleTimer(require('kafkajs/src/network/requestQueue'));

function replace(module: string, by: unknown): void {
  require(module);
  require.cache[require.resolve(module)]!.exports = by;
}

interface Encoder {
  buf: Buffer;
  offset: number;
  readonly buffer: Buffer;
  /** What was written before `buf`; absent as long as `buf` holds everything. */
  parts?: Buffer[];
}

interface EncoderPrototype extends Encoder {
  writeBufferInternal(this: Encoder, bytes: Buffer): void;
  writeEncoder(this: Encoder, nested: Encoder): Encoder;
  writeEncoderArray(this: Encoder, nested: readonly Encoder[]): Encoder;
  size(this: Encoder): number;
}

/** Below this, copying costs less than keeping. */
const keptBytesMin = 2_048;
const freshBytes = 512;

/**
 * kafkajs nests its encoders seven deep, and copies (and clears twice the memory) at each level. Here large pieces are kept
 * as they are and put together when all of it is asked for. Nothing may change a value between send and acknowledgement.
 */
function nestWithoutCopies({ prototype }: { prototype: EncoderPrototype }): void {
  const copy = prototype.writeBufferInternal;
  const write = (encoder: Encoder, bytes: Buffer): void => {
    if (bytes.length < keptBytesMin) {
      copy.call(encoder, bytes);
      return;
    }
    encoder.parts ??= [];
    encoder.parts.push(encoder.buf.subarray(0, encoder.offset), bytes);
    encoder.buf = Buffer.alloc(freshBytes);
    encoder.offset = 0;
  };
  const writeNested = (encoder: Encoder, nested: Encoder): void => {
    for (const part of nested.parts ?? []) write(encoder, part);
    write(encoder, nested.buf.subarray(0, nested.offset));
  };
  prototype.writeBufferInternal = function (bytes) {
    write(this, bytes);
  };
  prototype.writeEncoder = function (nested) {
    writeNested(this, nested);
    return this;
  };
  prototype.writeEncoderArray = function (nested) {
    for (const one of nested) writeNested(this, one);
    return this;
  };
  prototype.size = function () {
    return (this.parts ?? []).reduce((sum, part) => sum + part.length, this.offset);
  };
  Object.defineProperty(prototype, 'buffer', {
    get(this: Encoder) {
      if (this.parts) {
        this.buf = Buffer.concat([...this.parts, this.buf.subarray(0, this.offset)]);
        this.offset = this.buf.length;
        delete this.parts;
      }
      return this.buf.subarray(0, this.offset);
    },
  });
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

/**
 * kafkajs re-arms a timer for ever on every idle connection, often with a negative delay. A timer is needed only
 * while requests wait for a throttle to end; all other pending requests are sent when one in flight is answered.
 */
function endIdleTimer(queue: { prototype: RequestQueue & { scheduleCheckPendingRequests(): void } }): void {
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(this.throttledUntil - Date.now(), 10),
    );
  };
}
