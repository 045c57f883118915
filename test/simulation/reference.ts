import type { SerialBatch, SerialRecord } from '#shared/domain/serials.ts';

export interface Expected {
  readonly outcome: string;
  readonly entry: number;
  readonly note: string;
}

interface Fact {
  supplier: string;
  entries: number;
  valid: boolean;
  status: string;
}

/**
 * What one careful clerk with one book would have done: SER-2 to SER-5, INV-1 to INV-4, INVR-2 and section 4 of the architecture,
 * batch after batch in the order in which they were accepted. Shares no code with dedup.
 */
export class SequentialLedger {
  readonly #facts = new Map<string, Map<string, Fact>>();
  readonly #done = new Set<string>();

  /** What becomes of each row; nothing when this batch was entered before, for copies change nothing. */
  enter(batch: SerialBatch, listed: readonly string[]): readonly Expected[] | undefined {
    const name = `${batch.submission}/${batch.batch}`;
    if (this.#done.has(name)) return undefined;
    this.#done.add(name);
    return batch.records.map((record, i) => this.#row(batch, record, listed[i] ?? ''));
  }

  #row(batch: SerialBatch, record: SerialRecord, listed: string): Expected {
    if (record.finding === 'supplier_not_authorised') return outcome('supplier_not_authorised');
    if (record.finding !== '') return outcome('malformed');
    if (listed === 'not_listed') return outcome('not_listed');
    const holders = this.#holdersOf(batch.product, record.serial_key);
    const fact = holders.get(record.holder_key);
    switch (batch.action) {
      case 'invalidate':
        return invalidate(fact, record);
      case 'update_status':
        return updateStatus(fact, record);
      default:
        return register(holders, fact, record);
    }
  }

  #holdersOf(product: string, serial: string): Map<string, Fact> {
    const identity = JSON.stringify([product, serial]);
    const holders = this.#facts.get(identity) ?? new Map<string, Fact>();
    this.#facts.set(identity, holders);
    return holders;
  }
}

function register(holders: Map<string, Fact>, fact: Fact | undefined, record: SerialRecord): Expected {
  if (fact?.valid) return outcome(fact.supplier === record.supplier_key ? 'duplicate' : 'conflict');
  const others = [...holders].filter(([holder]) => holder !== record.holder_key);
  const shared = others.some(([, other]) => other.valid);
  const entries = (fact?.entries ?? 0) + 1;
  holders.set(record.holder_key, { supplier: record.supplier_key, entries, valid: true, status: '' });
  return { outcome: 'registered', entry: entries, note: shared ? 'serial_shared_between_holders' : '' };
}

function invalidate(fact: Fact | undefined, record: SerialRecord): Expected {
  if (!fact) return outcome('not_found');
  if (fact.supplier !== record.supplier_key) return outcome('not_yours');
  if (!fact.valid) return outcome('already_invalid');
  fact.valid = false;
  fact.entries += 1;
  return { outcome: 'invalidated', entry: fact.entries, note: '' };
}

function updateStatus(fact: Fact | undefined, record: SerialRecord): Expected {
  if (!fact) return outcome('not_found');
  if (fact.supplier !== record.supplier_key) return outcome('not_yours');
  if (!fact.valid) return outcome('already_invalid');
  if (record.status === fact.status) return outcome('unchanged');
  fact.status = record.status;
  fact.entries += 1;
  return { outcome: 'status_updated', entry: fact.entries, note: '' };
}

function outcome(name: string): Expected {
  return { outcome: name, entry: 0, note: '' };
}
