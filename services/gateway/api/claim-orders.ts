import Type from 'typebox';
import type { ClaimCommands } from '#gateway/claims/commands.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { type ClaimFacts, claimJsonSchema } from '#shared/domain/claims/index.ts';
import { ClaimId, factsOf } from './claims.ts';
import { IdempotencyKey, json } from './common.ts';

type Commands = Pick<ClaimCommands, 'withdraw' | 'reassess' | 'rule' | 'audit' | 'register'>;

const bodyBytesMax = 1024 * 1024;
const reasonCharsMax = 2_000;
const Text = Type.String();
const Reason = Type.String({ minLength: 1, maxLength: reasonCharsMax, pattern: '\\S' });
const MaybeReason = Type.Optional(Type.String({ maxLength: reasonCharsMax }));

const OrderView = Type.Object(
  {
    event: Type.String({ description: 'id of the event in the log of the claim' }),
    url: Type.String({ description: 'where its decision will stand' }),
  },
  { additionalProperties: false },
);

const shared = {
  method: 'POST',
  tag: 'claims',
  params: Type.Object({ claim: ClaimId }),
  headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
  answers: {
    202: {
      description:
        'The order is stored safely behind what came before it. Whether it applied is told in the history of the claim.',
      headers: { Location: 'address of the history' },
      content: json(OrderView),
    },
  },
} as const;
const refusals = ['resource_not_found', 'claim_not_in_state', 'idempotency_key_reused'] as const;
const regulator = ['regulator'] as const;

const strict = { additionalProperties: false } as const;

/** What may happen to a claim after it was made. */
export function claimOrderEndpoints(commands: Commands): readonly Endpoint[] {
  return [
    guarded(
      {
        ...shared,
        id: 'withdrawClaim',
        path: '/v1/claims/{claim}/withdrawal',
        summary: 'Withdraw a claim before its audit',
        description: 'Its serials are free again, its certificate numbers are never given again.',
        access: ['agent'],
        body: jsonBody(Type.Object({ reason: MaybeReason }, strict), { reason: 'claimed by mistake' }),
        refusals,
      },
      async ({ params, body, headers }, identity) =>
        answerOf(
          params.claim,
          await commands.withdraw({ ...orderOf(params, headers), identity, reason: body.reason ?? '' }),
        ),
    ),
    guarded(
      {
        ...shared,
        id: 'reassessClaim',
        path: '/v1/claims/{claim}/assessments',
        summary: 'Have a held claim assessed again',
        description:
          'By what the ledger has now, for example serials that were registered since; or with corrected facts, which only the claimant can give: `claim` is then the whole claim.',
        access: ['agent', 'regulator'],
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: {
            type: 'object',
            additionalProperties: false,
            properties: { reason: MaybeReason, claim: claimJsonSchema },
          },
          checkedByHandler: true,
          example: { reason: 'the supplier has registered the serials since' },
        },
        refusals: [...refusals, 'claim_of_other_unit', 'not_permitted'],
      },
      async ({ params, body, headers }, identity) => {
        const wanted = reassessmentOf(body);
        if (isRefusal(wanted)) return wanted;
        const order = { ...orderOf(params, headers), identity, ...wanted };
        return answerOf(params.claim, await commands.reassess(order));
      },
    ),
    guarded(
      {
        ...shared,
        id: 'ruleOnClaim',
        path: '/v1/claims/{claim}/ruling',
        summary: 'Release or refuse a held claim',
        description:
          'A release answers open questions: findings whose effect is `ask`. The claim is then assessed by what the ledger has now; it is approved when nothing else stands against it.',
        access: regulator,
        body: jsonBody(
          Type.Object(
            {
              ruling: Type.Enum(['release', 'refuse']),
              reason: Reason,
              assessment: Type.Optional(
                Type.String({ maxLength: 40, description: 'the assessment that you have seen' }),
              ),
              findings: Type.Optional(
                Type.Array(Type.Object({ code: Text, subject: Text }, strict), {
                  maxItems: 5_000,
                  description: 'of a release: the questions answered; left out: all that are open',
                }),
              ),
            },
            strict,
          ),
          { ruling: 'release', reason: 'serial seen on the photograph' },
        ),
        refusals: [...refusals, 'claim_changed', 'finding_not_open'],
      },
      async ({ params, body, headers }, identity) => {
        const { ruling, reason, assessment, findings } = body;
        return answerOf(
          params.claim,
          await commands.rule({
            ...orderOf(params, headers),
            identity,
            ruling,
            reason,
            ...(assessment === undefined ? {} : { assessment }),
            ...(findings === undefined ? {} : { answered: findings }),
          }),
        );
      },
    ),
    guarded(
      {
        ...shared,
        id: 'auditClaim',
        path: '/v1/claims/{claim}/audit',
        summary: 'Pass or fail the certificates of a claim',
        description:
          'Passed: `Pending creation fee payment`. Failed: `Invalid due to audit`, and the serials are free again.',
        access: regulator,
        body: jsonBody(Type.Object({ result: Type.Enum(['passed', 'failed']), reason: Reason }, strict), {
          result: 'passed',
          reason: 'papers complete',
        }),
        refusals,
      },
      async ({ params, body, headers }, identity) =>
        answerOf(params.claim, await commands.audit({ ...orderOf(params, headers), identity, ...body })),
    ),
    guarded(
      {
        ...shared,
        id: 'registerCertificates',
        path: '/v1/claims/{claim}/registration',
        summary: 'Register the certificates of a claim whose creation fee is paid',
        access: regulator,
        body: jsonBody(Type.Object({ reason: Reason }, strict), { reason: 'receipt 4711' }),
        refusals,
      },
      async ({ params, body, headers }, identity) =>
        answerOf(params.claim, await commands.register({ ...orderOf(params, headers), identity, ...body })),
    ),
  ];
}

/** The claim is checked as everywhere, and each fault is named in its words. */
function reassessmentOf(body: unknown): { reason: string; facts?: ClaimFacts } | Refusal {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return refuse('request_invalid', 'the body is a JSON object');
  const { reason = '', claim, ...others } = body as { reason?: unknown; claim?: unknown };
  const [strange] = Object.keys(others);
  if (strange !== undefined) return refuse('request_invalid', `${strange.slice(0, 60)} is no field here`);
  if (typeof reason !== 'string' || reason.length > reasonCharsMax)
    return refuse('request_invalid', `reason is text of at most ${reasonCharsMax} characters`);
  if (claim === undefined) return { reason };
  const facts = factsOf(claim);
  return isRefusal(facts) ? facts : { reason, facts };
}

function jsonBody<const Schema extends object>(schema: Schema, example: object) {
  return { kind: 'json', bytesMax: bodyBytesMax, schema, example } as const;
}

function orderOf(params: { claim: string }, headers: { 'idempotency-key'?: string }) {
  const idempotencyKey = headers['idempotency-key'];
  return { claim: params.claim, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
}

function answerOf(claim: string, given: { readonly event: string } | Refusal) {
  if (isRefusal(given)) return given;
  const url = `/v1/claims/${claim}/history?event=${given.event}`;
  return { status: 202, headers: { location: url }, body: { event: given.event, url } };
}
