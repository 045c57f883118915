import { boundsOf, type LogRange, readLog } from '#shared/adapters/kafka/read-log.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import type { Desk } from './rig.ts';

const topics = ['serials.submitted', 'claims.submitted'] as const;
type Topic = (typeof topics)[number];

/** How long the logs were at a moment: what lies behind was accepted since. */
export class Marks {
  readonly #ends: ReadonlyMap<Topic, ReadonlyMap<number, number>>;

  private constructor(ends: ReadonlyMap<Topic, ReadonlyMap<number, number>>) {
    this.#ends = ends;
  }

  static async now({ context }: Desk): Promise<Marks> {
    const ends = new Map<Topic, ReadonlyMap<number, number>>();
    for (const topic of topics) {
      const bounds = await boundsOf(context.kafka, topicName(topic));
      ends.set(topic, new Map([...bounds].map(([partition, { high }]) => [partition, high])));
    }
    return new Marks(ends);
  }

  /** Everything of a topic from these marks up to others, each partition in the order of the log. */
  async read(
    { context }: Desk,
    topic: Topic,
    to: Marks,
    read: (message: InMessage, partition: number) => void,
  ): Promise<void> {
    const ranges: LogRange[] = [...to.#ends.get(topic)!].map(([partition, end]) => ({
      partition,
      from: this.#ends.get(topic)!.get(partition) ?? 0,
      to: end,
    }));
    await readLog({
      kafka: context.kafka,
      topic: topicName(topic),
      ranges,
      read: (message, partition) => {
        read(message, partition);
        return undefined;
      },
    });
  }
}
