import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { isRegulator, uploaderKinds } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import type { UploadIntent, UploadPermit } from '#gateway/accounts/upload.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import type { SubmissionDesk } from '#gateway/submissions/desk.ts';
import { documents, registrationOf } from '#gateway/submissions/documents.ts';
import type { ReportRow } from '#gateway/submissions/report.ts';
import { csvReport, jsonReport } from '#gateway/submissions/report-text.ts';
import type { SubmissionStatus } from '#gateway/submissions/status.ts';
import type { RequestReason } from '#shared/domain/reasons.ts';
import { defined, IdempotencyKey, json, Time, Uuid } from './common.ts';

export interface SubmissionApi {
  /** Asked before anything of an upload is read. */
  permit(identity: Identity, intent: UploadIntent): UploadPermit | Refusal;
  readonly desk: Pick<SubmissionDesk, 'accept'>;
  readonly bodyBytesMax: number;
  status(id: string, waitMs: number): Promise<SubmissionStatus | undefined>;
  /** Rows that made no entry, in file order, as the account may see them. */
  report(id: string, viewer: Identity): AsyncIterable<readonly ReportRow[]>;
}

const Declaration = Type.String({
  maxLength: 100,
  description:
    'version of the declaration for file uploads that is made with this file, by the user whose key it is; in a form also a field of it',
});
const Count = Type.Integer({ minimum: 0 });
const readers = [...uploaderKinds, 'regulator'] as const;

const AcceptedView = Type.Object(
  {
    id: Uuid,
    url: Type.String(),
    received: Type.Integer({ minimum: 1, description: 'rows' }),
    message: Type.Literal('File upload successful'),
  },
  { additionalProperties: false },
);

const StatusView = Type.Object(
  {
    id: Uuid,
    state: Type.Enum(['accepted', 'processing', 'final']),
    product: Type.String(),
    action: Type.String(),
    file_name: Type.String(),
    received: Type.Integer({ description: 'rows of the file' }),
    outcomes: Type.Record(Type.String(), Count, { description: 'rows by outcome' }),
    pending: Type.Integer({ minimum: 0, description: 'rows without an outcome yet' }),
    dead_letters: Type.Integer({ minimum: 0, description: 'rows set aside for repair; they are not lost' }),
    discarded: Type.Integer({
      minimum: 0,
      description:
        'rows that could not be processed and were given up: who did it, when and why is on record',
    }),
    imbalance: Type.Union([Type.Integer(), Type.Null()], {
      description:
        'once final: received - sum of outcomes - dead_letters - discarded; anything but 0 is an alarm',
    }),
    timings: Type.Object(
      {
        received_at: Time('receipt'),
        accepted_ms: Type.Union([Type.Number(), Type.Null()], { description: 'from receipt to commit' }),
        final_seen_ms: Type.Union([Type.Number(), Type.Null()], {
          description: 'from receipt until it was first seen to be final by this instance',
        }),
      },
      { additionalProperties: false },
    ),
    report: Type.String({ description: 'address of the rows that were not registered' }),
  },
  { additionalProperties: false },
);

const ReportView = Type.Object(
  {
    submission: Uuid,
    state: Type.Enum(['accepted', 'processing', 'final']),
    rows: Type.Array(
      Type.Object(
        {
          record: Type.Integer({ description: 'row of the file, from 1, headings not counted' }),
          line: Type.Integer({ description: 'physical line where the row begins, from 1' }),
          outcome: Type.String(),
          column: Type.String(),
          value: Type.String(),
          code: Type.String({ description: 'reason code' }),
          sentence: Type.String(),
          hint: Type.String(),
          remarks: Type.Array(Type.String()),
          supplier: Type.String(),
          holder: Type.String(),
          series: Type.String(),
          model: Type.String(),
          serial: Type.String(),
          first: Type.Optional(
            Type.Object(
              { submission: Uuid, row: Type.Integer() },
              {
                additionalProperties: false,
                description: 'of a duplicate: the row of yours that registered the serial',
              },
            ),
          ),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

const permitRefusals: readonly RequestReason[] = [
  'product_not_registered',
  'declaration_missing',
  'declaration_not_current',
];

const fileRefusals: readonly RequestReason[] = [
  'idempotency_key_reused',
  'too_many_rows',
  'file_not_csv',
  'file_not_utf8',
  'file_empty',
  'headings_missing',
  'headings_unknown',
  'headings_repeated',
  'quotes_broken',
  'record_too_long',
];

const fileExample = [
  'Supplier name,Licensee/Certificate holder,Model number,Serial number',
  'Acme Imports Pty Ltd,Sunmaker Co Ltd,SM-440 (IEC 61215-2021),SM26000001',
  '',
].join('\r\n');

const uploadDescription = `A CSV file in UTF-8, headings in any order, without regard to case. ${documents
  .map(({ product, layout, rowsMax }) => {
    const headings = layout.map(({ heading }) => `\`${heading}\``).join(', ');
    return `For ${product}s: ${headings}; at most ${rowsMax} rows.`;
  })
  .join(' ')}

202 means that every row is stored safely and will get exactly one outcome. A file with a fault as a whole is refused, and
nothing of it is stored; a row with a fault becomes an outcome of its own.`;

/** Files of serials: upload, what became of them, and which rows were not registered. */
export function submissionEndpoints(api: SubmissionApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'createSubmission',
        method: 'POST',
        path: '/v1/submissions',
        tag: 'submissions',
        summary: 'Upload serial numbers',
        description: uploadDescription,
        access: uploaderKinds,
        query: Type.Object(
          {
            product: Type.Optional(
              Type.Enum(
                documents.map(({ product }) => product),
                { description: 'what the serials are of; panel unless said' },
              ),
            ),
            file_name: Type.Optional(Type.String({ maxLength: 200 })),
            declaration: Type.Optional(Declaration),
          },
          { additionalProperties: false },
        ),
        headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
        body: {
          kind: 'file',
          mediaTypes: ['text/csv', 'multipart/form-data'],
          bytesMax: api.bodyBytesMax,
          example: fileExample,
          fields: { declaration: Declaration },
        },
        answers: {
          202: {
            description:
              'Accepted: all rows are stored. What became of them is told at the address of the submission.',
            headers: { Location: 'address of the submission' },
            content: json(AcceptedView),
          },
        },
        refusals: [...permitRefusals, ...fileRefusals],
      },
      async ({ query, headers, request }, identity) => {
        const file = await fileOf(request, api.bodyBytesMax);
        if (isRefusal(file)) return file;
        const product = query.product ?? 'panel';
        const declaration = query.declaration ?? file.declaration;
        const permit = api.permit(identity, { product, channel: 'csv', ...defined({ declaration }) });
        if (isRefusal(permit)) return permit;
        const idempotencyKey = headers['idempotency-key'];
        const accepted = await api.desk.accept({
          account: identity.account,
          ...permit,
          document: registrationOf(product),
          channel: 'csv',
          fileName: file.name === '' ? (query.file_name ?? '') : file.name,
          body: file.bytes,
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        });
        if (isRefusal(accepted)) return accepted;
        const url = `/v1/submissions/${accepted.id}`;
        const body = { id: accepted.id, url, received: accepted.received, message: 'File upload successful' };
        return { status: 202, headers: { location: url }, body };
      },
    ),
    guarded(
      {
        id: 'getSubmission',
        method: 'GET',
        path: '/v1/submissions/{submission}',
        tag: 'submissions',
        summary: 'What became of a submission',
        access: readers,
        params: Type.Object({ submission: Uuid }),
        query: Type.Object(
          {
            wait_ms: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: 30_000,
                description: 'answer once it is final, or after this time',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        answers: { 200: { description: 'State and counts.', content: json(StatusView) } },
        refusals: ['resource_not_found'],
      },
      async ({ params, query }, identity) => {
        const status = await visibleStatus(api, params.submission, query.wait_ms ?? 0, identity);
        return isRefusal(status) ? status : { status: 200, body: viewOf(status) };
      },
    ),
    guarded(
      {
        id: 'getReport',
        method: 'GET',
        path: '/v1/submissions/{submission}/report',
        tag: 'submissions',
        summary: 'The rows that were not registered, with the reason of each',
        description: 'CSV or JSON, by `format` or the header Accept. Complete once the submission is final.',
        access: readers,
        params: Type.Object({ submission: Uuid }),
        query: Type.Object(
          { format: Type.Optional(Type.Enum(['csv', 'json'])) },
          { additionalProperties: false },
        ),
        headers: Type.Object({ accept: Type.Optional(Type.String()) }),
        answers: {
          200: {
            description: 'The rows, in the order of the file.',
            headers: { 'Submission-State': 'accepted, processing or final' },
            content: { ...json(ReportView), 'text/csv': { type: 'string' } },
          },
        },
        refusals: ['resource_not_found'],
      },
      async ({ params, query, headers }, identity) => {
        const status = await visibleStatus(api, params.submission, 0, identity);
        if (isRefusal(status)) return status;
        const format = query.format ?? (headers.accept?.includes('text/csv') ? 'csv' : 'json');
        const rows = api.report(params.submission, identity);
        const text = format === 'csv' ? csvReport(rows) : jsonReport(status, rows);
        return {
          status: 200,
          headers: {
            'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8',
            'submission-state': status.state,
            vary: 'accept',
            ...(format === 'csv'
              ? { 'content-disposition': `attachment; filename="report-${params.submission}.csv"` }
              : {}),
          },
          body: Readable.from(text, { objectMode: false }),
        };
      },
    ),
  ];
}

/** SEC-1: what is not one's own is not there. */
async function visibleStatus(
  api: SubmissionApi,
  id: string,
  waitMs: number,
  { account }: Identity,
): Promise<SubmissionStatus | Refusal> {
  const status = await api.status(id, waitMs);
  const visible = status && (isRegulator(account) || status.account === account.id);
  return visible ? status : refuse('resource_not_found');
}

interface UploadedFile {
  readonly bytes: Buffer;
  readonly name: string;
  /** As a field of the form says. */
  readonly declaration?: string;
}

/** The uploaded file: the raw body, or the file of a form; fields may stand before and behind it. */
async function fileOf(request: FastifyRequest, bytesMax: number): Promise<UploadedFile | Refusal> {
  if (Buffer.isBuffer(request.body)) return { bytes: request.body, name: '' };
  if (!request.isMultipart()) return refuse('media_type_unsupported');
  let file: { bytes: Buffer; name: string } | undefined;
  let declaration: string | undefined;
  const limits = { fileSize: bytesMax, files: 1, fields: 20, fieldSize: 10_000 };
  for await (const part of request.parts({ limits }))
    if (part.type === 'file') file = { bytes: await part.toBuffer(), name: part.filename };
    else if (part.fieldname === 'declaration') declaration = String(part.value);
  if (!file) return refuse('request_invalid', 'the form holds no file');
  // The name of a .csv file is all that tells some spreadsheets from text (C2).
  if (!/\.csv$/i.test(file.name)) return refuse('file_not_csv', 'the name of the file does not end in .csv');
  return { bytes: file.bytes, name: file.name.slice(0, 200), ...defined({ declaration }) };
}

function viewOf({
  account: _,
  received_at,
  accepted_ms,
  final_seen_ms,
  ...status
}: SubmissionStatus): object {
  return {
    ...status,
    timings: { received_at, accepted_ms, final_seen_ms },
    report: `/v1/submissions/${status.id}/report`,
  };
}
