import { type BenchFleet, untilMerged } from './bench-fleet.ts';
import { KafkaEngine, type KafkaEngineRun } from './kafka-engine.ts';
import { type PipelineRun, runPipeline } from './pipeline.ts';
import { type Spread, spreadOf } from './statistics.ts';
import type { PanelFiles } from './workload.ts';

export interface ThroughputOptions {
  readonly pipeline: boolean;
  readonly kafkaEngine: boolean;
  readonly rounds: number;
  readonly files: number;
  readonly warmUpFiles: number;
  readonly kafkaEngineRows: number;
  readonly kafkaEngineConsumers: number;
  readonly progress: (text: string) => void;
}

export interface Throughput {
  readonly pipeline?: Rates & { readonly runs: readonly PipelineRun[] };
  readonly kafkaEngine?: Rates & { readonly runs: readonly KafkaEngineRun[] };
  /** Our rate by the Kafka engine's, of runs that followed each other. */
  readonly ratio?: Spread;
}

interface Rates {
  readonly rowsPerSecond: Spread;
  /** Median of each process. */
  readonly cpuUsPerRow: Readonly<Record<string, number>>;
}

const mergeTimeoutMs = 20_000;

/**
 * Runs the two in turn on the same engines, each when the other is at rest: what else the machine does then meets both.
 * The services stay up while the Kafka engine runs, and ClickHouse keeps the tables of all rounds.
 */
export async function runThroughput(
  bench: BenchFleet,
  files: PanelFiles,
  options: ThroughputOptions,
): Promise<Throughput> {
  const { progress } = options;
  const pipelineRuns: PipelineRun[] = [];
  const engineRuns: KafkaEngineRun[] = [];
  let engine: KafkaEngine | undefined;
  if (options.kafkaEngine) {
    progress(
      `Kafka engine: filling a topic with ${options.kafkaEngineRows.toLocaleString('en')} single rows`,
    );
    engine = await KafkaEngine.fill(bench, options.kafkaEngineRows, options.kafkaEngineConsumers);
  }
  for (let round = 0; round <= options.rounds; round++) {
    const name = round === 0 ? 'warm-up' : `round ${round} of ${options.rounds}`;
    if (options.pipeline) {
      const run = await runPipeline(bench, files, round === 0 ? options.warmUpFiles : options.files);
      progress(`pipeline, ${name}: ${rate(run.rowsPerSecond)}`);
      if (round > 0) pipelineRuns.push(run);
      await untilMerged(bench.clickhouse, mergeTimeoutMs);
    }
    if (engine) {
      const run = await engine.run();
      progress(`Kafka engine, ${name}: ${rate(run.rowsPerSecond)}`);
      if (round > 0) engineRuns.push(run);
      await untilMerged(bench.clickhouse, mergeTimeoutMs);
    }
  }
  const ratios = pipelineRuns.flatMap((run, i) => {
    const other = engineRuns[i];
    return other ? [run.rowsPerSecond / other.rowsPerSecond] : [];
  });
  return {
    ...(options.pipeline ? { pipeline: { ...summary(pipelineRuns), runs: pipelineRuns } } : {}),
    ...(options.kafkaEngine ? { kafkaEngine: { ...summary(engineRuns), runs: engineRuns } } : {}),
    ...(ratios.length > 0 ? { ratio: spreadOf(ratios) } : {}),
  };
}

function summary(
  runs: readonly { rowsPerSecond: number; cpuUsPerRow: Readonly<Record<string, number>> }[],
): Rates {
  const names = Object.keys(runs[0]?.cpuUsPerRow ?? {});
  return {
    rowsPerSecond: spreadOf(runs.map((run) => run.rowsPerSecond)),
    cpuUsPerRow: Object.fromEntries(
      names.map((name) => [name, spreadOf(runs.map((run) => run.cpuUsPerRow[name] ?? 0)).median]),
    ),
  };
}

function rate(rowsPerSecond: number): string {
  return `${Math.round(rowsPerSecond).toLocaleString('en')} rows/s`;
}
