import Type from 'typebox';
import { uploaderKinds } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import type { Explanation } from '#gateway/explanation/explain.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { json, Time } from './common.ts';

export interface ExplanationApi {
  explain(
    product: string,
    serial: string,
    viewer: Identity,
  ): Promise<Explanation & { readonly state: string }>;
}

const Text = Type.String();
const strict = { additionalProperties: false } as const;
const Maybe = Type.Optional(Text);
const MaybeCount = Type.Optional(Type.Integer());

const RowView = Type.Object(
  {
    submission: Maybe,
    file_name: Maybe,
    channel: Maybe,
    row: MaybeCount,
    batch: MaybeCount,
    received_at: Time('receipt'),
    account: Maybe,
    account_name: Maybe,
    supplier: Text,
    series: Text,
    model: Text,
    serial: Text,
    action: Text,
    outcome: Text,
    entry: Type.Integer({ description: 'number of the entry that the row made; 0: none' }),
    status: Text,
    reason: Type.String({ description: 'of a change; an id of its catalogue' }),
    note: Type.String({ description: 'free text that was given with a change' }),
    listing: Type.String({ description: 'finding of the approved list' }),
    remarks: Type.Array(Text),
    snapshot: Type.String({ description: 'approved list used' }),
    partition: Type.Integer(),
    origin: Type.Integer({ description: 'offset in the log of the partition' }),
  },
  strict,
);

const ClaimOfSerial = Type.Object(
  {
    claim: Text,
    account: Maybe,
    account_name: Maybe,
    status: Text,
    decision: Text,
    submitted_at: Time('receipt'),
    findings: Type.Array(Type.Object({}), { description: 'about this serial' }),
    snapshot: Text,
    certificates: Type.Optional(
      Type.Object(
        {
          accreditation_code: Text,
          year: Type.Integer(),
          first_number: Type.Integer(),
          last_number: Type.Integer(),
          status: Text,
        },
        strict,
      ),
    ),
  },
  strict,
);

const ExplanationView = Type.Object(
  {
    product: Text,
    serial: Text,
    serial_key: Type.String({ description: 'as it is compared' }),
    state: Type.Enum(['found', 'not_found', 'not_yet']),
    holders: Type.Array(
      Type.Object(
        {
          holder: Text,
          state: Type.Enum(['registered', 'invalid', 'none']),
          conflict: Type.Enum(['none', 'open', 'resolved'], { description: 'shown to the regulator' }),
          rows: Type.Array(RowView, { description: 'in the order of the log' }),
        },
        strict,
      ),
    ),
    claims: Type.Array(ClaimOfSerial),
    rulings: Type.Array(Type.Object({})),
  },
  strict,
);

/** Why is a serial as it is? */
export function explanationEndpoints(api: ExplanationApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'explainSerial',
        method: 'GET',
        path: '/v1/serials/{product}/{serial}/explanation',
        tag: 'serials',
        summary: 'Everything known of one serial number',
        description:
          'Rows with file, batch, list and decision; entries; claims and certificates. The regulator sees all, an account its own rows and claims.',
        access: [...uploaderKinds, 'agent', 'regulator'],
        params: Type.Object({
          product: Type.Enum(['panel', 'inverter', 'battery']),
          serial: Type.String({ minLength: 1, maxLength: 100 }),
        }),
        answers: {
          200: { description: 'The explanation, also of nothing.', content: json(ExplanationView) },
        },
        refusals: [],
      },
      async ({ params }, identity) => ({
        status: 200,
        body: await api.explain(params.product, params.serial, identity),
      }),
    ),
  ];
}
