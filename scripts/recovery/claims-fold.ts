import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { DecidedClaim } from '#shared/domain/claims/claim.ts';
import { scanOptions } from './ledger.ts';

/** Events of `claims.evidenced` with their decisions, as the ledger has them. */
export interface ClaimRange {
  /** Events up to this offset in `claims.evidenced` are left out, ... */
  readonly after: number;
  /** ... and those with a higher one than this. */
  readonly cut: number;
}

/**
 * Every decided event of a range, in the order in which they were decided, with all that it was decided from. Both tables are sorted by claim and event, so that
 * they are merged and not held; what tells of persons is needed because it makes up the identity of unit and premises.
 */
export function ledgerClaims(
  clickhouse: Clickhouse,
  { after, cut }: ClaimRange,
): AsyncGenerator<readonly DecidedClaim[], void> {
  return clickhouse.queryStream<DecidedClaim>(
    `SELECT c.* EXCEPT (received_at), toUnixTimestamp64Milli(c.received_at) AS received_at, p.* EXCEPT (claim, event)
     FROM (SELECT * FROM claims FINAL WHERE evidenced_offset > {after:Int64} AND evidenced_offset <= {cut:Int64}) AS c
     LEFT JOIN (SELECT * FROM claim_parties FINAL) AS p ON c.claim = p.claim AND c.event = p.event
     ORDER BY evidenced_offset`,
    { after, cut },
    { ...scanOptions, settings: { ...scanOptions.settings, join_algorithm: 'full_sorting_merge' } },
  );
}
