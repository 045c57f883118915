import Type from 'typebox';
import type { Identity } from '#gateway/accounts/book.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, type Refusal } from '#gateway/refusal.ts';
import type { ConflictState } from '#gateway/rulings/conflicts.ts';
import type { GivenRuling, RulingOrder, RulingPage } from '#gateway/rulings/desk.ts';
import { type RulingKind, rulingKinds } from '#shared/domain/rulings/ruling.ts';
import { Day, IdempotencyKey, json, Time } from './common.ts';

export interface RulingApi {
  rule(
    order: RulingOrder,
    identity: Identity,
    idempotencyKey: string | undefined,
  ): Promise<GivenRuling | Refusal>;
  rulings(page: RulingPage): Promise<readonly object[]>;
  conflicts(question: {
    readonly state: ConflictState | '';
    readonly after: string;
    readonly limit: number;
  }): Promise<object>;
  unknownSerials(sinceDays: number): Promise<readonly object[]>;
}

const bodyBytesMax = 64 * 1024;
const strict = { additionalProperties: false } as const;
const Text = Type.String();
const regulator = ['regulator'] as const;
const Reason = Type.String({ minLength: 1, maxLength: 2_000, pattern: '\\S' });
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' });
const Product = Type.Enum(['panel', 'inverter', 'battery']);
const limitMax = 1_000;

const GivenView = Type.Object(
  {
    ruling: Text,
    in_force: Type.Boolean({ description: 'it counts for every claim that comes from now on' }),
  },
  strict,
);

const shared = {
  method: 'POST',
  tag: 'rulings',
  access: regulator,
  headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
  answers: { 202: { description: 'The ruling is stored safely.', content: json(GivenView) } },
} as const;

const side = {
  supplier: Text,
  account: Text,
  account_name: Text,
  submission: Text,
  row: Type.Integer(),
  received_at: Time('receipt'),
};

const ConflictView = Type.Object(
  {
    product: Text,
    serial: Text,
    holder: Text,
    model: Text,
    state: Type.Enum(['open', 'resolved']),
    held_by: Type.Object({ ...side, state: Type.Enum(['registered', 'invalid']) }, strict),
    disputed_by: Type.Array(Type.Object({ ...side, model: Text }, strict)),
    resolution: Type.Optional(
      Type.Object({ ruling: Text, by: Text, at: Time('receipt'), reason: Text }, strict),
    ),
  },
  strict,
);

const RulingView = Type.Object(
  {
    ruling: Text,
    kind: Type.Enum([...rulingKinds]),
    account: Text,
    submitted_by: Text,
    received_at: Time('receipt'),
    reason: Text,
    product: Text,
    holder: Text,
    model: Text,
    serial: Text,
    from_day: Text,
    held_by: Text,
    disputed_by: Type.Array(Text),
    offset: Type.Integer(),
  },
  strict,
);

/** The regulator's word on models, serials and conflicts, and its work lists. */
export function rulingEndpoints(api: RulingApi): readonly Endpoint[] {
  const rule = async (
    kind: RulingKind,
    order: Omit<RulingOrder, 'kind'>,
    identity: Identity,
    headers: { 'idempotency-key'?: string },
  ) => {
    const given = await api.rule({ ...order, kind }, identity, headers['idempotency-key']);
    return isRefusal(given) ? given : { status: 202, body: given };
  };
  return [
    guarded(
      {
        ...shared,
        id: 'ruleOnModel',
        path: '/v1/rulings/models',
        summary: 'Declare a model ineligible, or eligible again',
        description:
          'Claims decided from now on earn nothing with it (`model_declared_ineligible`); `from`: when installed on that day or later.',
        body: jsonBody(
          Type.Object(
            {
              ruling: Type.Enum(['ineligible', 'eligible']),
              product: Product,
              holder: Name,
              model: Name,
              from: Type.Optional(Day('first day of installation')),
              reason: Reason,
            },
            strict,
          ),
          {
            ruling: 'ineligible',
            product: 'panel',
            holder: 'Sunmaker Co Ltd',
            model: 'SM-440 (IEC 61215-2021)',
            from: '2026-11-01',
            reason: 'recalled by its maker',
          },
        ),
        refusals: [],
      },
      ({ body: { ruling, from, ...order }, headers }, identity) =>
        rule(
          ruling === 'ineligible' ? 'model_ineligible' : 'model_eligible',
          from === undefined ? order : { ...order, from },
          identity,
          headers,
        ),
    ),
    guarded(
      {
        ...shared,
        id: 'ruleOnSerial',
        path: '/v1/rulings/serials',
        summary: 'Declare one serial ineligible, or eligible again',
        body: jsonBody(
          Type.Object(
            {
              ruling: Type.Enum(['ineligible', 'eligible']),
              product: Product,
              serial: Name,
              reason: Reason,
            },
            strict,
          ),
          { ruling: 'ineligible', product: 'panel', serial: 'SM26000009', reason: 'stolen' },
        ),
        refusals: [],
      },
      ({ body: { ruling, ...order }, headers }, identity) =>
        rule(ruling === 'ineligible' ? 'serial_ineligible' : 'serial_eligible', order, identity, headers),
    ),
    guarded(
      {
        ...shared,
        id: 'ruleOnConflict',
        path: '/v1/rulings/conflicts',
        summary: 'Resolve a conflict, or open it again',
        description:
          'Resolved: the registration stands against the suppliers that were refused so far, and claims are no longer held for it. Who should hold the serial instead can have it registered once it was marked invalid. A supplier that is refused afterwards opens the conflict anew.',
        body: jsonBody(
          Type.Object(
            {
              ruling: Type.Enum(['resolve', 'reopen']),
              product: Product,
              holder: Name,
              serial: Name,
              reason: Reason,
            },
            strict,
          ),
          {
            ruling: 'resolve',
            product: 'panel',
            holder: 'Sunmaker Co Ltd',
            serial: 'SM26000001',
            reason: 'papers of the importer seen',
          },
        ),
        refusals: ['resource_not_found'],
      },
      ({ body: { ruling, ...order }, headers }, identity) =>
        rule(ruling === 'resolve' ? 'conflict_resolved' : 'conflict_reopened', order, identity, headers),
    ),
    guarded(
      {
        id: 'listRulings',
        method: 'GET',
        path: '/v1/rulings',
        tag: 'rulings',
        summary: 'The rulings so far, the newest first',
        access: regulator,
        query: Type.Object(
          {
            before: Type.Optional(Type.Integer({ minimum: 0, description: '`offset` of the last one seen' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax })),
          },
          strict,
        ),
        answers: {
          200: {
            description: 'One page.',
            content: json(Type.Object({ rulings: Type.Array(RulingView) }, strict)),
          },
        },
        refusals: [],
      },
      async ({ query }) => ({
        status: 200,
        body: {
          rulings: await api.rulings({
            before: query.before ?? Number.MAX_SAFE_INTEGER,
            limit: query.limit ?? 100,
          }),
        },
      }),
    ),
    guarded(
      {
        id: 'listConflicts',
        method: 'GET',
        path: '/v1/conflicts',
        tag: 'rulings',
        summary: 'Serials that several suppliers say are theirs, with both sides',
        description:
          '`state` picks among the conflicts of a page: it may show fewer than `limit`, and still have a next one.',
        access: regulator,
        query: Type.Object(
          {
            state: Type.Optional(Type.Enum(['open', 'resolved'])),
            after: Type.Optional(Type.String({ maxLength: 2_000, description: '`next` of the page before' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax })),
          },
          strict,
        ),
        answers: {
          200: {
            description: 'One page.',
            content: json(
              Type.Object({ conflicts: Type.Array(ConflictView), next: Type.Optional(Text) }, strict),
            ),
          },
        },
        refusals: [],
      },
      async ({ query }) => ({
        status: 200,
        body: await api.conflicts({
          state: query.state ?? '',
          after: query.after ?? '',
          limit: query.limit ?? 100,
        }),
      }),
    ),
    guarded(
      {
        id: 'reportUnknownSerials',
        method: 'GET',
        path: '/v1/reports/unknown-serials',
        tag: 'rulings',
        summary: 'Claimed serials that no authorised supplier sent, by brand, claimant and region',
        access: regulator,
        query: Type.Object(
          { since_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })) },
          strict,
        ),
        answers: {
          200: {
            description: 'The most frequent first.',
            content: json(
              Type.Object(
                {
                  rows: Type.Array(
                    Type.Object(
                      {
                        product: Text,
                        holder: Text,
                        account: Text,
                        account_name: Text,
                        state: Text,
                        serials: Type.Integer(),
                        claims: Type.Integer(),
                        offered: Type.Integer({
                          description: 'of them offered by a supplier without authority',
                        }),
                      },
                      strict,
                    ),
                  ),
                },
                strict,
              ),
            ),
          },
        },
        refusals: [],
      },
      async ({ query }) => ({
        status: 200,
        body: { rows: await api.unknownSerials(query.since_days ?? 365) },
      }),
    ),
  ];
}

function jsonBody<const Schema extends object>(schema: Schema, example: object) {
  return { kind: 'json', bytesMax: bodyBytesMax, schema, example } as const;
}
