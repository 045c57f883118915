import type { ClaimEvent } from '#shared/domain/claims/index.ts';
import { type SentBatch, spelledOut } from '#shared/domain/records.ts';
import { type Expected, SequentialLedger } from '#test/simulation/reference.ts';
import type { Marks } from './marks.ts';
import type { Desk } from './rig.ts';

export interface ExpectedRow extends Expected {
  readonly submission: string;
  readonly row: number;
  readonly serial: string;
}

/**
 * What must become of everything that was accepted: a clerk with one book reads the log, partition by partition, in its
 * order. Kept over all faults, since serials of earlier ones come back.
 */
export class AcceptedLog {
  readonly #desk: Desk;
  readonly #clerk = new SequentialLedger();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Each row that was accepted between two marks, once, by `submission/row`. */
  async rows(from: Marks, to: Marks): Promise<ReadonlyMap<string, ExpectedRow>> {
    const decoder = this.#desk.codec.decoder<SentBatch>('SerialBatch');
    const expected = new Map<string, ExpectedRow>();
    await from.read(this.#desk, 'serials.submitted', to, (message) => {
      const batch = decoder.decode(message.value);
      if (!batch || batch.records.length === 0) return;
      const records = spelledOut(batch.records).toSorted((a, b) => a.row - b.row);
      const listed = records.map(({ model }) => listingOf(batch.action, model));
      const outcomes = this.#clerk.enter({ ...batch, records }, listed);
      for (const [i, outcome] of (outcomes ?? []).entries()) {
        const { row, serial_key } = records[i]!;
        const { submission } = batch;
        expected.set(`${submission}/${row}`, { ...outcome, submission, row, serial: serial_key });
      }
    });
    return expected;
  }

  /** Every event of a claim between two marks, once. */
  async claimEvents(from: Marks, to: Marks): Promise<ReadonlyMap<string, ClaimEvent>> {
    const decoder = this.#desk.codec.decoder<ClaimEvent>('ClaimEvent');
    const events = new Map<string, ClaimEvent>();
    await from.read(this.#desk, 'claims.submitted', to, (message) => {
      const event = decoder.decode(message.value);
      if (event) events.set(event.event, event);
    });
    return events;
  }
}

/** The workload's models are on the list, but for those that it made up. Only registrations are checked against lists. */
function listingOf(action: string, model: string): string {
  return action === 'register' && model.startsWith('NOT-A-MODEL') ? 'not_listed' : '';
}
