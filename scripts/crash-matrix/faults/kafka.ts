import { type Fault, type Scene, within } from '../fault.ts';
import { type KafkaRequest, kafkaApis } from '../kafka-requests.ts';
import type { Loss } from '../kafka-tap.ts';
import { killEngine } from '../processes.ts';

interface Cut {
  readonly name: string;
  readonly about: string;
  readonly times: number;
  readonly loss: Loss;
  readonly wanted: (request: KafkaRequest) => boolean;
  readonly sample?: boolean;
}

const of = (client: string, api: number) => (request: KafkaRequest) =>
  request.api === api && request.client.startsWith(`${client}-`);

const cuts: readonly Cut[] = [
  {
    name: 'kafka cut in a transaction',
    about: 'the connection is cut while the batches of a submission are written',
    times: 3,
    loss: 'request',
    wanted: of('gateway', kafkaApis.produce),
  },
  {
    name: 'kafka cut before a commit',
    about: 'the connection is cut, and the end of the transaction never arrives',
    times: 3,
    loss: 'request',
    wanted: of('gateway', kafkaApis.endTransaction),
  },
  {
    name: 'kafka answer of a commit lost',
    about: 'the transaction is committed, and the gateway is not told',
    times: 3,
    loss: 'answer',
    wanted: of('gateway', kafkaApis.endTransaction),
    sample: true,
  },
  ...(['cec-validation', 'dedup', 'certificate'] as const).map((service) => ({
    name: `kafka answers to ${service} lost`,
    about: 'what it publishes is in the log, and it is not told',
    times: 3,
    loss: 'answer' as const,
    wanted: of(service, kafkaApis.produce),
  })),
];

async function cut({ rig }: Scene, { times, loss, wanted, name }: Cut): Promise<number> {
  await within(name, rig.kafkaTap.cutAt(times, loss, wanted));
  return times;
}

async function restart({ rig }: Scene): Promise<number> {
  await killEngine(rig, 'kafka');
  await rig.engines.restart('kafka');
  return 1;
}

async function cutEverything({ rig, workload }: Scene): Promise<number> {
  const times = 3;
  for (let i = 0; i < times; i++) {
    await workload.moved();
    for (const proxy of Object.values(rig.proxies)) proxy.cutAll();
  }
  return times;
}

export const kafkaFaults: readonly Fault[] = [
  {
    name: 'kafka killed and restarted',
    about: 'SIGKILL of the broker, started again on its data',
    inject: restart,
  },
  ...cuts.map(
    (one): Fault => ({
      name: one.name,
      about: one.about,
      sample: one.sample ?? false,
      inject: (scene) => cut(scene, one),
      heal: async ({ rig }) => rig.kafkaTap.release(),
    }),
  ),
  {
    name: 'every connection cut',
    about: 'all connections to all engines at once',
    inject: cutEverything,
  },
];
