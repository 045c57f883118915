import type { ClaimRow } from '#gateway/claims/state.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { ClaimFacts } from '#shared/domain/claims/index.ts';

/** The events of a claim, in the order of the log. */
export function claimRows(clickhouse: Clickhouse, claim: string): Promise<ClaimRow[]> {
  return clickhouse.query<ClaimRow>(
    `SELECT event, kind, account, submitted_by, toUnixTimestamp64Milli(received_at) AS received_at, reason, audit,
        based_on, asked_by, waived, file, record, evidenced_offset, decision, status, findings, entitlement, certificates,
        unrounded, annual_mwh, working, rule_ids, rule_set, snapshot, accreditation_code, certificate_year, first_number, last_number, certificate_status
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

export async function fileEventIds(clickhouse: Clickhouse, file: string): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ event: string }>(
    'SELECT DISTINCT event FROM claims WHERE file = {file:String}',
    { file },
  );
  return rows.map(({ event }) => event);
}

type FactsRow = Omit<ClaimFacts, keyof PartiesRow>;
type PartiesRow = Pick<
  ClaimFacts,
  | 'address'
  | 'locality'
  | 'auditor'
  | 'installer'
  | 'installer_accreditation'
  | 'designer_accreditation'
  | 'owner'
  | 'owner_contact'
  | 'retailer_abn'
  | 'nmi'
>;

/** What a claim stated in one of its events; what tells of persons lies in a table of its own (L4). */
export async function claimFacts(
  clickhouse: Clickhouse,
  claim: string,
  event: string,
): Promise<ClaimFacts | undefined> {
  const [facts] = await clickhouse.query<FactsRow>(
    `SELECT unit_kind, installed_on, compliance_on, state, postcode, installation_type, complete_unit, earlier_code,
        existing_kw, rated_power_kw, panel_count, equipment, resource_hours, hours_audit, nominal_kwh, usable_kwh,
        with_solar, vpp_ready, deeming, years_already_deemed, still_installed, accredited, claimant, assignment,
        assigned_on, verified, spv_package, credits, claimed_certificates
     FROM claims WHERE claim = {claim:String} AND event = {event:String} AND kind = 'claim' LIMIT 1`,
    { claim, event },
  );
  const [parties] = await clickhouse.query<PartiesRow>(
    `SELECT address, locality, auditor, installer, installer_accreditation, designer_accreditation, owner,
        owner_contact, retailer_abn, nmi
     FROM claim_parties WHERE claim = {claim:String} AND event = {event:String} LIMIT 1`,
    { claim, event },
  );
  return facts && parties ? { ...facts, ...parties } : undefined;
}

/** A claim in a list. */
export interface ListedClaim {
  readonly claim: string;
  readonly account: string;
  readonly unit_kind: string;
  readonly state: string;
  readonly status: string;
  readonly decision: string;
  readonly findings: readonly string[];
  readonly certificates: number;
  readonly certificate_status: string;
  readonly accreditation_code: string;
  readonly certificate_year: number;
  readonly first_number: number;
  readonly last_number: number;
  readonly file: string;
  readonly record: number;
  readonly submitted_at: number;
  /** Receipt of the last event that applied: since when the claim is as it is. */
  readonly since: number;
}

export interface ClaimFilter {
  /** Whose; empty for those of all accounts. */
  readonly account: string;
  readonly status: string;
  readonly certificateStatus: string;
  readonly file: string;
  /** Unchanged since before this moment, epoch milliseconds. */
  readonly unchangedSince: number;
  /** The last claim of the page before. */
  readonly after: { readonly submitted_at: number; readonly claim: string };
  readonly limit: number;
}

/** Claims as they stand, the oldest first. An event that did not apply changes nothing. */
export function listClaims(clickhouse: Clickhouse, filter: ClaimFilter): Promise<ListedClaim[]> {
  return clickhouse.query<ListedClaim>(
    `SELECT claim, argMaxIf(c.account, c.evidenced_offset, kind = 'claim') AS account,
        argMaxIf(c.unit_kind, c.evidenced_offset, kind = 'claim') AS unit_kind,
        argMaxIf(c.state, c.evidenced_offset, kind = 'claim') AS state,
        argMax(c.status, c.evidenced_offset) AS status,
        argMaxIf(c.decision, c.evidenced_offset, kind = 'claim') AS decision,
        arrayDistinct(argMaxIf(c.findings.code, c.evidenced_offset, kind = 'claim')) AS findings,
        maxIf(c.certificates, c.decision = 'approved') AS certificates,
        argMax(c.certificate_status, c.evidenced_offset) AS certificate_status,
        argMaxIf(c.accreditation_code, c.evidenced_offset, c.decision = 'approved') AS accreditation_code,
        maxIf(c.certificate_year, c.decision = 'approved') AS certificate_year,
        maxIf(c.first_number, c.decision = 'approved') AS first_number,
        maxIf(c.last_number, c.decision = 'approved') AS last_number,
        max(c.file) AS file, max(c.record) AS record,
        toUnixTimestamp64Milli(min(c.received_at)) AS submitted_at,
        toUnixTimestamp64Milli(argMax(c.received_at, c.evidenced_offset)) AS since
     FROM claims AS c
     WHERE c.decision != 'not_applied'
        AND ({account:String} = ''
            OR claim IN (SELECT claim FROM claims WHERE account = {account:String} AND kind = 'claim'))
        AND ({file:String} = '' OR claim IN (SELECT claim FROM claims WHERE file = {file:String}))
     GROUP BY claim
     HAVING ({status:String} = '' OR status = {status:String})
        AND ({certificateStatus:String} = '' OR certificate_status = {certificateStatus:String})
        AND since <= {unchangedSince:Int64}
        AND (submitted_at, claim) > ({afterAt:Int64}, {afterClaim:String})
     ORDER BY submitted_at, claim LIMIT {limit:UInt32}`,
    {
      account: filter.account,
      status: filter.status,
      certificateStatus: filter.certificateStatus,
      file: filter.file,
      unchangedSince: filter.unchangedSince,
      afterAt: filter.after.submitted_at,
      afterClaim: filter.after.claim,
      limit: filter.limit,
    },
  );
}
