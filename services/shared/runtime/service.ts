import { type Logger, pino } from 'pino';
import { OperationalError } from '#shared/base/errors.ts';
import { backoffMs } from './backoff.ts';
import { type Config, describeConfig, readConfig, type Settings, text, whole } from './config.ts';
import { type FailurePoint, failurePointsIn, failurePointsSetting } from './failure-points.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { startOpsServer } from './ops-server.ts';

/** Settings that every service has. */
export const commonSettings = {
  kafkaBrokers: text('KAFKA_BROKERS', 'Kafka brokers, host:port, comma-separated'),
  registryUrl: text('SCHEMA_REGISTRY_URL', 'Confluent-compatible schema registry'),
  instance: text('INSTANCE', 'name of this instance, the same after a restart', '1'),
  host: text('HOST', 'address to listen on', '127.0.0.1'),
  opsPort: whole('OPS_PORT', 'port of /healthz, /readyz and /metrics; 0 takes a free one', {
    least: 0,
    most: 65_535,
    fallback: 0,
  }),
  drainTimeoutMs: whole('DRAIN_TIMEOUT_MS', 'time for finishing what is in flight on SIGTERM', {
    least: 100,
    most: 600_000,
    fallback: 10_000,
  }),
  logLevel: text('LOG_LEVEL', 'trace, debug, info, warn, error', 'info'),
  failurePoints: failurePointsSetting,
} as const;

export interface ServiceContext<S extends Settings> {
  readonly config: Config<S & typeof commonSettings>;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** To be called each time the main loop turns. */
  readonly turned: () => void;
  readonly at: FailurePoint;
  /** Registers what must be closed; closed in reverse order, every failed close reported. */
  readonly onClose: (name: string, close: () => Promise<unknown>) => void;
}

export interface RunningService {
  /** Rejects when the process must end: our bug, or a configuration that nobody may run. */
  readonly failed: Promise<never>;
  readonly dependencies: Readonly<Record<string, () => Promise<unknown>>>;
  /** Told to the parent on start, beside the port of the probes. */
  readonly addresses?: Readonly<Record<string, string>>;
}

/**
 * The life of a service: configuration (with `--check-config`), resources in order, probes, drain on SIGTERM. Opening is
 * tried again while the world does not answer. Exit code 0 after a drain, 1 on a failure, 2 on a bad configuration.
 */
export async function runService<S extends Settings>(
  name: string,
  settings: S,
  open: (context: ServiceContext<S>) => Promise<RunningService>,
): Promise<void> {
  const all = { ...commonSettings, ...settings };
  const read = refuseFailurePoints(readConfig(all, process.env));
  if ('faults' in read) {
    process.stderr.write(
      `${name}: the configuration has faults\n${read.faults.map((f) => `  ${f}\n`).join('')}`,
    );
    process.exit(2);
  }
  const config = read.config as Config<S & typeof commonSettings>;
  if (process.argv.includes('--check-config')) {
    process.stdout.write(`${describeConfig(all, read.config)}\n`);
    process.exit(0);
  }

  const log = pino({ name, level: config.logLevel as string });
  const metrics = createMetrics(name);
  const closers: { name: string; close: () => Promise<unknown> }[] = [];
  let turnedAt = Date.now();
  const context: ServiceContext<S> = {
    config,
    log,
    metrics,
    turned: () => {
      turnedAt = Date.now();
    },
    at: failurePointsIn(config.failurePoints as string),
    onClose: (what, close) => closers.push({ name: what, close }),
  };

  let ending = false;
  const end = async (code: number) => {
    if (ending) return;
    ending = true;
    setTimeout(() => {
      log.error('not drained in time');
      process.exit(1);
    }, config.drainTimeoutMs as number).unref();
    const failed = await closeAll(closers, log);
    log.info({ code }, 'stopped');
    process.exit(failed ? 1 : code);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      log.info({ signal }, 'draining');
      void end(0);
    });

  try {
    const running = await openWithRetries(context, closers, open, () => ending);
    if (!running) return;
    const ops = await startOpsServer({
      host: config.host as string,
      port: config.opsPort as number,
      registry: metrics.registry,
      probes: { sinceTurnMs: () => Date.now() - turnedAt, dependencies: running.dependencies },
    });
    context.onClose('probes', ops.close);
    const addresses = { ops: `http://${config.host}:${ops.port}`, ...running.addresses };
    log.info({ addresses }, 'started');
    process.send?.({ started: name, addresses });
    await running.failed;
  } catch (error) {
    log.fatal({ err: error }, (error as Error).message);
    await end(1);
  }
}

/** A process that can be told to end itself has no place where the topics are those of production. */
function refuseFailurePoints<C extends { readonly config: object } | { readonly faults: readonly string[] }>(
  read: C,
): C | { readonly faults: readonly string[] } {
  if ('faults' in read) return read;
  const { failurePoints, topicsProfile } = read.config as { failurePoints: string; topicsProfile?: string };
  if (failurePoints === '' || topicsProfile !== 'production') return read;
  return { faults: [`${failurePointsSetting.env} must be empty where TOPICS_PROFILE is production`] };
}

/** The world may come up after us: a start that fails for that reason is tried again, from an empty slate. */
async function openWithRetries<S extends Settings>(
  context: ServiceContext<S>,
  closers: { name: string; close: () => Promise<unknown> }[],
  open: (context: ServiceContext<S>) => Promise<RunningService>,
  ending: () => boolean,
): Promise<RunningService | undefined> {
  for (let failures = 0; !ending(); failures++) {
    try {
      return await open(context);
    } catch (error) {
      if (!(error instanceof OperationalError) || !error.retryable) throw error;
      context.log.warn({ err: error, failures }, `not started yet: ${error.message}`);
      await closeAll(closers, context.log);
      context.turned();
      await new Promise((resolve) => setTimeout(resolve, backoffMs(failures)));
    }
  }
  return undefined;
}

async function closeAll(
  closers: { name: string; close: () => Promise<unknown> }[],
  log: Logger,
): Promise<boolean> {
  let failed = false;
  for (let closer = closers.pop(); closer; closer = closers.pop()) {
    try {
      await closer.close();
    } catch (error) {
      failed = true;
      log.error({ err: error, resource: closer.name }, 'not closed cleanly');
    }
  }
  return failed;
}
