import { type BenchFleet, untilMerged } from './bench-fleet.ts';
import { KafkaEngine, type KafkaEngineRun } from './kafka-engine.ts';
import { type PipelineRun, runPipeline } from './pipeline.ts';
import { singleRows } from './single-rows.ts';
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
  /** By what a message holds; the first is what we compare ourselves with. */
  readonly kafkaEngines: readonly KafkaEngineRates[];
}

export interface KafkaEngineRates extends Rates {
  readonly name: string;
  readonly runs: readonly KafkaEngineRun[];
  /** Our rate by this one's, of the runs of each round. */
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
  const engines: { readonly engine: KafkaEngine; readonly runs: KafkaEngineRun[] }[] = [];
  for (const row of options.kafkaEngine ? singleRows : []) {
    const { kafkaEngineRows, kafkaEngineConsumers } = options;
    progress(`Kafka engine: filling a topic with ${kafkaEngineRows.toLocaleString('en')} of ${row.name}`);
    engines.push({
      engine: await KafkaEngine.fill(bench, row, kafkaEngineRows, kafkaEngineConsumers),
      runs: [],
    });
  }
  for (let round = 0; round <= options.rounds; round++) {
    const name = round === 0 ? 'warm-up' : `round ${round} of ${options.rounds}`;
    if (options.pipeline) {
      const run = await runPipeline(bench, files, round === 0 ? options.warmUpFiles : options.files);
      progress(`pipeline, ${name}: ${rate(run.rowsPerSecond)}`);
      if (round > 0) pipelineRuns.push(run);
      await untilMerged(bench.clickhouse, mergeTimeoutMs);
    }
    for (const { engine, runs } of engines) {
      const run = await engine.run();
      progress(`Kafka engine, ${engine.row.name}, ${name}: ${rate(run.rowsPerSecond)}`);
      if (round > 0) runs.push(run);
      await untilMerged(bench.clickhouse, mergeTimeoutMs);
    }
  }
  return {
    ...(options.pipeline ? { pipeline: { ...summary(pipelineRuns), runs: pipelineRuns } } : {}),
    kafkaEngines: engines.map(({ engine, runs }) => {
      const ratios = pipelineRuns.map((run, i) => run.rowsPerSecond / runs[i]!.rowsPerSecond);
      return {
        name: engine.row.name,
        ...summary(runs),
        runs,
        ...(ratios.length > 0 ? { ratio: spreadOf(ratios) } : {}),
      };
    }),
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
