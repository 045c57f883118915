import type { Stamps } from '#gateway/lookup/ticks.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';

/** Reads the watermark of each partition of a topic, by its full name (L3). */
export function watermarkReader(clickhouse: Clickhouse, topic: string): () => Promise<Stamps> {
  return async () => {
    const rows = await clickhouse.query<{ partition: number; watermark: number }>(
      'SELECT partition, max(origin) AS watermark FROM watermarks WHERE topic = {topic:String} GROUP BY partition',
      { topic },
    );
    return new Map(rows.map(({ partition, watermark }) => [partition, watermark]));
  };
}
