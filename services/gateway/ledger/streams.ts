import type { StreamReads } from '#gateway/streams/known.ts';
import type { KnownPart, StreamState } from '#gateway/submissions/recent.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';

/** What the ledger has of streams. */
export function streamReads(clickhouse: Clickhouse): StreamReads {
  return {
    async state(stream) {
      const [row] = await clickhouse.query<StreamState & { parts: number }>(
        `SELECT count() AS parts, any(account) AS account, any(product) AS product, any(action) AS action,
            max(first_row + rows - 1) AS committedRow, toUnixTimestamp64Milli(min(received_at)) AS firstAt,
            toUnixTimestamp64Milli(max(received_at)) AS lastAt
         FROM stream_parts WHERE stream = {stream:String}`,
        { stream },
      );
      if (!row || row.parts === 0) return undefined;
      const { parts: _, ...state } = row;
      return state;
    },

    parts(stream, fromRow, limit) {
      return clickhouse.query<KnownPart>(
        `SELECT submission, first_row AS firstRow, rows, body_sha256 AS bodySha256 FROM stream_parts FINAL
         WHERE stream = {stream:String} AND first_row >= {fromRow:UInt64}
         ORDER BY stream, first_row, submission LIMIT {limit:UInt32}`,
        { stream, fromRow, limit },
      );
    },
  };
}
