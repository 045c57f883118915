/** Up to here a loop is faster than a call into Node. */
const loopCharsMax = 24;

/**
 * Texts for a script in one argument instead of thousands: each with its length before it. Scripts take them apart with
 * `struct.unpack`, which costs a fraction of what the protocol costs per argument.
 */
export class PackedTexts {
  #buffer = Buffer.allocUnsafe(4096);
  #end = 0;

  /** Begins the texts of one key: what to do with it, and how many follow. */
  group(kind: number, count: number): void {
    this.#reserve(5);
    this.#buffer[this.#end] = kind;
    this.#end = this.#buffer.writeUInt32BE(count, this.#end + 1);
  }

  count(count: number): void {
    this.#reserve(2);
    this.#end = this.#buffer.writeUInt16BE(count, this.#end);
  }

  /** One character per byte. */
  text(text: string): void {
    const { length } = text;
    this.#reserve(4 + length);
    this.#length(length);
    if (length > loopCharsMax) this.#buffer.write(text, this.#end, 'latin1');
    else for (let i = 0; i < length; i++) this.#buffer[this.#end + i] = text.charCodeAt(i);
    this.#end += length;
  }

  data(bytes: Buffer): void {
    this.#reserve(4 + bytes.length);
    this.#length(bytes.length);
    this.#end += bytes.copy(this.#buffer, this.#end);
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }

  #length(length: number): void {
    this.#end = this.#buffer.writeUInt32BE(length, this.#end);
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + bytes));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}
