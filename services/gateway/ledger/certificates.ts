import type { ActionRow } from '#gateway/register/actions.ts';
import type { CertificatePlace, UnitClaim } from '#gateway/register/certificates.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';

/** Everything done to certificates on one Sydney day, in the order of the log. What the unit is, its latest claim says. */
export function certificateActions(clickhouse: Clickhouse, day: string): Promise<ActionRow[]> {
  return clickhouse.query<ActionRow>(
    `SELECT a.decision AS decision, toUnixTimestamp64Milli(a.acted_at) AS acted_at,
        a.accreditation_code AS accreditation_code, a.certificate_year AS certificate_year,
        a.first_number AS first_number, a.last_number AS last_number, a.certificate_status AS certificate_status,
        c.claimant AS account, c.unit_kind AS unit_kind, c.state AS state
     FROM (SELECT * FROM certificate_actions FINAL WHERE acted_on = {day:Date}) AS a
     INNER JOIN
     (
        SELECT claim, argMax(account, evidenced_offset) AS claimant, argMax(unit_kind, evidenced_offset) AS unit_kind,
            argMax(state, evidenced_offset) AS state
        FROM claims
        WHERE kind = 'claim'
            AND claim IN (SELECT claim FROM certificate_actions WHERE acted_on = {day:Date})
        GROUP BY claim
     ) AS c ON a.claim = c.claim
     ORDER BY a.evidenced_offset`,
    { day },
  );
}

/** The claim for which a certificate was created. */
export async function claimOfCertificate(
  clickhouse: Clickhouse,
  { code, year, number }: CertificatePlace,
): Promise<string | undefined> {
  const [row] = await clickhouse.query<{ claim: string }>(
    `SELECT claim FROM claims
     WHERE accreditation_code = {code:String} AND decision = 'approved' AND certificate_year = {year:Int32}
        AND first_number <= {number:Int64} AND last_number >= {number:Int64} LIMIT 1`,
    { code, year, number },
  );
  return row?.claim;
}

/** The claims that certificates of a unit were created for. */
export function claimsOfUnit(clickhouse: Clickhouse, code: string): Promise<UnitClaim[]> {
  return clickhouse.query<UnitClaim>(
    `SELECT claim, argMaxIf(c.account, c.evidenced_offset, kind = 'claim') AS account,
        argMaxIf(c.unit_kind, c.evidenced_offset, kind = 'claim') AS unit_kind,
        argMaxIf(c.installed_on, c.evidenced_offset, kind = 'claim') AS installed_on,
        argMaxIf(c.state, c.evidenced_offset, kind = 'claim') AS state,
        argMaxIf(c.postcode, c.evidenced_offset, kind = 'claim') AS postcode,
        argMaxIf(c.rated_power_kw, c.evidenced_offset, kind = 'claim') AS rated_power_kw,
        argMax(c.status, c.evidenced_offset) AS status,
        maxIf(c.certificates, c.decision = 'approved') AS certificates,
        maxIf(c.certificate_year, c.decision = 'approved') AS certificate_year,
        maxIf(c.first_number, c.decision = 'approved') AS first_number,
        maxIf(c.last_number, c.decision = 'approved') AS last_number,
        argMax(c.certificate_status, c.evidenced_offset) AS certificate_status
     FROM claims AS c
     WHERE c.decision != 'not_applied'
        AND claim IN (SELECT claim FROM claims WHERE accreditation_code = {code:String} AND decision = 'approved')
     GROUP BY claim ORDER BY certificate_year, first_number`,
    { code },
  );
}

/** What a claim is made of, as its assessment had it. */
export async function equipmentOf(
  clickhouse: Clickhouse,
  claim: string,
  event: string,
): Promise<readonly object[]> {
  const [row] = await clickhouse.query<{ equipment: object[] }>(
    'SELECT equipment FROM claims WHERE claim = {claim:String} AND event = {event:String} LIMIT 1',
    { claim, event },
  );
  return row?.equipment ?? [];
}
