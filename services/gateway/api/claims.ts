import Type from 'typebox';
import type { Identity } from '#gateway/accounts/book.ts';
import type { ClaimDesk } from '#gateway/claims/desk.ts';
import type { ClaimView } from '#gateway/claims/state.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, refuse } from '#gateway/refusal.ts';
import { claimFromJson, claimJsonSchema } from '#shared/domain/claims/index.ts';
import { IdempotencyKey, json, Time } from './common.ts';

export interface ClaimApi {
  readonly desk: Pick<ClaimDesk, 'submit'>;
  state(claim: string, viewer: Identity, waitMs: number): Promise<ClaimView | undefined>;
}

const bodyBytesMax = 1024 * 1024;
const claimExample = {
  unit_kind: 'solar',
  installed_on: '2026-03-02',
  address: '12 Example Street',
  locality: 'Newcastle West',
  state: 'NSW',
  postcode: '2302',
  installation_type: 'New',
  complete_unit: true,
  rated_power_kw: '0.88',
  deeming: 'max',
  panel_count: 2,
  panels: [
    {
      holder: 'Sunmaker Co Ltd',
      model: 'SM-440 (IEC 61215-2021)',
      quantity: 2,
      serials: ['SM26000001', 'SM26000002'],
    },
  ],
  inverters: [
    {
      holder: 'Brightgrid Power Electronics Co Ltd',
      series: 'BG',
      model: 'BG-5000TL (AS4777-2 2020)',
      serials: ['BG26000001'],
    },
  ],
  installer: 'Ann Installer',
  installer_accreditation: 'A1234567',
  designer_accreditation: 'A1234567',
  accredited: true,
  owner: 'Owen Owner',
  owner_contact: 'owen@example.org',
  claimant: 'agent',
  assignment: 'REC-ASSIGNMENT-1',
  assigned_on: '2026-03-03',
};
const ClaimId = Type.String({ pattern: '^[0-9a-f]{20}-[0-9a-f]{16}$' });
const Text = Type.String();

const FindingView = Type.Object(
  {
    code: Text,
    effect: Type.Enum(['refuse', 'ask', 'wait', 'note']),
    subject: Type.String({ description: 'serial, model or field concerned' }),
    detail: Text,
    reference: Type.Optional(Type.String({ description: 'for the regulator alone' })),
  },
  { additionalProperties: false },
);

/** Figures are there once the claim is decided. */
const ClaimStateView = Type.Object(
  {
    id: ClaimId,
    state: Type.Enum(['pending', 'decided']),
    status: Type.Optional(Type.String({ description: 'approved, held, refused; withdrawn, passed, failed' })),
    decision: Type.Optional(Type.String({ description: 'of the claim: approved, held, refused' })),
    findings: Type.Optional(Type.Array(FindingView)),
    entitlement: Type.Optional(Text),
    certificates: Type.Optional(Type.Integer()),
    unrounded: Type.Optional(Type.String({ description: 'the product before the one rounding' })),
    annual_mwh: Type.Optional(Text),
    working: Type.Optional(Type.Array(Text)),
    rule_set: Type.Optional(Text),
    rule_ids: Type.Optional(Type.Array(Text)),
    snapshot: Type.Optional(Type.String({ description: 'approved lists used' })),
    accreditation_code: Type.Optional(Text),
    certificate_year: Type.Optional(Type.Integer()),
    first_number: Type.Optional(Type.Integer()),
    last_number: Type.Optional(Type.Integer()),
    certificate_status: Type.Optional(Text),
    submitted_at: Type.Optional(Time('receipt')),
    events: Type.Optional(
      Type.Array(
        Type.Object(
          { event: Text, kind: Text, decision: Text, received_at: Time('receipt') },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { additionalProperties: false },
);

/** Claims for certificates. */
export function claimEndpoints(api: ClaimApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'createClaim',
        method: 'POST',
        path: '/v1/claims',
        tag: 'claims',
        summary: 'Claim certificates for a unit',
        description:
          'What is wrong with the content of a claim is found when it is assessed, and told with its decision.',
        access: ['agent'],
        headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
        // `claimFromJson` checks by the same schema, and names each fault in its own words.
        body: {
          kind: 'json',
          schema: claimJsonSchema,
          checkedByHandler: true,
          bytesMax: bodyBytesMax,
          example: claimExample,
        },
        answers: {
          202: {
            description: 'The claim is stored safely and will be assessed.',
            headers: { Location: 'address of the claim' },
            content: json(Type.Object({ id: ClaimId, url: Text }, { additionalProperties: false })),
          },
        },
        refusals: ['idempotency_key_reused'],
      },
      async ({ body, headers }, identity) => {
        const reading = claimFromJson(body);
        if ('reasons' in reading) {
          const errors = reading.reasons.map(({ code, field, message }) => ({ where: field, code, message }));
          return refuse('request_invalid', errors[0]!.message, { errors });
        }
        const claim = await api.desk.submit(reading.claim, identity, headers['idempotency-key']);
        if (isRefusal(claim)) return claim;
        const url = `/v1/claims/${claim.id}`;
        return { status: 202, headers: { location: url }, body: { id: claim.id, url } };
      },
    ),
    guarded(
      {
        id: 'getClaim',
        method: 'GET',
        path: '/v1/claims/{claim}',
        tag: 'claims',
        summary: 'What became of a claim',
        access: ['agent', 'regulator'],
        params: Type.Object({ claim: ClaimId }),
        query: Type.Object(
          {
            wait_ms: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: 30_000,
                description: 'answer once it is decided, or after this time',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        answers: { 200: { description: 'The claim with its decision.', content: json(ClaimStateView) } },
        refusals: ['resource_not_found'],
      },
      async ({ params, query }, identity) => {
        const state = await api.state(params.claim, identity, query.wait_ms ?? 0);
        return state ? { status: 200, body: state } : refuse('resource_not_found');
      },
    ),
  ];
}
