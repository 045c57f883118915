import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuPerRow, cpuTimes } from '../bench/processes.ts';
import type { LoadFleet } from './fleet.ts';
import { forgetPeak, memoryOf } from './memory.ts';
import { rowsOf } from './rows.ts';

export interface StreamRun {
  readonly rows: number;
  readonly megabytes: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  /** Of the gateway, in microseconds. */
  readonly cpuPerRow: number;
  /** Resident memory of the gateway, in megabytes: before, the most during the stream, and when half of it had come. */
  readonly before: number;
  readonly half: number;
  readonly peak: number;
}

/** One stream, as fast as the gateway takes it. */
export async function runStream(load: LoadFleet, rows: number): Promise<StreamRun> {
  const { gatewayPid: pid, client, supplier, models } = load;
  const before = memoryOf(pid).now;
  forgetPeak(pid);
  let bytes = 0;
  let half = 0;
  const begun = performance.now();
  const cpu = cpuTimes([{ name: 'gateway', pid }]);
  const end = await client.stream(rowsOf(supplier, models, { series: load.series(), rows }), {
    idempotencyKey: randomUUID(),
    sent: (length) => {
      bytes += length;
    },
    told: ({ committed_row }) => {
      if (half === 0 && committed_row >= rows / 2) half = memoryOf(pid).now;
    },
  });
  const seconds = (performance.now() - begun) / 1_000;
  if (end.event !== 'complete' || end.committed_row !== rows)
    throw new Error(`the stream did not end whole: ${JSON.stringify(end)}`);
  return {
    rows,
    megabytes: bytes / 1024 / 1024,
    seconds,
    rowsPerSecond: rows / seconds,
    cpuPerRow: cpuPerRow(cpu, cpuTimes([{ name: 'gateway', pid }]), rows).gateway ?? 0,
    before,
    half,
    peak: memoryOf(pid).peak,
  };
}

export interface BackPressure {
  readonly seconds: number;
  /** Bytes that the connection took while the log took nothing, in the second half of that time, and after it. */
  readonly bytesWhileBehind: number;
  readonly bytesOnceStill: number;
  readonly submissionsWhileBehind: number;
  readonly complete: boolean;
  /** Of the gateway while it waited, in megabytes. */
  readonly peak: number;
}

/** A stream while Kafka stands still for some seconds: how much the gateway takes in, and that nothing is lost. */
export async function runBackPressure(load: LoadFleet): Promise<BackPressure | undefined> {
  const { kafkaPid, gatewayPid: pid, client, supplier, models } = load;
  if (kafkaPid === undefined) return undefined;
  const rows = 400_000;
  const seconds = 6;
  let bytes = 0;
  let submissions = 0;
  const started = Promise.withResolvers<void>();
  const stream = client.stream(rowsOf(supplier, models, { series: load.series(), rows }), {
    idempotencyKey: randomUUID(),
    sent: (length) => {
      bytes += length;
    },
    told: ({ event }) => {
      if (event === 'submission') submissions += 1;
      if (submissions === 5) started.resolve();
    },
  });
  await started.promise;
  forgetPeak(pid);
  process.kill(kafkaPid, 'SIGSTOP');
  const at = { bytes, submissions };
  await delay((seconds * 1_000) / 2);
  const middle = bytes;
  await delay((seconds * 1_000) / 2);
  const behind = {
    bytes: bytes - at.bytes,
    still: bytes - middle,
    submissions: submissions - at.submissions,
  };
  const { peak } = memoryOf(pid);
  process.kill(kafkaPid, 'SIGCONT');
  const end = await stream;
  return {
    seconds,
    bytesWhileBehind: behind.bytes,
    bytesOnceStill: behind.still,
    submissionsWhileBehind: behind.submissions,
    complete: end.event === 'complete' && end.committed_row === rows,
    peak,
  };
}
