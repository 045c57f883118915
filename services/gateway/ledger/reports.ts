import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';

export interface UnknownSerials {
  readonly product: string;
  readonly holder: string;
  readonly account: string;
  readonly state: string;
  readonly serials: number;
  readonly claims: number;
  readonly offered: number;
}

/** G5: serials that claims name and nobody with authority supplied, by brand, claimant and region; the most first. */
export function unknownSerials(clickhouse: Clickhouse, since: number): Promise<UnknownSerials[]> {
  return clickhouse.query<UnknownSerials>(
    `SELECT item.product AS product, item.holder AS holder, claimant AS account, region AS state,
        toInt64(uniqExact(subject)) AS serials, toInt64(uniqExact(claim)) AS claims,
        toInt64(uniqExactIf(subject, has(refused, subject))) AS offered
     FROM
     (
        SELECT claim, claimant, region, refused, arrayJoin(unknown) AS subject,
            arrayFirst(part -> has(part.serials, subject), parts) AS item
        FROM
        (
            SELECT claim, argMax(account, evidenced_offset) AS claimant, argMax(state, evidenced_offset) AS region,
                argMax(equipment, evidenced_offset) AS parts, argMax(findings, evidenced_offset) AS found,
                arrayDistinct(arrayMap(f -> f.subject, arrayFilter(f -> f.code = 'serial_not_found', found))) AS unknown,
                arrayMap(f -> f.subject, arrayFilter(f -> f.code = 'supplier_not_authorised', found)) AS refused
            FROM claims
            WHERE kind = 'claim' AND decision != 'not_applied'
                AND received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
            GROUP BY claim
        )
     )
     GROUP BY product, holder, account, state
     ORDER BY serials DESC, product, holder, account, state LIMIT 1000`,
    { since },
  );
}
