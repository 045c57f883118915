import type { HistoryPlace, HistoryPorts, HistoryQuery, HistoryRow, UpTo } from '#gateway/history/page.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { deadRowsOfEach } from '#shared/adapters/clickhouse/conservation.ts';
import type { Param } from '#shared/adapters/clickhouse/params.ts';

type Params = Record<string, Param>;

/** The history is read from the manifests themselves, of which only narrow columns are looked through. */
export function historyReads(clickhouse: Clickhouse): Omit<HistoryPorts, 'upTo'> {
  return {
    places(query, upTo, after, limit) {
      const params: Params = { limit };
      const tests = [...queryTests(query, upTo, params), ...afterTests(after, params)];
      return clickhouse.query<HistoryPlace>(
        `SELECT toUnixTimestamp64Milli(s.received_at) AS received_at, s.submission AS submission
         FROM submissions AS s ${tests.length === 0 ? '' : `WHERE ${tests.join(' AND ')}`}
         ORDER BY s.received_at DESC, toString(s.submission) DESC LIMIT {limit:UInt32}`,
        params,
      );
    },

    rows(submissions) {
      return clickhouse.query<HistoryRow>(
        `SELECT submission, toUnixTimestamp64Milli(s.received_at) AS received_at, account, channel, product, action, file_name,
            declaration, declared_by, rows, body_bytes, body_sha256, stream,
            arrayMap(share -> (share.partition, share.last_offset)::Tuple(partition UInt16, last_offset UInt64), partitions)
                AS last_offsets
         FROM submissions AS s WHERE submission IN {submissions:Array(UUID)}
         ORDER BY s.received_at LIMIT 1 BY submission`,
        { submissions },
      );
    },

    async outcomes(submissions) {
      const rows = await clickhouse.query<{ submission: string; outcomes: Record<string, number> }>(
        `SELECT submission, sumMap(outcomes) AS outcomes FROM
         (SELECT submission, CAST(b.outcomes, 'Map(String, UInt64)') AS outcomes FROM batch_outcomes AS b FINAL
          WHERE submission IN {submissions:Array(UUID)})
         GROUP BY submission`,
        { submissions },
      );
      return new Map(rows.map(({ submission, outcomes }) => [submission, outcomes]));
    },

    async deadRows(submissions) {
      const rows = await deadRowsOfEach(clickhouse, submissions);
      return new Map(rows.map(({ submission, ...dead }) => [submission, dead]));
    },
  };
}

function queryTests(query: HistoryQuery, upTo: UpTo, params: Params): string[] {
  const tests: string[] = [];
  const add = (name: string, value: Param | undefined, test: string) => {
    if (value === undefined) return;
    params[name] = value;
    tests.push(test);
  };
  add('account', query.account, 's.account = {account:String}');
  add('product', query.product, 's.product = {product:String}');
  add('action', query.action, 's.action = {action:String}');
  add('from', query.receivedFrom, "s.received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')");
  add('before', query.receivedBefore, "s.received_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC')");
  if (query.state !== undefined) {
    const partitions = Math.max(-1, ...upTo.keys()) + 1;
    params.upTo = Array.from({ length: partitions }, (_, partition) => upTo.get(partition) ?? -1);
    const isFinal = `arrayAll(share -> toInt64(share.last_offset) <=
        if(share.partition < length({upTo:Array(Int64)}), {upTo:Array(Int64)}[share.partition + 1], -1), s.partitions)`;
    tests.push(query.state === 'final' ? isFinal : `NOT ${isFinal}`);
  }
  return tests;
}

function afterTests(after: HistoryPlace | undefined, params: Params): string[] {
  if (!after) return [];
  params.afterAt = after.received_at;
  params.afterId = after.submission;
  return [
    `(s.received_at, toString(s.submission)) < (fromUnixTimestamp64Milli({afterAt:Int64}, 'UTC'), {afterId:String})`,
  ];
}
