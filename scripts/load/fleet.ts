import { approvedList, listedModels } from '../bench/workload.ts';
import { GatewayClient } from '../demo/client.ts';
import type { ListedModel } from '../demo/planted.ts';
import { importList } from '../demo/scenario.ts';
import type { Supervisor } from '../engines/supervise.ts';
import { Fleet } from '../fleet.ts';
import { operatorKey } from '../operator-key.ts';
import { LoadClient } from './client.ts';

/** A fleet under load: one instance of each service, and accounts that do not know of each other. */
export interface LoadFleet {
  readonly fleet: Fleet;
  readonly supplier: string;
  readonly models: readonly ListedModel[];
  readonly gatewayPid: number;
  /** Of a broker that was started here. */
  readonly kafkaPid: number | undefined;
  readonly client: LoadClient;
  /** Another account with a declaration for API users. */
  account(): Promise<LoadClient>;
  /** The beginning of serials that nobody else has. */
  series(): string;
  close(): Promise<void>;
}

const supplier = 'Load Imports Pty Ltd';

export async function startLoadFleet(options: {
  readonly supervisor: Supervisor;
  readonly progress: (text: string) => void;
}): Promise<LoadFleet> {
  const { supervisor, progress } = options;
  const key = operatorKey(supervisor.dataDir);
  const fleet = await Fleet.start({
    supervisor,
    env: process.env,
    settings: { OPERATOR_KEY_SHA256: key.sha256, LOG_LEVEL: 'warn' },
    progress,
  });
  progress(`importing ${approvedList}`);
  await importList(fleet.engines.urls, approvedList, 'panel');
  const operator = new GatewayClient(fleet.gatewayUrl, key.unshown!);
  const clients: LoadClient[] = [];
  const account = async () => {
    const name = `Load ${clients.length + 1} Pty Ltd`;
    const body = { name, kind: 'supplier', suppliers: [supplier] };
    const { id } = await operator.post<{ id: string }>('/v1/accounts', body);
    const made = await operator.post<{ key: string }>(`/v1/accounts/${id}/keys`, { label: 'load' });
    const declaring = new GatewayClient(fleet.gatewayUrl, made.key);
    await declaring.post('/v1/declarations/api-users', { declaration: 'api-users-1' });
    const client = new LoadClient(fleet.gatewayUrl, made.key, 256);
    clients.push(client);
    return client;
  };
  let series = 0;
  return {
    fleet,
    supplier,
    models: await listedModels(),
    gatewayPid: fleet.services.find(({ service }) => service === 'gateway')!.process.pid,
    kafkaPid: fleet.engines.pids.kafka,
    client: await account(),
    account,
    series: () => `LD${String(++series).padStart(5, '0')}`,
    async close() {
      for (const client of clients) client.close();
      await fleet.stop();
    },
  };
}
