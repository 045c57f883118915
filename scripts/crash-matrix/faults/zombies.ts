import { type Fault, hitTimeoutMs, type Scene } from '../fault.ts';
import { groupHas, type Worker } from '../groups.ts';

/** Where each worker stands still, with work in its hands. */
const places: readonly (readonly [Worker, string])[] = [
  ['cec-validation', 'cec-validation.publish.before'],
  ['dedup', 'dedup.apply.before'],
  ['dedup', 'dedup.publish.before'],
  ['ledger-writer', 'ledger-writer.DecidedBatch.insert.before'],
  ['ledger-writer', 'ledger-writer.DecidedBatch.watermarks.before'],
  ['certificate', 'certificate.gather.publish.before'],
  ['certificate', 'certificate.decide.apply.before'],
  ['certificate', 'certificate.decide.publish.before'],
];

export const zombies: readonly Fault[] = places.map(([service, point]) => ({
  name: `zombie ${point.replace(/\.before$/, '')}`,
  about: `SIGSTOP just before it, until its partitions are another's; then SIGCONT`,
  sample: point === 'dedup.publish.before',
  inject: (scene) => stopAndContinue(scene, service, point),
  heal: async ({ rig }) => {
    rig.points.disarm(point);
    for (const { process } of rig.fleet.services) process.kill('SIGCONT');
  },
}));

async function stopAndContinue({ rig }: Scene, service: Worker, point: string): Promise<number> {
  rig.points.arm(point, 'SIGSTOP');
  const pid = await rig.points.taken(point, hitTimeoutMs);
  const name = rig.keeper.nameOf(pid);
  await groupHas(rig, service, name, false);
  process.kill(pid, 'SIGCONT');
  await groupHas(rig, service, name, true);
  return 1;
}
