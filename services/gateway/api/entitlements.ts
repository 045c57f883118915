import { setImmediate } from 'node:timers/promises';
import Type from 'typebox';
import { type Endpoint, open } from '#gateway/http/operation.ts';
import {
  columns,
  computeEntitlementFromJson,
  type EntitlementResult,
  ruleSetVersion,
} from '#shared/domain/entitlement/index.ts';
import { json } from './common.ts';

export const calculationsMax = 1_000;
const bodyBytesMax = 2 * 1024 * 1024;
const sliceCalculations = 50;

const Text = Type.String();
const ReasonView = Type.Object(
  { code: Text, rule: Text, field: Text, message: Text },
  { additionalProperties: false },
);

const ResultView = Type.Object(
  {
    outcome: Type.Enum(['eligible', 'ineligible', 'invalid']),
    stcs: Type.Union([Type.Integer(), Type.Null()], {
      description: 'certificates; null when nobody can know',
    }),
    unrounded: Type.Union([Text, Type.Null()], { description: 'the product before the one rounding' }),
    annual_mwh: Type.Union([Text, Type.Null()]),
    stcs_without_solar_credits: Type.Union([Type.Integer(), Type.Null()]),
    rule_set: Text,
    rule_ids: Type.Array(Text),
    reasons: Type.Array(ReasonView),
    notices: Type.Array(ReasonView),
    assumed: Type.Array(
      Type.Object({ field: Text, value: Text, rule: Text }, { additionalProperties: false }),
    ),
    checks: Type.Array(Text, { description: 'the questions that were answered on the way' }),
    working: Type.Array(Text, { description: 'the calculation as a person would write it' }),
  },
  { additionalProperties: false },
);

/** Values are read by the calculation itself, which says of each row what is wrong with it: the shape alone is checked. */
const Calculation = Type.Object(
  Object.fromEntries(
    Object.entries(columns).map(([name, { help }]) => [
      name,
      Type.Optional(Type.Unknown({ description: help })),
    ]),
  ),
);

/** The calculator: certificates for units, without a claim and without an account. */
export function entitlementEndpoints(options: { perMinuteMax: number }): readonly Endpoint[] {
  return [
    open(
      {
        id: 'computeEntitlements',
        method: 'POST',
        path: '/v1/entitlements',
        tag: 'entitlements',
        summary: 'Compute the certificates of units',
        description: `At most ${calculationsMax} calculations in one request. The same rules as in the assessment of claims.`,
        access: 'public',
        perMinuteMax: options.perMinuteMax,
        asksOnly: true,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(
            { calculations: Type.Array(Calculation, { minItems: 1, maxItems: calculationsMax }) },
            { additionalProperties: false },
          ),
          example: {
            calculations: [
              {
                system_type: 'solar',
                postcode: '2315',
                kw: 6.6,
                install_date: '2026-03-02',
                accredited_installer: true,
              },
            ],
          },
        },
        answers: {
          200: {
            description: 'One result for each calculation, in their order.',
            content: json(
              Type.Object(
                { rule_set: Text, results: Type.Array(ResultView) },
                { additionalProperties: false },
              ),
            ),
          },
        },
        refusals: [],
      },
      async ({ body }) => {
        const results: EntitlementResult[] = [];
        for (const calculation of body.calculations) {
          results.push(computeEntitlementFromJson(calculation));
          if (results.length % sliceCalculations === 0) await setImmediate();
        }
        return { status: 200, body: { rule_set: ruleSetVersion, results } };
      },
    ),
  ];
}
