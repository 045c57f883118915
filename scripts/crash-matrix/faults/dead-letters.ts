import { topicName } from '#shared/adapters/kafka/topics.ts';
import { writeHeaders } from '#shared/codec/headers.ts';
import type { Fault } from '../fault.ts';
import type { Rig } from '../rig.ts';
import { runTool } from '../tools.ts';
import { disarm, killAround } from './kill-at-points.ts';

/** A message that nobody can read, where each stage reads. It holds no row, so nothing is lost when it is discarded. */
const poisons = [
  { stage: 'cec-validation', effect: 'cec-validation.dead-letter', topic: 'serials.submitted' },
  { stage: 'gather', effect: 'certificate.gather.dead-letter', topic: 'claims.submitted' },
  { stage: 'decide', effect: 'certificate.decide.dead-letter', topic: 'claims.evidenced' },
] as const;

async function poison(rig: Rig, topic: (typeof poisons)[number]['topic']): Promise<void> {
  const headers =
    topic === 'serials.submitted'
      ? writeHeaders({ submission: '', batch: 0, rows: 0, deadRows: 0, receivedAt: 0 })
      : {};
  const value = Buffer.from('not a message of ours');
  await rig.desk.publisher.send(topicName(topic), [{ partition: 0, value, headers }]);
}

export const deadLetters: readonly Fault[] = poisons.map(({ stage, effect, topic }) => ({
  name: `kill ${effect}`,
  about: `a message that ${stage} cannot read, and SIGKILL before and after it is kept; discarded afterwards`,
  async inject({ rig }) {
    const killing = killAround({ rig }, effect);
    killing.catch(() => undefined);
    await poison(rig, topic);
    return 1 + (await killing);
  },
  async heal({ rig }) {
    disarm(rig, effect);
    await rig.keeper.allUp();
    await runTool(rig, 'dead-letters', 'discard', '--stage', stage, '--why', 'made by the crash matrix');
  },
}));
