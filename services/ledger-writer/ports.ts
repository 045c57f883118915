import { keepDeadLetter } from '#shared/adapters/kafka/dead-letters.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { readOriginHeaders } from '#shared/codec/headers.ts';
import type { SchemaName } from '#shared/codec/schemas.ts';
import type { Metrics } from '#shared/runtime/metrics.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import type { Coordinates, LedgerPorts } from './partition.ts';
import type { LedgerEdges, Target } from './target.ts';

/** The writer's ports on the real publisher and metrics, for one topic. */
export function createPorts(options: {
  readonly target: Target;
  readonly publisher: Publisher;
  readonly metrics: Metrics;
  readonly deadLettersInRowMax: number;
}): LedgerEdges {
  const { target, publisher, metrics, deadLettersInRowMax } = options;
  const stage = target.stages.at(-1)!;
  return {
    stage,
    deadLettersInRowMax,
    coordinates: coordinatesOf(target.schema),
    async keepBytes(partition, message, { origin, submission, batch, rows }, cause) {
      metrics.deadLetters.inc({ stage, cause: 'refused_by_clickhouse' });
      await keepDeadLetter(publisher, {
        stage,
        topic: target.topic,
        partition,
        message,
        origin,
        submission,
        batch,
        rows,
        cause,
      });
    },
    counted(rows, receivedAt) {
      metrics.rows.inc({ stage, outcome: 'written' }, rows);
      if (receivedAt > 0 && rows > 0) metrics.receiptToLedger.observe((Date.now() - receivedAt) / 1_000);
    },
  };
}

/** How messages of a schema say where they belong. */
export function coordinatesOf(schema: SchemaName): LedgerPorts['coordinates'] {
  return schema === 'DecidedBatch' ? batchCoordinates : recordCoordinates;
}

/** Batches say in their headers what the writer must know (K8). */
function batchCoordinates(message: InMessage): Coordinates {
  const headers = readOriginHeaders(message.headers, message.offset);
  return { ...headers, deadStage: headers.deadStage ?? '' };
}

/** Manifests and claims: one row each. Their coordinate is the header `origin`, or else their own offset. */
function recordCoordinates(message: InMessage): Coordinates {
  const origin = Number(message.headers.origin ?? message.offset);
  return { origin, rows: 1, deadRows: 0, deadStage: '', submission: '', batch: 0, receivedAt: 0 };
}
