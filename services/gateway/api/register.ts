import Type from 'typebox';
import type { Identity } from '#gateway/accounts/book.ts';
import { type Endpoint, guarded, open } from '#gateway/http/operation.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import type { CertificatePlace } from '#gateway/register/certificates.ts';
import { ClaimId, claimReaders } from './claims.ts';
import { Day, json, Time } from './common.ts';

export interface RegisterApi {
  readonly perMinuteMax: number;
  actions(date: string): Promise<{ actions: object[] } | Refusal>;
  certificate(place: CertificatePlace, viewer: Identity): Promise<object | undefined>;
  unit(code: string, viewer: Identity): Promise<object | undefined>;
  /** Accounts that may claim for owners (J3). */
  agents(): readonly object[] | Refusal;
}

const Text = Type.String();
const strict = { additionalProperties: false } as const;
const Code = Type.String({ pattern: '^[A-Z]{3,4}[0-9]{8,}$', description: 'accreditation code of the unit' });

const ActionView = Type.Object(
  {
    actionType: Type.String({
      description: '`STC created`, `STC audit passed`, `STC audit failed`, `STC registered`, `STC withdrawn`',
    }),
    completedTime: Type.String({ format: 'date-time' }),
    certificateRanges: Type.Array(
      Type.Object(
        {
          certificateType: Text,
          registeredPersonNumber: Type.String({ description: 'id of the account that created them' }),
          accreditationCode: Text,
          generationYear: Type.Integer(),
          generationState: Text,
          startSerialNumber: Type.Integer(),
          endSerialNumber: Type.Integer(),
          fuelSource: Type.String({ description: 'kind of unit' }),
          ownerAccount: Text,
          ownerAccountId: Text,
          status: Type.String({ description: 'after the action' }),
        },
        strict,
      ),
    ),
  },
  strict,
);

const range = {
  status: Text,
  certificates: Type.Integer(),
  year: Type.Integer(),
  first_number: Type.Integer(),
  last_number: Type.Integer(),
  certificate_status: Text,
};

/** The register of units and certificates; what is done to certificates is public. */
export function registerEndpoints(api: RegisterApi): readonly Endpoint[] {
  return [
    open(
      {
        id: 'getRegisterActions',
        method: 'GET',
        path: '/v1/register/actions',
        tag: 'register',
        summary: 'What was done to certificates on one day',
        description: 'One day of Sydney, shown from one o’clock in the night after it.',
        access: 'public',
        perMinuteMax: api.perMinuteMax,
        query: Type.Object({ date: Day('the day') }, strict),
        answers: {
          200: {
            description: 'The actions in their order.',
            content: json(Type.Object({ actions: Type.Array(ActionView) }, strict)),
          },
        },
        refusals: ['register_day_not_over', 'not_ready'],
      },
      async ({ query }) => {
        const actions = await api.actions(query.date);
        if (isRefusal(actions)) return actions;
        return { status: 200, headers: { 'cache-control': 'public, max-age=3600' }, body: actions };
      },
    ),
    open(
      {
        id: 'getRegisteredAgents',
        method: 'GET',
        path: '/v1/register/agents',
        tag: 'register',
        summary: 'Accounts that may claim certificates for owners',
        access: 'public',
        perMinuteMax: api.perMinuteMax,
        answers: {
          200: {
            description: 'By name.',
            content: json(
              Type.Object({ agents: Type.Array(Type.Object({ id: Text, name: Text }, strict)) }, strict),
            ),
          },
        },
        refusals: ['not_ready'],
      },
      async () => {
        const agents = api.agents();
        return isRefusal(agents) ? agents : { status: 200, body: { agents } };
      },
    ),
    guarded(
      {
        id: 'getCertificate',
        method: 'GET',
        path: '/v1/certificates/{code}/{year}/{number}',
        tag: 'register',
        summary: 'A certificate, with its claim, serials and decision',
        access: claimReaders,
        params: Type.Object({
          code: Code,
          year: Type.String({ pattern: '^20\\d{2}$' }),
          number: Type.String({ pattern: '^[1-9]\\d{0,8}$' }),
        }),
        answers: {
          200: {
            description: 'The certificate.',
            content: json(
              Type.Object(
                {
                  accreditation_code: Text,
                  year: Type.Integer(),
                  number: Type.Integer(),
                  status: Text,
                  claim: ClaimId,
                  claim_url: Text,
                  created_by: Text,
                  first_number: Type.Integer({ description: 'of those created together' }),
                  last_number: Type.Integer(),
                  equipment: Type.Array(Type.Object({})),
                  decision: Type.Object({}),
                  actions: Type.Array(
                    Type.Object({ decision: Text, status: Text, received_at: Time('receipt'), reason: Text }),
                  ),
                },
                strict,
              ),
            ),
          },
        },
        refusals: ['resource_not_found'],
      },
      async ({ params }, identity) => {
        const place = { code: params.code, year: Number(params.year), number: Number(params.number) };
        const certificate = await api.certificate(place, identity);
        return certificate ? { status: 200, body: certificate } : refuse('resource_not_found');
      },
    ),
    guarded(
      {
        id: 'getUnit',
        method: 'GET',
        path: '/v1/units/{code}',
        tag: 'register',
        summary: 'A unit, with the claims that certificates were created for',
        access: claimReaders,
        params: Type.Object({ code: Code }),
        answers: {
          200: {
            description: 'The unit.',
            content: json(
              Type.Object(
                {
                  accreditation_code: Text,
                  unit_kind: Text,
                  installed_on: Text,
                  state: Text,
                  postcode: Text,
                  rated_power_kw: Text,
                  claims: Type.Array(Type.Object({ claim: ClaimId, account: Text, ...range }, strict)),
                },
                strict,
              ),
            ),
          },
        },
        refusals: ['resource_not_found'],
      },
      async ({ params }, identity) => {
        const unit = await api.unit(params.code, identity);
        return unit ? { status: 200, body: unit } : refuse('resource_not_found');
      },
    ),
  ];
}
