import { pino } from 'pino';
import { type Clickhouse, createClickhouse } from '#shared/adapters/clickhouse/client.ts';
import { GatewayClient } from '../demo/client.ts';
import type { ListedModel } from '../demo/planted.ts';
import { importList } from '../demo/scenario.ts';
import type { Supervisor } from '../engines/supervise.ts';
import { Fleet } from '../fleet.ts';
import { operatorKey } from '../operator-key.ts';
import type { Watched } from './processes.ts';
import { Uploader } from './upload.ts';
import { approvedList, listedModels } from './workload.ts';

/** One instance of each service on engines of its own, a list imported, and an account that uploads. */
export interface BenchFleet {
  readonly fleet: Fleet;
  readonly supplier: string;
  readonly models: readonly ListedModel[];
  readonly uploader: Uploader;
  /** The account of the supplier, for anything but uploads. */
  readonly importer: { readonly account: string; readonly client: GatewayClient };
  /** An account that claims. */
  readonly agent: GatewayClient;
  readonly clickhouse: Clickhouse;
  /** Every process of it whose CPU is counted; empty for engines that others started. */
  readonly processes: readonly Watched[];
  close(): Promise<void>;
}

const supplier = 'Benchmark Imports Pty Ltd';

export async function startBenchFleet(options: {
  readonly supervisor: Supervisor;
  /** Further environment of the services. */
  readonly env: Readonly<Record<string, string>>;
  readonly progress: (text: string) => void;
}): Promise<BenchFleet> {
  const { supervisor, progress } = options;
  const key = operatorKey(supervisor.dataDir);
  const fleet = await Fleet.start({
    supervisor,
    env: { ...process.env, ...options.env },
    settings: { OPERATOR_KEY_SHA256: key.sha256 },
    progress,
  });
  progress(`importing ${approvedList}`);
  await importList(fleet.engines.urls, approvedList, 'panel');
  const operator = new GatewayClient(fleet.gatewayUrl, key.unshown!);
  const account = await operator.post<{ id: string }>('/v1/accounts', {
    name: supplier,
    kind: 'supplier',
    suppliers: [supplier],
  });
  const made = await operator.post<{ key: string }>(`/v1/accounts/${account.id}/keys`, { label: 'bench' });
  const uploader = new Uploader(fleet.gatewayUrl, made.key, await uploadDeclaration(operator));
  const agents = await operator.post<{ id: string }>('/v1/accounts', {
    name: 'Benchmark Agents',
    kind: 'agent',
  });
  const agentKey = await operator.post<{ key: string }>(`/v1/accounts/${agents.id}/keys`, { label: 'bench' });
  const clickhouse = createClickhouse({
    url: fleet.engines.urls.clickhouseUrl,
    database: 'ledger',
    log: pino({ level: 'silent' }),
    timeoutMs: 120_000,
  });
  return {
    fleet,
    supplier,
    models: await listedModels(),
    uploader,
    importer: { account: account.id, client: new GatewayClient(fleet.gatewayUrl, made.key) },
    agent: new GatewayClient(fleet.gatewayUrl, agentKey.key),
    clickhouse,
    processes: [
      ...fleet.services.map(({ service, process }) => ({ name: service, pid: process.pid })),
      ...Object.entries(fleet.engines.pids).map(([name, pid]) => ({ name, pid })),
      { name: 'load generator', pid: process.pid },
    ],
    async close() {
      uploader.close();
      await clickhouse.close();
      await fleet.stop();
    },
  };
}

/** The declaration that goes with every file today. */
async function uploadDeclaration(client: GatewayClient): Promise<string> {
  type Text = { id: string; kind: string; current: boolean };
  const { declarations } = await client.get<{ declarations: Text[] }>('/v1/declarations');
  return declarations.find(({ kind, current }) => kind === 'file_upload' && current)!.id;
}

/** Waits until ClickHouse has merged what the last run left, so that the next one does not pay for it. */
export async function untilMerged(clickhouse: Clickhouse, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let quiet = 0;
  while (quiet < 3 && Date.now() < deadline) {
    const [merges] = await clickhouse.query<{ running: number }>(
      'SELECT count() AS running FROM system.merges',
    );
    quiet = merges?.running === 0 ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}
