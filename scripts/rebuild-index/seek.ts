import type { Kafka } from 'kafkajs';
import { withAdmin } from '#shared/adapters/kafka/client.ts';
import { boundsOf, readLog, storedOffset } from '#shared/adapters/kafka/read-log.ts';
import { topicName, topicsGeneration } from '#shared/adapters/kafka/topics.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { readHeaders } from '#shared/codec/headers.ts';
import type { InMessage } from '#shared/runtime/stage.ts';

/**
 * Where dedup must read on after a rebuild up to `cut` (R1): the start of `serials.listed`, if nothing that was accepted
 * lies between the cut and that start. Its first message says so itself, by its origin or link; where it cannot (its
 * predecessor is gone, or everything is), the log of what was accepted is asked.
 * @throws OperationalError `seek_rule`, not retryable
 */
export async function serialsSeekOffset(kafka: Kafka, partition: number, cut: number): Promise<number> {
  const listed = topicName('serials.listed');
  const { low, high } = (await boundsOf(kafka, listed)).get(partition) ?? { low: 0, high: 0 };
  if (low === 0) return 0;
  const first =
    low < high ? await firstMessage(kafka, listed, { partition, from: low, to: high }) : undefined;
  const headers = first && readHeaders(first.headers);
  if (headers?.origin !== undefined && headers.origin <= cut) return low;
  if (headers?.link !== undefined && headers.link <= cut) return low;
  const submitted = topicName('serials.submitted');
  const groupId = `cec-validation.g${topicsGeneration}`;
  const passed = await withAdmin(kafka, 'read the committed offsets', (admin) =>
    storedOffset(admin, groupId, submitted, partition),
  );
  const to = Math.min(headers?.origin ?? Number.POSITIVE_INFINITY, passed);
  const missing = await firstMessage(kafka, submitted, { partition, from: cut + 1, to });
  if (!missing) return low;
  throw new OperationalError(
    'seek_rule',
    `partition ${partition}: the ledger is complete up to origin ${cut}, and ${listed} begins behind origin ${missing.offset}: ` +
      `stop cec-validation, set its group ${groupId} back to offset ${cut + 1} of ${submitted}/${partition}, ` +
      'start it again, and rebuild when it has caught up',
    { retryable: false },
  );
}

/**
 * Where decide must read on after a rebuild up to `cut`: at the next message, since it accepts no other (C2).
 * @throws OperationalError `seek_rule`, not retryable
 */
export async function claimsSeekOffset(kafka: Kafka, cut: number): Promise<number> {
  const topic = topicName('claims.evidenced');
  const { low, high } = (await boundsOf(kafka, topic)).get(0) ?? { low: 0, high: 0 };
  if (low <= cut + 1 && cut + 1 <= high) return cut + 1;
  throw new OperationalError(
    'seek_rule',
    `the ledger has every claim up to offset ${cut} of ${topic}, which is kept from ${low} to ${high}: ` +
      'retention has passed what was not decided yet, or the topic was recreated. Restore the matching stores',
    { retryable: false },
  );
}

async function firstMessage(
  kafka: Kafka,
  topic: string,
  range: { readonly partition: number; readonly from: number; readonly to: number },
): Promise<InMessage | undefined> {
  let found: InMessage | undefined;
  await readLog({
    kafka,
    topic,
    ranges: [range],
    read(message) {
      found = message;
      return 'enough';
    },
  });
  return found;
}
