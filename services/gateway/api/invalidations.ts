import Type, { type Static } from 'typebox';
import { uploaderKinds } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { bodyCheck } from '#gateway/http/check.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import type { AdmittedMarking, MarkingDesk, Selection } from '#gateway/marking/desk.ts';
import { isRefusal, RefusedError } from '#gateway/refusal.ts';
import { Lines } from '#gateway/streams/lines.ts';
import { partRowsMax } from '#gateway/streams/parts.ts';
import type { PartTold, StreamResult } from '#gateway/streams/run.ts';
import { cellCharsMax, noteCharsMax } from '#gateway/submissions/cells.ts';
import { parseJson } from '#gateway/submissions/read-json.ts';
import { defined, IdempotencyKey, Uuid } from './common.ts';
import { ProductName, queryOf, searchFields } from './search.ts';
import {
  Count,
  endLine,
  Findings,
  linesAnswer,
  linesDescription,
  linesType,
  partLine,
  RowNumber,
} from './told.ts';

export interface InvalidationApi {
  readonly desk: Pick<MarkingDesk, 'admit'>;
  readonly bodyBytesMax: number;
  /** How long an answer that nobody reads is kept. */
  readonly patienceMs: number;
  ended(marking: { readonly id: string; readonly account: string }, result: StreamResult): void;
  failed(error: unknown): void;
}

const strict = { additionalProperties: false } as const;

const visible = '^[^\\u0000-\\u001f\\u007f]*$';
const Text = Type.String({ minLength: 1, maxLength: cellCharsMax, pattern: visible });

const why = {
  product: ProductName,
  reason: Type.String({
    minLength: 1,
    maxLength: cellCharsMax,
    description: 'one of `invalidation_reasons` of /v1/catalogues, by id or label',
  }),
  note: Type.Optional(
    Type.String({ maxLength: noteCharsMax, pattern: visible, description: 'free text; `Other` needs one' }),
  ),
};

const Listed = Type.Object(
  {
    ...why,
    serials: Type.Array(
      Type.Object(
        {
          supplier: Text,
          holder: Text,
          series: Type.Optional(Type.String({ maxLength: cellCharsMax })),
          model: Text,
          serial: Text,
        },
        strict,
      ),
      { minItems: 1, description: 'rows as a search shows them' },
    ),
  },
  strict,
);

const Matched = Type.Object(
  {
    ...why,
    search: Type.Object(searchFields, { ...strict, description: 'what is searched for, as in the search' }),
    count: Type.Integer({ minimum: 1, description: 'how many were seen to match: `count` of the search' }),
  },
  strict,
);

const Body = Type.Union([Listed, Matched]);
// Each by itself: of a union nobody can say what is wrong with a member.
const checks = { listed: bodyCheck(Listed), matched: bodyCheck(Matched) };

const Totals = {
  rows: RowNumber('that are committed, those that were so before included'),
  submissions: Count,
  repeated: Type.Integer({ minimum: 0, description: 'submissions that were committed before this request' }),
  findings: Findings,
  committed_row: RowNumber('rows of the marking up to this one are committed'),
};

/** The lines of the answer. */
const MarkingLine = Type.Union([
  Type.Object(
    {
      event: Type.Literal('marking', { description: 'the first line: the marking begins, or goes on' }),
      id: Uuid,
      url: Type.String({ description: 'how far it is committed' }),
      rows: RowNumber('to be marked in all'),
      committed_row: RowNumber('rows up to this one were committed before'),
    },
    strict,
  ),
  Type.Object(
    {
      event: Type.Literal('submission', { description: 'some rows are committed' }),
      id: Uuid,
      url: Type.String(),
      rows: Count,
      first_row: RowNumber('of the marking'),
      last_row: RowNumber('of the marking'),
      repeated: Type.Boolean({ description: 'it was committed before this request' }),
      findings: Totals.findings,
      committed_row: Totals.committed_row,
    },
    strict,
  ),
  Type.Object(
    {
      event: Type.Literal('complete', { description: 'the last line: all rows are committed' }),
      result: Type.Literal('Successful'),
      ...Totals,
    },
    strict,
  ),
  Type.Object(
    {
      event: Type.Literal('refused', { description: 'the last line: why no more was marked' }),
      result: Type.Literal('Unsuccessful'),
      code: Type.String({ description: 'reason code; the other members are those of a problem document' }),
      ...Totals,
    },
    { additionalProperties: true },
  ),
]);

/** Works as it stands for the account of the example of createAccount; nothing needs to be registered. */
const example = {
  product: 'panel',
  reason: 'Other',
  note: 'The pallet was sent back unopened.',
  serials: [
    {
      supplier: 'Acme Imports Pty Ltd',
      holder: 'Drusluntis Solar Co Ltd',
      model: 'DRU54RNs-280 (IEC 61215-2021)',
      serial: 'DR5428026000001',
    },
  ],
};

const description = `Either the \`serials\` that are named, as a search shows them; or everything that matches a \`search\`, with
the \`count\` that was seen to match. If another number matches, the request is refused and nothing is marked.

The answer is lines of JSON: the rows are committed in submissions of at most ${partRowsMax}, each of which is told once it is.
What becomes of the rows is told at the addresses of the submissions. A marking goes on to its end, also when nobody reads the
answer. The same request with the same Idempotency-Key is the same marking: it goes on where it stands, and marks nothing twice.
\`GET /v1/streams/{stream}\` says how far it is. When what matches changes while a large selection is being marked, the rest is
left as it is, and the last line says so. While it goes on it counts as a stream of the account.`;

/** Mark as invalid, by selection (E3 to E5, INV-1, INV-2). */
export function invalidationEndpoints(api: InvalidationApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'invalidateSerials',
        method: 'POST',
        path: '/v1/serials/invalidations',
        tag: 'serials',
        summary: 'Mark serial numbers as invalid',
        description,
        access: uploaderKinds,
        headers: Type.Object({ 'idempotency-key': IdempotencyKey }),
        body: { kind: 'json', bytesMax: api.bodyBytesMax, schema: Body, example, raw: true },
        answers: {
          200: {
            description: linesDescription,
            content: { [linesType]: MarkingLine },
          },
        },
        refusals: [
          'product_not_registered',
          'marking_reason_unknown',
          'marking_note_missing',
          'selection_changed',
          'idempotency_key_reused',
          'overloaded',
          'uploads_too_many',
        ],
        refusalMembers: { result: 'Unsuccessful' },
      },
      async ({ headers, request }, identity) => {
        const parsed = parseJson(request.body as Buffer);
        if (isRefusal(parsed)) return parsed;
        const isListed = (parsed.value as { serials?: unknown } | null)?.serials !== undefined;
        const fault = checks[isListed ? 'listed' : 'matched'](parsed.value);
        if (fault) return fault;
        const { product, reason, note = '', ...chosen } = parsed.value as Static<typeof Body>;
        const given = {
          key: headers['idempotency-key'],
          product,
          reason,
          note,
          selection: selectionOf(product, chosen),
        };
        const marking = await api.desk.admit(given, identity);
        if (isRefusal(marking)) return marking;
        const lines = new Lines(api.patienceMs);
        const { id, rows, committedRow } = marking;
        void lines.tell({
          event: 'marking',
          id,
          url: `/v1/streams/${id}`,
          rows,
          committed_row: committedRow,
        });
        void take(api, marking, request.id, lines, identity);
        return linesAnswer(lines);
      },
    ),
  ];
}

type Chosen = Pick<Static<typeof Listed>, 'serials'> | Pick<Static<typeof Matched>, 'search' | 'count'>;

function selectionOf(product: Static<typeof ProductName>, chosen: Chosen): Selection {
  if ('serials' in chosen)
    return { kind: 'listed', serials: chosen.serials.map((serial) => ({ series: '', ...serial })) };
  return { kind: 'matched', query: queryOf({ product, ...defined(chosen.search) }), count: chosen.count };
}

/** Marks while the answer is being read, or after nobody reads it any more. */
async function take(
  api: InvalidationApi,
  marking: AdmittedMarking,
  correlation: string,
  lines: Lines,
  { account }: Identity,
): Promise<void> {
  let isRead = true;
  try {
    const told = async (part: PartTold) => {
      // Whoever does not read for long is not told any more.
      if (isRead) isRead = await lines.tell(partLine(part));
    };
    const result = await marking.take(told);
    api.ended({ id: marking.id, account: account.id }, result);
    lines.finish(endOf(result, correlation));
  } catch (error) {
    if (error instanceof RefusedError) {
      const { committedRow } = marking;
      const nothing = { rows: committedRow, submissions: 0, repeated: 0, findings: new Map(), committedRow };
      lines.finish(endOf({ ...nothing, refusal: error.refusal }, correlation));
      return;
    }
    api.failed(error);
    lines.destroy();
  }
}

function endOf(result: StreamResult, correlation: string): object {
  return endLine(result, correlation, {
    refused: { result: 'Unsuccessful' },
    complete: { result: 'Successful' },
  });
}
