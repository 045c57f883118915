import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface Probes {
  /** Milliseconds since the loop last turned. */
  readonly sinceTurnMs: () => number;
  /** Dependencies by name; each resolves when it answers. */
  readonly dependencies: Readonly<Record<string, () => Promise<unknown>>>;
}

const turnMaxMs = 60_000;
const probeTimeoutMs = 2_000;

/** `/healthz`: the loop has turned lately. `/readyz`: every dependency answers. `/metrics`: Prometheus text. */
export async function startOpsServer(options: {
  host: string;
  port: number;
  registry: Registry;
  probes: Probes;
}): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const { status, body, type } = await answer(request.url ?? '', options.registry, options.probes);
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

async function answer(url: string, registry: Registry, probes: Probes) {
  const json = (status: number, value: object) => ({
    status,
    body: JSON.stringify(value),
    type: 'application/json',
  });
  switch (url.split('?')[0]) {
    case '/healthz': {
      const sinceTurnMs = probes.sinceTurnMs();
      return json(sinceTurnMs <= turnMaxMs ? 200 : 503, { sinceTurnMs, turnMaxMs });
    }
    case '/readyz': {
      const states = await readiness(probes.dependencies);
      return json(Object.values(states).every((state) => state === 'ok') ? 200 : 503, states);
    }
    case '/metrics':
      return { status: 200, body: await registry.metrics(), type: registry.contentType };
    default:
      return json(404, { error: 'there are /healthz, /readyz and /metrics' });
  }
}

async function readiness(dependencies: Probes['dependencies']): Promise<Record<string, string>> {
  const states = await Promise.all(
    Object.entries(dependencies).map(async ([name, probe]) => {
      const timeout = new Promise<never>((_, reject) =>
        setTimeout(() => reject(new Error(`no answer in ${probeTimeoutMs} ms`)), probeTimeoutMs).unref(),
      );
      const state = await Promise.race([probe(), timeout]).then(
        () => 'ok',
        (error: Error) => error.message,
      );
      return [name, state] as const;
    }),
  );
  return Object.fromEntries(states);
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
