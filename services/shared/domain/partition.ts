const blockMix1 = 0xcc9e2d51;
const blockMix2 = 0x1b873593;

/**
 * MurmurHash3 (x86, 32 bits) of the UTF-8 bytes of `text`: public, with vectors that anyone can check, and even enough
 * for any number of partitions.
 */
export function murmur3(text: string, seed: number): number {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) > 127) return murmur3Bytes(Buffer.from(text, 'utf8'), seed);
  return murmur3Ascii(text, seed);
}

/**
 * The partition of everything that concerns one serial: murmur3 of the normalised serial, seeded with murmur3 of the
 * product, modulo the number of partitions. Part of the format of the log: changing it needs a new topic generation.
 */
export function partitionOf(product: string, serialKey: string, partitions: number): number {
  return murmur3(serialKey, murmur3(product, 0)) % partitions;
}

// The two loops are one and the same; characters are read without making a buffer, which is most of the cost.
function murmur3Ascii(text: string, seed: number): number {
  const length = text.length;
  const blocks = length & ~3;
  let hash = seed;
  for (let i = 0; i < blocks; i += 4)
    hash = mixBlock(
      hash,
      text.charCodeAt(i) |
        (text.charCodeAt(i + 1) << 8) |
        (text.charCodeAt(i + 2) << 16) |
        (text.charCodeAt(i + 3) << 24),
    );
  let tail = 0;
  for (let i = length - 1; i >= blocks; i--) tail = (tail << 8) | text.charCodeAt(i);
  return finish(hash, tail, length);
}

function murmur3Bytes(bytes: Buffer, seed: number): number {
  const length = bytes.length;
  const blocks = length & ~3;
  let hash = seed;
  for (let i = 0; i < blocks; i += 4) hash = mixBlock(hash, bytes.readInt32LE(i));
  let tail = 0;
  for (let i = length - 1; i >= blocks; i--) tail = (tail << 8) | bytes[i]!;
  return finish(hash, tail, length);
}

function mixBlock(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(block: number): number {
  const mixed = Math.imul(block, blockMix1);
  return Math.imul((mixed << 15) | (mixed >>> 17), blockMix2);
}

function finish(hash: number, tail: number, length: number): number {
  let mixed = hash ^ scramble(tail) ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
