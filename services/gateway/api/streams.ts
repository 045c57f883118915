import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { isRegulator, uploaderKinds } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { ClientGone, encodingGiven } from '#gateway/http/body-bytes.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import {
  type AdmittedStream,
  type StreamDesk,
  type StreamMediaType,
  streamMediaTypes,
} from '#gateway/streams/desk.ts';
import type { StreamReads } from '#gateway/streams/known.ts';
import { Lines } from '#gateway/streams/lines.ts';
import { partRowsMax } from '#gateway/streams/parts.ts';
import type { PartTold, StreamResult } from '#gateway/streams/run.ts';
import { memberOf, panelRegistration } from '#gateway/submissions/documents.ts';
import { documentGiven } from '#gateway/submissions/read-json.ts';
import type { StreamState } from '#gateway/submissions/recent.ts';
import { IdempotencyKey, json, Time, Uuid } from './common.ts';
import { documentNamed } from './submissions.ts';
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

export interface StreamApi {
  readonly desk: Pick<StreamDesk, 'admit' | 'state' | 'isOpen'>;
  readonly parts: StreamReads['parts'];
  /** How long an answer that nobody reads is kept. */
  readonly patienceMs: number;
  ended(stream: { readonly id: string; readonly account: string }, result: StreamResult | undefined): void;
  failed(error: unknown): void;
}

const readers = [...uploaderKinds, 'regulator'] as const;
const listMax = 1_000;

/** The lines of the answer. */
const StreamLine = Type.Union([
  Type.Object(
    {
      event: Type.Literal('stream', { description: 'the first line: the stream may come' }),
      id: Uuid,
      url: Type.String(),
      product: Type.String(),
      from_row: RowNumber('row of the stream that is sent first'),
      committed_row: RowNumber('rows up to this one are committed already'),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      event: Type.Literal('submission', { description: 'some rows are committed' }),
      id: Uuid,
      url: Type.String(),
      rows: Count,
      first_row: RowNumber('row of the stream'),
      last_row: RowNumber('row of the stream'),
      first_line: RowNumber('line of what was sent'),
      last_line: RowNumber('line of what was sent'),
      repeated: Type.Boolean({ description: 'it was committed before this request' }),
      findings: Findings,
      committed_row: RowNumber('rows of the stream up to this one are committed'),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      event: Type.Literal('complete', { description: 'the last line: all that was sent is committed' }),
      message: Type.Literal('File upload successful'),
      rows: Count,
      submissions: Count,
      repeated: Type.Integer({ minimum: 0, description: 'submissions that were committed before' }),
      findings: Findings,
      committed_row: RowNumber('rows of the stream up to this one are committed'),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      event: Type.Literal('refused', { description: 'the last line: why no more was taken' }),
      code: Type.String({ description: 'reason code; the other members are those of a problem document' }),
      rows: Count,
      submissions: Count,
      repeated: Count,
      findings: Findings,
      committed_row: RowNumber('rows of the stream up to this one are committed, and stay so'),
    },
    { additionalProperties: true },
  ),
]);

const StateView = Type.Object(
  {
    id: Uuid,
    state: Type.Enum(['open', 'closed'], {
      description: 'whether it is coming in, at the instance that answers',
    }),
    product: Type.String(),
    action: Type.String(),
    committed_row: RowNumber(
      'rows up to this one are committed: send what follows, with `from_row` one more',
    ),
    received_at: Type.Object(
      { first: Time('receipt of the first submission'), last: Time('receipt of the last') },
      { additionalProperties: false },
    ),
    submissions: Type.String({ description: 'address of the submissions of the stream' }),
  },
  { additionalProperties: false },
);

const PartsView = Type.Object(
  {
    stream: Uuid,
    submissions: Type.Array(
      Type.Object(
        { id: Uuid, url: Type.String(), first_row: RowNumber('row of the stream'), rows: Count },
        { additionalProperties: false },
      ),
    ),
    next: Type.Optional(Type.Integer({ description: '`from_row` of the next page' })),
  },
  { additionalProperties: false },
);

const exampleRow = [
  'Acme Imports Pty Ltd',
  'Drusluntis Solar Co Ltd',
  'DRU54RNs-280 (IEC 61215-2021)',
  'DR5428026000201',
];
const examples = {
  'text/csv': `${[panelRegistration.layout.map(({ heading }) => heading), exampleRow]
    .map((cells) => cells.join(','))
    .join('\n')}\n`,
  [linesType]: `${JSON.stringify(
    Object.fromEntries(panelRegistration.layout.map((column, i) => [memberOf(column), exampleRow[i]])),
  )}\n`,
};

const description = `Rows of any number, as CSV (the same as for a file, in UTF-8) or with one JSON object on each line (the members of
\`POST /v1/serials\`), also with \`Content-Encoding: gzip\`, of any number of members. They are cut into submissions of at most
${partRowsMax} rows, each of which is committed on its own and told in a line of the answer while the stream goes on. Read the
answer while you send.

The last line is \`complete\`, or \`refused\` with the reason and where it is. What was committed before stays. A row with a fault is
an outcome of its own; faults of the whole (text that is not UTF-8, headings, quotation marks, gzip) end the stream, as does a
submission in which more rows are damaged than a file may have.

The Idempotency-Key names the stream. When the connection breaks, either send all of it again with the same key: what was committed
is recognised, and told as \`repeated\`. Or send what follows the row \`committed_row\` of \`GET /v1/streams/{stream}\`, with
\`from_row\` one more; CSV with its headings again. Nothing is doubled either way. Rows that differ from those that were committed
are refused. An end that was not sent (a broken connection) is no end: the rows behind the last complete submission are not taken.`;

/** Bulk streams: rows of any number in one request, committed as they come. */
export function streamEndpoints(api: StreamApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'createStream',
        method: 'POST',
        path: '/v1/streams',
        tag: 'streams',
        summary: 'Register or change serial numbers of any number in one stream',
        description,
        access: uploaderKinds,
        query: Type.Object(
          {
            ...documentNamed,
            from_row: Type.Optional(
              Type.Integer({
                minimum: 1,
                description: 'number in the stream of the first row that is sent; 1 unless said',
              }),
            ),
            file_name: Type.Optional(
              Type.String({ maxLength: 200, description: 'kept with the submissions' }),
            ),
          },
          { additionalProperties: false },
        ),
        headers: Type.Object({ 'idempotency-key': IdempotencyKey }),
        body: { kind: 'stream', mediaTypes: streamMediaTypes, examples },
        answers: {
          200: {
            description: linesDescription,
            content: { [linesType]: StreamLine },
          },
        },
        refusals: [
          'product_not_registered',
          'api_declaration_missing',
          'api_declaration_expired',
          'idempotency_key_reused',
          'stream_position',
          'overloaded',
          'uploads_too_many',
        ],
      },
      async ({ query, headers, request }, identity) => {
        const mediaType = mediaTypeOf(request);
        if (typeof mediaType !== 'string') return mediaType;
        const document = documentGiven(query.product ?? 'panel', query.action ?? 'register', 'query');
        if (isRefusal(document)) return document;
        const given = {
          key: headers['idempotency-key'],
          document,
          mediaType,
          encoding: encodingGiven(request.headers) === 'gzip' ? 'gzip' : 'identity',
          fileName: query.file_name ?? '',
          fromRow: query.from_row ?? 1,
        } as const;
        const stream = await api.desk.admit(given, identity);
        if (isRefusal(stream)) return stream;
        const lines = new Lines(api.patienceMs);
        const { id, committedRow } = stream;
        void lines.tell({
          event: 'stream',
          id,
          url: `/v1/streams/${id}`,
          product: given.document.product,
          from_row: given.fromRow,
          committed_row: committedRow,
        });
        void take(api, stream, request, lines, identity);
        return linesAnswer(lines);
      },
    ),
    guarded(
      {
        id: 'getStream',
        method: 'GET',
        path: '/v1/streams/{stream}',
        tag: 'streams',
        summary: 'How far a stream, or a marking by selection, is committed',
        access: readers,
        params: Type.Object({ stream: Uuid }),
        answers: { 200: { description: 'The stream.', content: json(StateView) } },
        refusals: ['resource_not_found'],
      },
      async ({ params: { stream: id } }, identity) => {
        const state = await visibleState(api, id, identity);
        if (isRefusal(state)) return state;
        return {
          status: 200,
          body: {
            id,
            state: api.desk.isOpen(id) ? 'open' : 'closed',
            product: state.product,
            action: state.action,
            committed_row: state.committedRow,
            received_at: { first: state.firstAt, last: state.lastAt },
            submissions: `/v1/streams/${id}/submissions`,
          },
        };
      },
    ),
    guarded(
      {
        id: 'listStreamSubmissions',
        method: 'GET',
        path: '/v1/streams/{stream}/submissions',
        tag: 'streams',
        summary: 'The submissions of a stream',
        description: 'As the ledger has them: the last ones may be missing for a moment.',
        access: readers,
        params: Type.Object({ stream: Uuid }),
        query: Type.Object(
          {
            from_row: Type.Optional(Type.Integer({ minimum: 1 })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: listMax })),
          },
          { additionalProperties: false },
        ),
        answers: { 200: { description: 'In the order of their rows.', content: json(PartsView) } },
        refusals: ['resource_not_found'],
      },
      async ({ params: { stream }, query: { from_row = 1, limit = listMax } }, identity) => {
        const state = await visibleState(api, stream, identity);
        if (isRefusal(state)) return state;
        const found = await api.parts(stream, from_row, limit + 1);
        const submissions = found.slice(0, limit).map(({ submission: id, firstRow: first_row, rows }) => ({
          id,
          url: `/v1/submissions/${id}`,
          first_row,
          rows,
        }));
        const next = found[limit]?.firstRow;
        return { status: 200, body: { stream, submissions, ...(next === undefined ? {} : { next }) } };
      },
    ),
  ];
}

/** Takes the stream while its answer is being read. */
async function take(
  api: StreamApi,
  stream: AdmittedStream,
  request: FastifyRequest,
  lines: Lines,
  identity: Identity,
): Promise<void> {
  const of = { id: stream.id, account: identity.account.id };
  try {
    const told = async (part: PartTold) => {
      const { firstLine, lastLine } = part.part;
      const told = await lines.tell(partLine(part, { first_line: firstLine, last_line: lastLine }));
      if (!told) stream.end(refuse('body_too_slow', 'the answer is not read'));
    };
    const result = await stream.take(request.raw, told);
    api.ended(of, result);
    lines.finish(endLine(result, request.id, { complete: { message: 'File upload successful' } }));
  } catch (error) {
    if (!(error instanceof ClientGone)) api.failed(error);
    api.ended(of, undefined);
    lines.destroy();
  }
}

/** A stream is UTF-8, whatever else its sender may say. */
function mediaTypeOf({ headers }: FastifyRequest): StreamMediaType | Refusal {
  const [type, ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice(8);
  if (charset !== undefined && !['utf-8', '"utf-8"', 'utf8', 'us-ascii'].includes(charset))
    return refuse('media_type_unsupported', 'a stream is UTF-8');
  return (
    streamMediaTypes.find((known) => known === type) ??
    refuse('media_type_unsupported', `${streamMediaTypes.join(' or ')} is read here`)
  );
}

async function visibleState(
  api: StreamApi,
  id: string,
  { account }: Identity,
): Promise<StreamState | Refusal> {
  const state = await api.desk.state(id);
  const visible = state && (isRegulator(account) || state.account === account.id);
  return visible ? state : refuse('resource_not_found');
}
