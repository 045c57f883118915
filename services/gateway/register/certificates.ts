import type { Identity } from '#gateway/accounts/book.ts';
import { type ClaimReads, findingViews, latestAssessment, visibleClaim } from '#gateway/claims/state.ts';
import { seesAllClaims } from '#gateway/claims/viewer.ts';

/** Identity of a certificate (CERT-1, CERT-2). */
export interface CertificatePlace {
  readonly code: string;
  readonly year: number;
  readonly number: number;
}

export interface UnitClaim {
  readonly claim: string;
  readonly account: string;
  readonly unit_kind: string;
  readonly installed_on: string;
  readonly state: string;
  readonly postcode: string;
  readonly rated_power_kw: string;
  readonly status: string;
  readonly certificates: number;
  readonly certificate_year: number;
  readonly first_number: number;
  readonly last_number: number;
  readonly certificate_status: string;
}

export interface CertificatePorts {
  readonly claims: ClaimReads;
  claimOf(place: CertificatePlace): Promise<string | undefined>;
  claimsOfUnit(code: string): Promise<readonly UnitClaim[]>;
  equipment(claim: string, event: string): Promise<readonly object[]>;
}

/** J7: a certificate leads to its claim, the serials, and the decision. Undefined when this account may not see one. */
export async function certificateView(
  ports: CertificatePorts,
  place: CertificatePlace,
  viewer: Pick<Identity, 'account'>,
): Promise<object | undefined> {
  const id = await ports.claimOf(place);
  const claim = id === undefined ? undefined : await visibleClaim(ports.claims, id, viewer, 0);
  const created = claim && latestAssessment(claim.rows);
  if (!claim || !created) return undefined;
  const actions = claim.rows.filter(
    ({ decision, certificate_status }) => decision !== 'not_applied' && certificate_status !== '',
  );
  return {
    accreditation_code: place.code,
    year: place.year,
    number: place.number,
    status: actions.at(-1)?.certificate_status ?? '',
    claim: claim.id,
    claim_url: `/v1/claims/${claim.id}`,
    created_by: claim.claimant,
    first_number: created.first_number,
    last_number: created.last_number,
    equipment: await ports.equipment(claim.id, created.event),
    decision: {
      decision: created.decision,
      findings: findingViews(created.findings, seesAllClaims(viewer.account)),
      certificates: created.certificates,
      unrounded: created.unrounded,
      working: created.working,
      rule_set: created.rule_set,
      snapshot: created.snapshot,
    },
    actions: actions.map(({ decision, certificate_status, received_at, reason }) => ({
      decision,
      status: certificate_status,
      received_at,
      reason,
    })),
  };
}

/** J7: a unit with what was created for it. SEC-1: an account sees its own claims alone. */
export async function unitView(
  ports: CertificatePorts,
  code: string,
  { account }: Pick<Identity, 'account'>,
): Promise<object | undefined> {
  const all = await ports.claimsOfUnit(code);
  const visible = seesAllClaims(account) ? all : all.filter((claim) => claim.account === account.id);
  const latest = visible.at(-1);
  if (!latest) return undefined;
  const { unit_kind, installed_on, state, postcode, rated_power_kw } = latest;
  return {
    accreditation_code: code,
    unit_kind,
    installed_on,
    state,
    postcode,
    rated_power_kw,
    claims: visible.map((claim) => ({
      claim: claim.claim,
      account: claim.account,
      status: claim.status,
      certificates: claim.certificates,
      year: claim.certificate_year,
      first_number: claim.first_number,
      last_number: claim.last_number,
      certificate_status: claim.certificate_status,
    })),
  };
}
