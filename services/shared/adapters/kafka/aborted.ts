/** A message as kafkajs reads it from a fetch: control records and messages of aborted transactions are among them. */
export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/** Version and kind of a control record: the end of an aborted transaction. */
const abortKey = Buffer.from([0, 0, 0, 0]);

/**
 * Leaves out what belongs to aborted transactions. The broker lists these in the order in which they ended, not in which they
 * began, and several may begin before the first message that was fetched: kafkajs takes one at a message, from the front of
 * that list, and gives out what was aborted when transactions of one partition end in another order.
 */
export function withoutAborted<M extends FetchedMessage>({
  messages,
  abortedTransactions,
}: {
  readonly messages: readonly M[];
  readonly abortedTransactions: readonly AbortedTransaction[] | null | undefined;
}): readonly M[] {
  if (!abortedTransactions || abortedTransactions.length === 0) return messages;
  const begun = [...abortedTransactions].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const aborted = new Set<string>();
  let next = 0;
  return messages.filter((message) => {
    const { producerId, inTransaction } = message.batchContext;
    for (; next < begun.length && Number(begun[next]!.firstOffset) <= Number(message.offset); next++)
      aborted.add(begun[next]!.producerId);
    if (message.isControlRecord && message.key?.equals(abortKey)) {
      aborted.delete(producerId);
      return true;
    }
    return message.isControlRecord || !inTransaction || !aborted.has(producerId);
  });
}
