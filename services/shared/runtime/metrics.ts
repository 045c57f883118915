import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics every service has, under names that are the same everywhere. */
export interface Metrics {
  readonly registry: Registry;
  /** `ledger_rows_total{stage,outcome}` */
  readonly rows: Counter<'stage' | 'outcome'>;
  /** `ledger_batch_seconds{stage}`: one turn of the loop, from delivery to acknowledgement. */
  readonly batchSeconds: Histogram<'stage'>;
  /** `ledger_lag_messages{stage,partition}`: messages in the log behind the ones last delivered. */
  readonly lag: Gauge<'stage' | 'partition'>;
  /** `ledger_receipt_to_ledger_seconds`: from the gateway's receipt until ClickHouse has acknowledged. */
  readonly receiptToLedger: Histogram;
  /** `ledger_dead_letters_total{stage,cause}` */
  readonly deadLetters: Counter<'stage' | 'cause'>;
  /** `ledger_restarts_total{stage}`: partitions that started again after MOVED or a failure of the world. */
  readonly restarts: Counter<'stage'>;
}

export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    rows: new Counter({
      name: 'ledger_rows_total',
      help: 'Rows by stage and outcome',
      labelNames: ['stage', 'outcome'],
      registers,
    }),
    batchSeconds: new Histogram({
      name: 'ledger_batch_seconds',
      help: 'Seconds from delivery of messages to their acknowledgement',
      labelNames: ['stage'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    lag: new Gauge({
      name: 'ledger_lag_messages',
      help: 'Messages in the log behind the ones last delivered',
      labelNames: ['stage', 'partition'],
      registers,
    }),
    receiptToLedger: new Histogram({
      name: 'ledger_receipt_to_ledger_seconds',
      help: 'Seconds from receipt at the gateway until the ledger has the rows',
      buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800],
      registers,
    }),
    deadLetters: new Counter({
      name: 'ledger_dead_letters_total',
      help: 'Messages that could not be processed',
      labelNames: ['stage', 'cause'],
      registers,
    }),
    restarts: new Counter({
      name: 'ledger_restarts_total',
      help: 'Partitions started again from their stored position',
      labelNames: ['stage'],
      registers,
    }),
  };
}
