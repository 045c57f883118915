/** Confluent wire format: a zero byte, the schema id as four bytes, then the Avro body. */
export const wireHeaderBytes = 5;

/** The schema id of a message, or undefined when the bytes are not in wire format. */
export function schemaIdOf(message: Buffer | null): number | undefined {
  if (!message || message.length < wireHeaderBytes || message[0] !== 0) return undefined;
  return message.readUInt32BE(1);
}

export function writeWireHeader(buffer: Buffer, id: number): void {
  buffer[0] = 0;
  buffer.writeUInt32BE(id, 1);
}
