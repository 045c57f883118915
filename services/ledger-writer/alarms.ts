import { Gauge, type Registry } from 'prom-client';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { checkConservation, unsettledRows } from '#shared/adapters/clickhouse/conservation.ts';

export interface AlarmOptions {
  readonly clickhouse: Clickhouse;
  readonly registry: Registry;
  readonly decidedTopic: string;
  readonly partitions: number;
  /** Submissions received within this time are looked at. */
  readonly windowMs: number;
  readonly now: () => number;
  readonly alarm: (details: object, sentence: string) => void;
}

/**
 * What must be 0, from the ledger itself: rows of submissions that became final lately and are accounted for nowhere (K5).
 * Told by the ledger-writer because it moves the watermark, which is what makes a submission final, and needs nothing but
 * ClickHouse for it. Every instance tells the same figure: alert on the highest, not on the sum.
 */
export class Alarms {
  readonly #options: AlarmOptions;
  readonly #imbalance: Gauge;
  readonly #checked: Gauge;
  readonly #unsettled: Gauge;

  constructor(options: AlarmOptions) {
    this.#options = options;
    const registers = [options.registry];
    this.#imbalance = new Gauge({
      name: 'ledger_imbalance_rows',
      help: 'Rows of final submissions that have neither an outcome nor a dead letter, or have more than one; must be 0',
      registers,
    });
    this.#checked = new Gauge({
      name: 'ledger_imbalance_checked_submissions',
      help: 'Final submissions that the figure of ledger_imbalance_rows was computed from',
      registers,
    });
    this.#unsettled = new Gauge({
      name: 'ledger_unsettled_rows',
      help: 'Rows in dead letters that wait for somebody: their submissions are not final',
      registers,
    });
  }

  async look(): Promise<void> {
    const { clickhouse, decidedTopic, partitions, windowMs, now, alarm } = this.#options;
    const since = Math.max(now() - windowMs, 0);
    const found = await checkConservation(clickhouse, { decidedTopic, partitions, since, examplesMax: 5 });
    this.#imbalance.set(found.rows);
    this.#checked.set(found.checked);
    this.#unsettled.set(await unsettledRows(clickhouse));
    if (found.rows > 0)
      alarm(
        { differing: found.differing, rows: found.rows, examples: found.examples },
        'rows are not accounted for',
      );
  }
}
