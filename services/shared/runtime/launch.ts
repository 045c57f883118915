/**
 * How Node is to be started for a service that lives on Kafka, by whatever starts it. What it reads and sends is memory
 * outside of V8's heap, hundreds of megabytes a second under load: left alone, V8 marks the whole heap for each 64 MB of it,
 * which was half of the CPU of the ledger-writer. Counted with the heap it is freed with the youngest objects. A larger young
 * generation lets a chunk of messages die there instead of being copied.
 */
export const launch = {
  nodeFlags: ['--external-memory-accounted-in-global-limit', '--max-semi-space-size=32'],
  env: {},
} as const;
