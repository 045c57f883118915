import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { normalise } from '#shared/domain/normalise.ts';
import { batteryFacts, equipment, solarFacts, windFacts } from './claims.ts';
import { decidedStory, writeDecided } from './decided-rows.ts';

interface Row {
  readonly product?: string;
  readonly serial: string;
  readonly outcome: string;
  readonly entry?: number;
  readonly supplier?: string;
  readonly account?: string;
  readonly holder?: string;
  readonly model?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly on: string;
}

const sunward = 'Sunward Energy Pty Ltd';
const gridline = {
  product: 'inverter',
  holder: 'Gridline Power',
  model: 'inverter-100',
  supplier: 'Gridline Imports',
};
const rival = { supplier: 'Rival Imports', account: 'rival' };

/** Serials of every history that there is: each row below is one row that was received. */
const rows: readonly Row[] = [
  { serial: 'SW-0001', outcome: 'registered', entry: 1, on: '2026-01-05' },
  { serial: 'SW-0002', outcome: 'registered', entry: 1, on: '2026-01-05' },
  { serial: 'sw-0002', outcome: 'duplicate', on: '2026-01-06' },
  { serial: 'SW-0002', outcome: 'invalidated', entry: 2, reason: 'Wrong model', on: '2026-02-10' },
  { serial: 'SW-0003', outcome: 'registered', entry: 1, on: '2026-01-05' },
  { serial: 'SW-0003', outcome: 'conflict', on: '2026-02-01', ...rival },
  { serial: 'SW-0003', outcome: 'conflict', on: '2026-02-02', ...rival },
  { serial: 'SW-0004', outcome: 'registered', entry: 1, on: '2026-01-05' },
  { serial: 'SW-0004', outcome: 'conflict', on: '2026-02-01', ...rival },
  { serial: 'SW-0005', outcome: 'registered', entry: 1, on: '2026-01-05' },
  { serial: 'SW-0005', outcome: 'conflict', on: '2026-02-01', ...rival },
  { serial: 'SW-0005', outcome: 'invalidated', entry: 2, reason: 'Other', on: '2026-02-03' },
  { serial: 'SW-0006', outcome: 'registered', entry: 1, on: '2026-01-05' },
  { serial: 'SW-0006', outcome: 'invalidated', entry: 2, reason: 'Wrong model', on: '2026-02-10' },
  { serial: 'SW-0006', outcome: 'registered', entry: 3, model: 'panel-200', on: '2026-02-11', ...rival },
  { serial: 'SW-0007', outcome: 'not_listed', model: 'panel-x', on: '2026-02-11' },
  { serial: 'GP-0001', outcome: 'registered', entry: 1, on: '2026-01-07', ...gridline },
  {
    serial: 'GP-0001',
    outcome: 'status_updated',
    entry: 2,
    status: 'Faulty',
    reason: 'Recall',
    on: '2026-03-01',
    ...gridline,
  },
  // In conflict, and its status was changed: it is registered for who holds it.
  { serial: 'GP-0002', outcome: 'registered', entry: 1, on: '2026-01-07', ...gridline },
  { serial: 'GP-0002', outcome: 'conflict', on: '2026-02-01', ...gridline, ...rival },
  {
    serial: 'GP-0002',
    outcome: 'status_updated',
    entry: 2,
    status: 'In stock',
    reason: 'Returned',
    on: '2026-03-02',
    ...gridline,
  },
  // Changed, and then withdrawn: a status outlives no invalidation.
  { serial: 'GP-0003', outcome: 'registered', entry: 1, on: '2026-01-07', ...gridline },
  { serial: 'GP-0003', outcome: 'conflict', on: '2026-02-01', ...gridline, ...rival },
  {
    serial: 'GP-0003',
    outcome: 'status_updated',
    entry: 2,
    status: 'Faulty',
    reason: 'Recall',
    on: '2026-03-01',
    ...gridline,
  },
  { serial: 'GP-0003', outcome: 'invalidated', entry: 3, reason: 'Other', on: '2026-03-03', ...gridline },
];

function serialRow(row: Row, n: number): object {
  const { on, ...given } = row;
  const named = {
    product: 'panel',
    holder: sunward,
    model: 'panel-100',
    supplier: 'Sunward Imports',
    account: 'sunward',
    status: '',
    reason: '',
    entry: 0,
    ...given,
  };
  return {
    ...named,
    serial_key: normalise(row.serial),
    holder_key: normalise(named.holder),
    supplier_key: normalise(named.supplier),
    action:
      row.outcome === 'invalidated'
        ? 'invalidate'
        : row.outcome === 'status_updated'
          ? 'update_status'
          : 'register',
    submission: '00000000-0000-7000-8000-000000000001',
    row: n + 1,
    received_at: `${on} 01:00:00.000`,
    partition: 0,
    origin: n,
  };
}

/** A ledger in which every view has something to show. All moments are fixed, but for one claim of just now. */
export async function seedRegulatorLedger(clickhouse: Clickhouse): Promise<void> {
  const written = rows.map(serialRow);
  await clickhouse.insertRows('serial_rows', written);
  // What a writer repeats shows once.
  await clickhouse.insertRows('serial_rows', written.slice(0, 8));
  await clickhouse.insertRows('rulings', [
    ruling('r1', 'conflict_resolved', 'SW-0004', 5),
    ruling('r2', 'conflict_resolved', 'SW-0005', 6),
    ruling('r3', 'conflict_reopened', 'SW-0005', 7),
    ruling('r2', 'conflict_resolved', 'SW-0005', 8),
  ]);
  await writeDecided(clickhouse, claims());
  await seedJobs(clickhouse);
}

/** A job that is done, with a block that was written twice, and a later one that is not. */
async function seedJobs(clickhouse: Clickhouse): Promise<void> {
  const event = (job: string, kind: string, at: string) => ({
    job,
    event: kind,
    at: `${at} 00:00:00.000`,
    claims: 3,
  });
  await clickhouse.insertRows('assessment_events', [
    event('first', 'begun', '2026-05-01'),
    event('first', 'done', '2026-05-02'),
    event('second', 'begun', '2026-05-03'),
  ]);
  const missing = (subject: string) => ({
    code: 'serial_not_found',
    effect: 'ask',
    subject,
    detail: '',
    reference: '',
  });
  const verdicts = [
    { job: 'first', record: 1, line: 2, decision: 'approved', certificates: 45, findings: [] },
    {
      job: 'first',
      record: 2,
      line: 3,
      decision: 'held',
      certificates: 0,
      findings: [missing('SW-0008'), missing('SW-0009')],
    },
    { job: 'first', record: 3, line: 4, decision: 'approved', certificates: 45, findings: [] },
  ];
  await clickhouse.insertRows('assessment_rows', verdicts);
  await clickhouse.insertRows('assessment_rows', verdicts);
  await clickhouse.insertRows('assessment_rows', [{ ...verdicts[0], job: 'second' }]);
}

function ruling(name: string, kind: string, serial: string, offset: number): object {
  return {
    ruling: name,
    kind,
    account: 'regulator',
    submitted_by: 'key',
    received_at: '2026-03-10 00:00:00.000',
    reason: 'papers seen',
    product: 'panel',
    holder: sunward,
    holder_key: normalise(sunward),
    serial,
    serial_key: serial,
    held_by: 'SUNWARD IMPORTS',
    disputed_by: ['RIVAL IMPORTS'],
    offset,
  };
}

function claims() {
  const at = (day: string) => Date.parse(`${day}T02:00:00Z`);
  const panels = (...serials: string[]) => [equipment('panel', serials), equipment('inverter', ['GP-0001'])];
  return [
    ...decidedStory(solarFacts({ equipment: panels('SW-0001', 'SW-0004') }), {
      account: 'agent-1',
      at: at('2026-04-20'),
      offset: 1,
    }),
    ...decidedStory(batteryFacts({ address: '2 Example Street' }), {
      account: 'agent-1',
      at: at('2026-04-21'),
      offset: 3,
      passed: true,
    }),
    ...decidedStory(
      solarFacts({ address: '3 Example Street', equipment: panels('SW-0001', 'SW-0009'), panel_count: 3 }),
      { account: 'agent-2', at: at('2026-04-22'), offset: 5 },
    ),
    ...decidedStory(windFacts({ address: '4 Example Street' }), {
      account: 'agent-3',
      at: Date.now(),
      offset: 7,
    }),
  ];
}
