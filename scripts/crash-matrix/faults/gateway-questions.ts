import { topicName } from '#shared/adapters/kafka/topics.ts';
import { type Fault, hitTimeoutMs } from '../fault.ts';
import type { Rig } from '../rig.ts';
import { disarm, killAround } from './kill-at-points.ts';

const ticks = `gateway.${topicName('serials.submitted')}`;

/** Asks about a serial until the gateway has died of it twice. Only its first questions go without an answer. */
async function askUntil(rig: Rig, done: () => boolean): Promise<void> {
  const { key } = rig.cast.suppliers[0]!;
  for (let i = 0; !done(); i++)
    await fetch(`${rig.gatewayUrl}/v1/serials/panel/CM-NOBODY-${i}`, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(hitTimeoutMs),
    })
      .then((response) => response.arrayBuffer())
      .catch(() => new Promise((resolve) => setTimeout(resolve, 100)));
}

export const gatewayQuestions: readonly Fault[] = [
  {
    name: `kill ${ticks}`,
    about: 'SIGKILL before and after a look-up writes its tick',
    async inject({ rig }) {
      let done = false;
      const killing = killAround({ rig }, ticks).finally(() => {
        done = true;
      });
      await Promise.all([killing, askUntil(rig, () => done)]);
      return killing;
    },
    heal: async ({ rig }) => disarm(rig, ticks),
  },
];
