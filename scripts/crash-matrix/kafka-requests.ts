export interface KafkaRequest {
  readonly api: number;
  readonly client: string;
}

/** Kinds of requests by their numbers in the protocol. */
export const kafkaApis = {
  produce: 0,
  fetch: 1,
  endTransaction: 26,
} as const;

/** Length, kind, version, correlation and the length of the client's name. */
const fixedBytes = 4 + 2 + 2 + 4 + 2;

/** Tells the requests that begin in the pieces of one connection, in order. */
export class KafkaRequests {
  #bodyLeft = 0;
  #head: Buffer = Buffer.alloc(0);

  read(piece: Buffer): readonly KafkaRequest[] {
    const begun: KafkaRequest[] = [];
    let data = this.#head.length > 0 ? Buffer.concat([this.#head, piece]) : piece;
    this.#head = Buffer.alloc(0);
    while (data.length > 0) {
      const skipped = Math.min(this.#bodyLeft, data.length);
      this.#bodyLeft -= skipped;
      data = data.subarray(skipped);
      if (data.length === 0) break;
      const name = data.length < fixedBytes ? 0 : Math.max(data.readInt16BE(12), 0);
      if (data.length < fixedBytes + name) {
        this.#head = Buffer.from(data);
        break;
      }
      begun.push({
        api: data.readInt16BE(4),
        client: data.toString('utf8', fixedBytes, fixedBytes + name),
      });
      this.#bodyLeft = 4 + data.readInt32BE(0);
    }
    return begun;
  }
}
