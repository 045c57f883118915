import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { DecidedClaim } from '#shared/domain/claims/index.ts';

/** The columns of a decision, but for those that tell of persons. */
const columns = `event, kind, c.claim AS claim, unit, account, submitted_by,
    toUnixTimestamp64Milli(c.received_at) AS received_at, reason, audit, unit_kind, installed_on, compliance_on, state,
    postcode, installation_type, complete_unit, earlier_code, existing_kw, rated_power_kw, panel_count, equipment,
    resource_hours, hours_audit, nominal_kwh, usable_kwh, with_solar, vpp_ready, deeming, years_already_deemed,
    still_installed, accredited, claimant, assignment, assigned_on, verified, spv_package, credits,
    claimed_certificates, source_partition, source_offset, created_on, stamps, serial_evidence, model_evidence,
    snapshot, rules_version, evidenced_offset, decision, status, findings, entitlement, certificates, unrounded,
    annual_mwh, working, rule_ids, rule_set, accreditation_code, certificate_year, first_number, last_number,
    certificate_status, based_on, asked_by, waived, file, record, evidenced_at, rulings_offset, ineligible_serials,
    premises, state_before`;
const parties = `address, locality, auditor, installer, installer_accreditation, designer_accreditation, owner,
    owner_contact, retailer_abn, nmi`;

/** Every event of these claims with its decision, as it was published, in the order of the log. */
export async function decidedClaims(
  clickhouse: Clickhouse,
  claims: readonly string[],
): Promise<readonly DecidedClaim[]> {
  return clickhouse.query<DecidedClaim>(
    `SELECT ${columns}, ${parties}
     FROM (SELECT * FROM claims FINAL WHERE claim IN {claims:Array(String)}) AS c
     LEFT JOIN (SELECT * FROM claim_parties FINAL WHERE claim IN {claims:Array(String)}) AS p
         ON c.claim = p.claim AND c.event = p.event
     ORDER BY evidenced_offset`,
    { claims },
  );
}

/** Claims that a claim can depend on: those of its unit, at its premises, and with one of its serials. */
export async function relatedClaims(
  clickhouse: Clickhouse,
  { unit, premises, serial_evidence }: DecidedClaim,
): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ claim: string }>(
    `SELECT claim FROM claims
     WHERE startsWith(claim, {unit:String}) OR (premises != '' AND premises = {premises:String})
     UNION DISTINCT
     SELECT claim FROM claim_serials
     WHERE (product, serial_key) IN arrayZip({products:Array(String)}, {serials:Array(String)})`,
    {
      unit,
      premises,
      products: serial_evidence.map(({ product }) => product),
      serials: serial_evidence.map(({ serial_key }) => serial_key),
    },
  );
  return rows.map(({ claim }) => claim);
}

/** The highest number that accreditation codes had before an offset. */
export async function lastCodeBefore(clickhouse: Clickhouse, offset: number): Promise<number> {
  const [row] = await clickhouse.query<{ code: number }>(
    `SELECT toInt64(max(toUInt64OrZero(extract(accreditation_code, '\\\\d+$')))) AS code FROM claims
     WHERE decision = 'approved' AND evidenced_offset < {offset:Int64}`,
    { offset },
  );
  return row?.code ?? 0;
}
