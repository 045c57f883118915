import type { ClaimRow } from '#gateway/claims/state.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';

/** The events of a claim, in the order of the log. */
export function claimRows(clickhouse: Clickhouse, claim: string): Promise<ClaimRow[]> {
  return clickhouse.query<ClaimRow>(
    `SELECT event, kind, account, toUnixTimestamp64Milli(received_at) AS received_at, reason, audit, evidenced_offset,
        decision, status, findings, entitlement, certificates, unrounded, annual_mwh, working, rule_ids, rule_set, snapshot,
        accreditation_code, certificate_year, first_number, last_number, certificate_status
     FROM claims FINAL WHERE claim = {claim:String} ORDER BY evidenced_offset`,
    { claim },
  );
}

export async function claimEventIds(clickhouse: Clickhouse, claim: string): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ event: string }>(
    "SELECT DISTINCT event FROM claims WHERE claim = {claim:String} AND kind = 'claim'",
    { claim },
  );
  return rows.map(({ event }) => event);
}
