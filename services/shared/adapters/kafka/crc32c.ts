/** Reversed polynomial of CRC-32C (Castagnoli), which seals every record batch. */
const polynomial = 0x82f63b78;

/** Eight tables of 256: what a byte does to the checksum when 0 to 7 bytes follow it. */
const tables = makeTables();

/** CRC-32C, eight bytes at a time: one batch has megabytes, and every byte of it is read for this. */
export function crc32c(bytes: Uint8Array): number {
  const table = tables;
  const length = bytes.length;
  const whole = length - (length & 7);
  let crc = -1;
  let i = 0;
  for (; i < whole; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      table[1792 + (crc & 255)]! ^
      table[1536 + ((crc >>> 8) & 255)]! ^
      table[1280 + ((crc >>> 16) & 255)]! ^
      table[1024 + (crc >>> 24)]! ^
      table[768 + bytes[i + 4]!]! ^
      table[512 + bytes[i + 5]!]! ^
      table[256 + bytes[i + 6]!]! ^
      table[bytes[i + 7]!]!;
  }
  for (; i < length; i++) crc = table[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    made[byte] = crc;
  }
  for (let i = 256; i < made.length; i++) {
    const before = made[i - 256]!;
    made[i] = made[before & 255]! ^ (before >>> 8);
  }
  return made;
}
