import type { Fault, Scene } from '../fault.ts';
import { killEngine } from '../processes.ts';

/** Who runs needs it no more; who starts waits for it. */
async function down({ rig, workload }: Scene): Promise<number> {
  await killEngine(rig, 'registry');
  for (const name of ['cec-validation-1', 'dedup-1', 'ledger-writer-1', 'certificate-1'])
    rig.keeper.process(name).process.kill('SIGKILL');
  await workload.moved();
  rig.keeper.process('gateway-1').process.kill('SIGKILL');
  await rig.engines.restart('registry');
  return 1;
}

export const registryFaults: readonly Fault[] = [
  {
    name: 'registry down',
    about: 'while it is, an instance of every service is killed, and must wait for it',
    inject: down,
  },
];
