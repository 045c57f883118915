import { topicName } from '#shared/adapters/kafka/topics.ts';
import { type Fault, hitTimeoutMs, type Scene } from '../fault.ts';

/** Effects of the services that the workload brings about by itself. */
const effects = [
  'gateway.transaction-write',
  'gateway.transaction-commit',
  `gateway.${topicName('claims.submitted')}`,
  'cec-validation.publish',
  'cec-validation.commit',
  'dedup.apply',
  'dedup.publish',
  'dedup.trim',
  'dedup.commit',
  ...['DecidedBatch', 'SubmissionManifest', 'DecidedClaim'].flatMap((schema) =>
    ['insert', 'watermarks', 'commit'].map((effect) => `ledger-writer.${schema}.${effect}`),
  ),
  'certificate.gather.tick',
  'certificate.gather.publish',
  'certificate.gather.commit',
  'certificate.decide.apply',
  'certificate.decide.publish',
  'certificate.decide.trim',
  'certificate.decide.commit',
];

/** Effects that nothing is tried at, and why. */
export const notTried: ReadonlyMap<string, string> = new Map([
  ['dedup.activate', 'happens when the very first index begins, before anything is sent'],
  ['certificate.decide.activate', 'the same'],
  [`gateway.${topicName('accounts')}`, 'the workload changes no accounts'],
]);

const sample = new Set(['gateway.transaction-commit', 'dedup.publish', 'ledger-writer.DecidedBatch.insert']);

export const killsAtPoints: readonly Fault[] = effects.map((effect) => ({
  name: `kill ${effect}`,
  about: `SIGKILL before ${effect}, and again after it`,
  sample: sample.has(effect),
  inject: (scene) => killAround(scene, effect),
  heal: async ({ rig }) => disarm(rig, effect),
}));

/** Both points are armed at once: with two instances both may be dead at a time. */
export async function killAround({ rig }: Pick<Scene, 'rig'>, effect: string): Promise<number> {
  const points = [`${effect}.before`, `${effect}.after`];
  for (const point of points) rig.points.arm(point, 'SIGKILL');
  for (const point of points) await rig.points.taken(point, hitTimeoutMs);
  return points.length;
}

export function disarm(rig: Scene['rig'], effect: string): void {
  for (const moment of ['before', 'after']) rig.points.disarm(`${effect}.${moment}`);
}
