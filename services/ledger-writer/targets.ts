import { topicName } from '#shared/adapters/kafka/topics.ts';
import { decidedClaimsInsert, rulingsInsert } from './claims-insert.ts';
import { batchesThere, decidedBatchesInsert, submissionsInsert } from './serials-insert.ts';
import type { Target } from './target.ts';

/** Everything that goes into the ledger, and by which statement. */
export const targets: readonly Target[] = [
  {
    topic: topicName('serials.decided'),
    schema: 'DecidedBatch',
    stages: ['cec-validation', 'dedup', 'ledger-writer'],
    there: batchesThere,
    sql: decidedBatchesInsert,
  },
  {
    topic: topicName('submissions'),
    schema: 'SubmissionManifest',
    stages: ['ledger-writer of submissions'],
    sql: () => submissionsInsert,
  },
  {
    topic: topicName('claims.decided'),
    schema: 'DecidedClaim',
    stages: ['ledger-writer of claims'],
    sql: () => decidedClaimsInsert,
  },
  {
    topic: topicName('rulings'),
    schema: 'Ruling',
    stages: ['ledger-writer of rulings'],
    sql: () => rulingsInsert,
  },
];
