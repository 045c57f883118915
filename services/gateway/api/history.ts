import Type from 'typebox';
import { uploaderKinds } from '#gateway/accounts/account.ts';
import {
  cursorOf,
  entryView,
  type HistoryPage,
  type HistoryPlace,
  type HistoryQuery,
  historyScope,
  readCursor,
} from '#gateway/history/page.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { refuse } from '#gateway/refusal.ts';
import { documentActions, products } from '#gateway/submissions/documents.ts';
import { Day, defined, json, receivedBetween, Time, Uuid } from './common.ts';

export interface HistoryApi {
  page(
    query: HistoryQuery,
    page: { readonly after?: HistoryPlace; readonly limit: number },
  ): Promise<HistoryPage>;
  /** Whether the ledger has the last submission that was accepted, of the account or of all; waits for it a moment. */
  caughtUp(account: string | undefined): Promise<boolean>;
}

const pageMax = 200;
const pageRows = 50;
const Count = Type.Integer({ minimum: 0 });

const SubmissionView = Type.Object(
  {
    id: Uuid,
    state: Type.Enum(['accepted', 'processing', 'final']),
    product: Type.String(),
    action: Type.String(),
    channel: Type.String(),
    file_name: Type.String(),
    received_at: Time('receipt'),
    rows: Count,
    outcomes: Type.Record(Type.String(), Count, { description: 'rows by outcome' }),
    pending: Type.Integer({ minimum: 0, description: 'rows without an outcome yet' }),
    dead_letters: Type.Integer({ minimum: 0, description: 'rows set aside for repair; they are not lost' }),
    discarded: Type.Integer({ minimum: 0, description: 'rows that were given up, on record' }),
    imbalance: Type.Union([Type.Integer(), Type.Null()], {
      description: 'once final: rows that are not accounted for; anything but 0 is an alarm',
    }),
    declaration: Type.String({ description: 'version of the text that was declared' }),
    declared_by: Type.String({ description: 'who declared it: user or key' }),
    bytes: Count,
    sha256: Type.String({ description: 'of the bytes as they came' }),
    stream: Type.Optional(Uuid),
    account: Type.Optional(Type.String({ description: 'shown to the regulator' })),
    url: Type.String({ description: 'address of the submission' }),
    report: Type.String({ description: 'address of the rows that were not registered or changed' }),
    file: Type.String({ description: 'address of the bytes as they came' }),
  },
  { additionalProperties: false },
);

/** Upload history (HIST-1, F7). */
export function historyEndpoints(api: HistoryApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'listSubmissions',
        method: 'GET',
        path: '/v1/submissions',
        tag: 'submissions',
        summary: 'Upload history',
        description:
          'What the account has sent, by whatever channel, the newest first: an account is shown its own submissions, the regulator all. A cursor stays good while more come.',
        access: [...uploaderKinds, 'regulator'],
        query: Type.Object(
          {
            product: Type.Optional(Type.Enum([...products])),
            action: Type.Optional(Type.Enum([...documentActions])),
            state: Type.Optional(Type.Enum(['accepted', 'processing', 'final'])),
            from: Type.Optional(Day('received on or after')),
            to: Type.Optional(Day('received on or before')),
            account: Type.Optional(
              Type.String({ maxLength: 100, description: 'for the regulator: of this account alone' }),
            ),
            limit: Type.Optional(
              Type.Integer({ minimum: 1, maximum: pageMax, description: `${pageRows} unless said` }),
            ),
            cursor: Type.Optional(Type.String({ maxLength: 100, description: '`next` of the page before' })),
          },
          { additionalProperties: false },
        ),
        answers: {
          200: {
            description: 'A page of submissions.',
            content: json(
              Type.Object(
                {
                  submissions: Type.Array(SubmissionView),
                  next: Type.Union([Type.String(), Type.Null()]),
                  complete: Type.Boolean({
                    description:
                      'false: what was accepted a moment ago is still on its way to the ledger, and may be missing here',
                  }),
                },
                { additionalProperties: false },
              ),
            ),
          },
        },
        refusals: [],
      },
      async ({ query }, identity) => {
        const { limit, cursor, ...fields } = query;
        const after = cursor === undefined ? undefined : readCursor(cursor);
        if (cursor !== undefined && !after) return refuse('request_invalid', 'query/cursor is not a cursor');
        const asked = historyScope(queryOf(fields), identity);
        // Only at its end can the history lack what has just come.
        const complete = after !== undefined || (await api.caughtUp(asked.account));
        const page = await api.page(asked, { limit: limit ?? pageRows, ...(after ? { after } : {}) });
        return {
          status: 200,
          body: {
            submissions: page.entries.map((entry) => entryView(entry, identity)),
            next: page.next === undefined ? null : cursorOf(page.next),
            complete,
          },
        };
      },
    ),
  ];
}

interface HistoryFields {
  readonly product?: string;
  readonly action?: string;
  readonly state?: 'accepted' | 'processing' | 'final';
  readonly from?: string;
  readonly to?: string;
  readonly account?: string;
}

/** Fields of a request as a query; days become moments. */
function queryOf({ from, to, ...same }: HistoryFields): HistoryQuery {
  return {
    ...defined(same),
    ...receivedBetween(from, to),
  };
}
