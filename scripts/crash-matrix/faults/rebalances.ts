import type { Fault, Scene } from '../fault.ts';
import { groupHas, type Worker } from '../groups.ts';

const workers: readonly Worker[] = ['cec-validation', 'dedup', 'ledger-writer', 'certificate'];
const extra = 3;

async function joinAndLeave({ rig, workload }: Scene, service: Worker): Promise<number> {
  await rig.keeper.add(service, extra);
  await groupHas(rig, service, `${service}-${extra}`, true);
  await workload.moved();
  await rig.keeper.remove(`${service}-${extra}`);
  await groupHas(rig, service, `${service}-${extra}`, false);
  return 2;
}

export const rebalances: readonly Fault[] = workers.map((service) => ({
  name: `rebalance ${service}`,
  about: 'an instance more joins while batches are in flight, and leaves again',
  sample: service === 'dedup',
  inject: (scene) => joinAndLeave(scene, service),
}));
