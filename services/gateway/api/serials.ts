import Type from 'typebox';
import { isRegulator, uploaderKinds } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import type { Entry, LookupAnswer } from '#gateway/lookup/lookup.ts';
import { statusSince } from '#gateway/search/query.ts';
import type { Product } from '#shared/domain/serials.ts';
import { json, StatusSince, Time, Uuid } from './common.ts';

export interface SerialApi {
  lookUp(product: Product, serials: readonly string[], viewer: Identity): Promise<readonly LookupAnswer[]>;
}

export const lookupSerialsMax = 1_000;
const bodyBytesMax = 1024 * 1024;

const ProductName = Type.Enum(['panel', 'inverter', 'battery']);
const Serial = Type.String({ minLength: 1, maxLength: 100 });

const EntryView = Type.Object(
  {
    holder: Type.String(),
    series: Type.String(),
    model: Type.String(),
    serial: Type.String({ description: 'as given' }),
    supplier: Type.String(),
    state: Type.Enum(['registered', 'invalid']),
    status: Type.String(),
    status_since: StatusSince,
    entry: Type.Integer({ description: 'number of the latest entry of the serial, from 1' }),
    received_at: Time('receipt of that entry'),
    submission: Type.Optional(Uuid),
    row: Type.Optional(Type.Integer()),
    remarks: Type.Array(Type.String({ description: 'reason codes' })),
  },
  { additionalProperties: false },
);

const AnswerView = Type.Object(
  {
    serial: Type.String({ description: 'as asked' }),
    state: Type.Enum(['found', 'not_found', 'not_yet'], {
      description:
        '`not_yet`: the ledger has not caught up with the question; entries are provisional, ask again',
    }),
    entries: Type.Array(EntryView, { description: 'one for each certificate holder' }),
  },
  { additionalProperties: false },
);

/** Is a serial in the ledger? What was accepted before the question is found, or the answer is "not yet" (Q1). */
export function serialEndpoints(api: SerialApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'lookUpSerials',
        method: 'POST',
        path: '/v1/serials/lookup',
        tag: 'serials',
        summary: 'Look up serial numbers',
        description: `At most ${lookupSerialsMax} in one request. An account sees its own and its suppliers' entries, the regulator all.`,
        access: [...uploaderKinds, 'regulator'],
        asksOnly: true,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(
            {
              product: ProductName,
              serials: Type.Array(Serial, { minItems: 1, maxItems: lookupSerialsMax }),
            },
            { additionalProperties: false },
          ),
          example: { product: 'panel', serials: ['LR20260001', 'LR20260002'] },
        },
        answers: {
          200: {
            description: 'One answer for each serial, in the order asked.',
            content: json(Type.Object({ answers: Type.Array(AnswerView) }, { additionalProperties: false })),
          },
        },
        refusals: [],
      },
      async ({ body }, identity) => {
        const answers = await api.lookUp(body.product, body.serials, identity);
        return { status: 200, body: { answers: answers.map((answer) => viewOf(answer, identity)) } };
      },
    ),
    guarded(
      {
        id: 'getSerial',
        method: 'GET',
        path: '/v1/serials/{product}/{serial}',
        tag: 'serials',
        summary: 'Look up one serial number',
        access: [...uploaderKinds, 'regulator'],
        params: Type.Object({ product: ProductName, serial: Serial }),
        answers: {
          200: { description: 'The answer, also when it is not found.', content: json(AnswerView) },
        },
        refusals: [],
      },
      async ({ params }, identity) => {
        const [answer] = await api.lookUp(params.product, [params.serial], identity);
        return { status: 200, body: viewOf(answer!, identity) };
      },
    ),
  ];
}

function viewOf({ serial, state, entries }: LookupAnswer, viewer: Identity): object {
  return { serial, state, entries: entries.map((entry) => entryView(entry, viewer)) };
}

/** Which submission it was is for its own account, and for the regulator. */
function entryView(entry: Entry, { account }: Identity): object {
  const own = isRegulator(account) || entry.account === account.id;
  return {
    holder: entry.holder,
    series: entry.series,
    model: entry.model,
    serial: entry.serial,
    supplier: entry.supplier,
    state: entry.outcome === 'invalidated' ? 'invalid' : 'registered',
    status: entry.status,
    status_since: statusSince(entry),
    entry: entry.entry,
    received_at: entry.received_at,
    ...(own ? { submission: entry.submission, row: entry.row } : {}),
    remarks: entry.remarks,
  };
}
