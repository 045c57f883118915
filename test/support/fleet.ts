import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { GatewayClient, until } from '#scripts/demo/client.ts';
import { type ListedModel, readModels } from '#scripts/demo/planted.ts';
import { importList } from '#scripts/demo/scenario.ts';
import { root } from '#scripts/engines/local.ts';
import { Fleet, type ServiceName } from '#scripts/fleet.ts';
import { operatorKey } from '#scripts/operator-key.ts';
import { openTestSupervisor } from './engines.ts';

export const syntheticList = path.join(root, 'deploy', 'lists', 'synthetic_pv_modules_20260423.csv');

export interface TestFleet {
  readonly fleet: Fleet;
  readonly operator: GatewayClient;
  readonly operatorKey: string;
  /** Of the engines: data in a folder of each one's name. */
  readonly dataDir: string;
  readonly models: readonly ListedModel[];
  /** A client with the key of a new account. */
  account(name: string, kind: string, suppliers?: readonly string[]): Promise<GatewayClient>;
  stop(): Promise<void>;
}

/** The whole fleet on fresh data, with the synthetic list imported. */
export async function startTestFleet(
  options: {
    instances?: Partial<Record<ServiceName, number>>;
    settings?: Record<string, string>;
    redisNodes?: number;
  } = {},
): Promise<TestFleet> {
  const { supervisor, dataDir, close } = await openTestSupervisor();
  const key = operatorKey(dataDir);
  const fleet = await Fleet.start({
    supervisor,
    env: process.env,
    settings: { OPERATOR_KEY_SHA256: key.sha256, ...options.settings },
    ...(options.instances ? { instances: options.instances } : {}),
    ...(options.redisNodes ? { redisNodes: options.redisNodes } : {}),
    progress: () => undefined,
  });
  await importList(fleet.engines.urls, syntheticList, 'panel');
  const operator = new GatewayClient(fleet.gatewayUrl, key.unshown!);
  return {
    fleet,
    operator,
    operatorKey: key.unshown!,
    dataDir,
    models: await readModels(await readFile(syntheticList, 'utf8')),
    async account(name, kind, suppliers) {
      const body = { name, kind, ...(suppliers ? { suppliers } : {}) };
      const { id } = await operator.post<{ id: string }>('/v1/accounts', body);
      const made = await operator.post<{ key: string }>(`/v1/accounts/${id}/keys`, { label: 'test' });
      return new GatewayClient(fleet.gatewayUrl, made.key);
    },
    async stop() {
      await fleet.stop();
      close();
    },
  };
}

export interface StatusView {
  readonly id: string;
  readonly state: string;
  readonly received: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly imbalance: number | null;
}

/** A panel file of `rows` good rows; serials begin with `prefix` and count from `first`. */
export function panelFile(
  supplier: string,
  models: readonly ListedModel[],
  options: { rows: number; prefix: string; first?: number },
): string {
  const lines = Array.from({ length: options.rows }, (_, i) => {
    const { holder, model } = models[i % Math.min(models.length, 40)]!;
    const serial = `${options.prefix}${String((options.first ?? 0) + i).padStart(8, '0')}`;
    return [supplier, holder, model, serial].map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
  });
  return `Supplier name,Licensee/Certificate holder,Model number,Serial number\n${lines.join('\n')}\n`;
}

export async function final(client: GatewayClient, id: string, timeoutMs = 120_000): Promise<StatusView> {
  return until(
    `submission ${id}`,
    () => client.get<StatusView>(`/v1/submissions/${id}`),
    ({ state }) => state === 'final',
    timeoutMs,
  );
}

export function uniquePrefix(): string {
  return `T${randomUUID().slice(0, 8).toUpperCase()}`;
}
