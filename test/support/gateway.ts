import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Fleet, type ServiceName } from '#scripts/fleet.ts';
import { operatorKey } from '#scripts/operator-key.ts';
import { Casting } from './cast.ts';
import { DescribedApi } from './described-api.ts';
import { openTestSupervisor } from './engines.ts';

export interface TestGateway {
  readonly api: DescribedApi;
  readonly operator: string;
  readonly casting: Casting;
  readonly clickhouseUrl: string;
  readonly fleet: Fleet;
  /** What the gateway has logged so far. */
  logged(): string;
  stop(): Promise<void>;
}

/**
 * A gateway on real engines and fresh data, without workers behind it, unless some are asked for: what it accepts stays
 * accepted.
 */
export async function startTestGateway(
  settings: Readonly<Record<string, string>> = {},
  workers: Partial<Record<ServiceName, number>> = {},
): Promise<TestGateway> {
  const { supervisor, dataDir, close } = await openTestSupervisor();
  const key = operatorKey(dataDir);
  const fleet = await Fleet.start({
    supervisor,
    env: process.env,
    settings: { OPERATOR_KEY_SHA256: key.sha256, SIGN_UPS_PER_MINUTE: '10000', ...settings },
    instances: { 'cec-validation': 0, dedup: 0, 'ledger-writer': 0, certificate: 0, ...workers },
    progress: () => undefined,
  });
  const api = await DescribedApi.open(fleet.gatewayUrl);
  return {
    api,
    operator: key.unshown!,
    casting: new Casting(api, key.unshown!),
    fleet,
    clickhouseUrl: fleet.engines.urls.clickhouseUrl,
    logged: () => readFileSync(path.join(dataDir, 'logs', 'gateway-1.log'), 'utf8'),
    async stop() {
      await fleet.stop();
      close();
    },
  };
}
