import { withAdmin } from '#shared/adapters/kafka/client.ts';
import { topicsGeneration } from '#shared/adapters/kafka/topics.ts';
import { until } from '../demo/client.ts';
import type { ServiceName } from '../fleet.ts';
import { hitTimeoutMs } from './fault.ts';
import type { Rig } from './rig.ts';

export type Worker = Exclude<ServiceName, 'gateway'>;

/** The consumer group by which one sees whether an instance takes part. */
const groups: Readonly<Record<Worker, string>> = {
  'cec-validation': 'cec-validation',
  dedup: 'dedup',
  'ledger-writer': 'ledger-writer.DecidedBatch',
  certificate: 'certificate.gather',
};

/** Resolves when the group of a service is at rest, with this instance or without it. */
export async function groupHas(rig: Rig, service: Worker, name: string, present: boolean): Promise<void> {
  const groupId = `${groups[service]}.g${topicsGeneration}`;
  await withAdmin(rig.desk.context.kafka, 'look at a group', async (admin) => {
    await until(
      `${groupId} ${present ? 'with' : 'without'} ${name}`,
      () => admin.describeGroups([groupId]),
      ({ groups: [group] }) =>
        group?.state === 'Stable' && group.members.some(({ clientId }) => clientId === name) === present,
      hitTimeoutMs,
    );
  });
}
