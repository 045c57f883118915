import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { isRegulator, uploaderKinds } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { documentActions, documents, products } from '#gateway/submissions/documents.ts';
import type { Checked, Intake, Sent } from '#gateway/submissions/intake.ts';
import {
  bytesOf,
  digestOf,
  dispositionOf,
  type KeptFile,
  mediaTypeOf,
} from '#gateway/submissions/kept-file.ts';
import type { RowLimits } from '#gateway/submissions/limits.ts';
import { type FileContents, readFile } from '#gateway/submissions/read-file.ts';
import { documentGiven } from '#gateway/submissions/read-json.ts';
import type { ReportRow } from '#gateway/submissions/report.ts';
import { csvReport, jsonReport } from '#gateway/submissions/report-text.ts';
import { outcomesSeenBy } from '#gateway/submissions/seen.ts';
import type { SubmissionStatus } from '#gateway/submissions/status.ts';
import type { RequestReason } from '#shared/domain/reasons.ts';
import { defined, FindingView, IdempotencyKey, json, ListSnapshot, Nearest, Time, Uuid } from './common.ts';

export interface SubmissionApi {
  readonly intake: Pick<Intake, 'take' | 'check'>;
  readonly bodyBytesMax: number;
  readonly rowLimits: RowLimits;
  status(id: string, waitMs: number): Promise<SubmissionStatus | undefined>;
  /** Rows that made no entry, in file order, as the account may see them; with `remarks`, also those that have one. */
  report(
    submission: Pick<SubmissionStatus, 'id' | 'action'>,
    viewer: Identity,
    remarks: boolean,
  ): AsyncIterable<readonly ReportRow[]>;
  /** The bytes as they came; undefined while they are on their way to the ledger. */
  file(id: string): Promise<KeptFile | undefined>;
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

const CheckedView = Type.Object(
  {
    message: Type.Literal('File checked, nothing was stored'),
    received: Type.Integer({ minimum: 1, description: 'rows' }),
    refused: Type.Integer({ minimum: 0, description: 'rows that would not be registered' }),
    remarked: Type.Integer({ minimum: 0, description: 'other rows with a remark' }),
    encoding: Type.String(),
    delimiter: Type.Enum(['comma', 'semicolon', 'tab']),
    lists: Type.Enum(['checked', 'not_checked', 'not_needed'], {
      description: 'whether the approved list could be asked; changes have no need of it',
    }),
    rows: Type.Array(FindingView),
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
    file: Type.String({ description: 'address of the bytes as they came' }),
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
          change: Type.Optional(
            Type.Object(
              { status: Type.String(), reason: Type.String(), note: Type.String() },
              { additionalProperties: false, description: 'of a change: what was asked for' },
            ),
          ),
          nearest: Type.Optional(Nearest),
          snapshot: Type.Optional(ListSnapshot),
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
  'rows_limited',
];

const fileRefusals: readonly RequestReason[] = [
  'idempotency_key_reused',
  'too_many_rows',
  'file_not_csv',
  'file_encoding_unknown',
  'file_empty',
  'file_damaged',
  'rows_faulty',
  'headings_missing',
  'headings_unknown',
  'headings_repeated',
  'quotes_broken',
  'record_too_long',
  'blank_lines_too_many',
];

const fileExample = [
  'Supplier name,Licensee/Certificate holder,Model number,Serial number',
  'Acme Imports Pty Ltd,Drusluntis Solar Co Ltd,DRU54RNs-280 (IEC 61215-2021),DR5428026000101',
  '',
].join('\r\n');

/** By which a request says what kind of document it brings. */
export const documentNamed = {
  product: Type.Optional(
    Type.Enum([...products], { description: 'what the serials are of; panel unless said' }),
  ),
  action: Type.Optional(
    Type.Enum([...documentActions], { description: 'what the rows ask for; `register` unless said' }),
  ),
};

const purposes = {
  register: 'to register',
  invalidate: 'to mark as invalid',
  update_status: 'to update the status of',
};

const headings = documents
  .map(({ product, action, layout }) => {
    const names = layout.map(({ heading, aliases, optional }) => {
      const spellings = [heading, ...aliases].map((name) => `\`${name}\``).join(' or ');
      return optional ? `${spellings} (may be left out)` : spellings;
    });
    return `- ${purposes[action]} ${product === 'battery' ? 'batteries' : `${product}s`}: ${names.join(', ')}`;
  })
  .join('\n');

function uploadDescription({ csv, guidance }: RowLimits): string {
  const others = Object.entries(guidance).map(([name, rows]) => `${rows} with \`guidance=${name}\``);
  return `A CSV file: cells separated by commas, semicolons or tabs, any line ends, in UTF-8, UTF-16 or Windows-1252. At most
${[`${csv} rows`, ...others].join(', ')}. Headings stand in any order, without regard to case:

${headings}

Reasons and statuses are those of /v1/catalogues, by id or label.

202 means that every row is stored safely and will get exactly one outcome. A file with a fault as a whole is refused, and
nothing of it is stored; a row with a fault becomes an outcome of its own, unless \`onError=reject\` asks for all rows or none.
With \`validateOnly=true\` nothing is stored: the answer says what would be refused, as far as that can be known without the
serial numbers that are registered already.`;
}

/** Files of serials: upload, what became of them, and which rows were not registered. */
export function submissionEndpoints(api: SubmissionApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'createSubmission',
        method: 'POST',
        path: '/v1/submissions',
        tag: 'submissions',
        summary: 'Upload serial numbers, or changes of them',
        description: uploadDescription(api.rowLimits),
        access: uploaderKinds,
        query: Type.Object(
          {
            ...documentNamed,
            declaration: Type.Optional(Declaration),
            file_name: Type.Optional(
              Type.String({ maxLength: 200, description: 'of a body that is not a form; ends in .csv' }),
            ),
            guidance: Type.Optional(
              Type.Enum(Object.keys(api.rowLimits.guidance), {
                description: 'the guidance that the file follows, where it has a limit of its own',
              }),
            ),
            validateOnly: Type.Optional(
              Type.Boolean({
                description:
                  'check everything, store nothing; the answer is then 200, and no declaration is made',
              }),
            ),
            onError: Type.Optional(
              Type.Enum(['proceed', 'reject'], {
                description:
                  '`proceed`, unless said: rows with faults become outcomes. `reject`: a fault in any row, or a model that is not listed, refuses the whole file',
              }),
            ),
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
          200: {
            description: 'Of `validateOnly`: what would be refused, and remarks.',
            content: json(CheckedView),
          },
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
        const file = await fileOf(request, api.bodyBytesMax, query.file_name ?? '');
        if (isRefusal(file)) return file;
        const document = documentGiven(query.product ?? 'panel', query.action ?? 'register', 'query');
        if (isRefusal(document)) return document;
        const idempotencyKey = headers['idempotency-key'];
        const declaration = query.declaration ?? file.declaration;
        const sent: Sent<FileContents> = {
          ...defined({ declaration }),
          channel: 'csv',
          document,
          fileName: file.name,
          body: file.bytes,
          rowsMax: rowsMaxOf(api.rowLimits, query.guidance),
          onError: query.onError ?? 'proceed',
          read: (options) => readFile(file.bytes, document, options),
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        };
        if (query.validateOnly) {
          const checked = await api.intake.check(sent, identity);
          return isRefusal(checked) ? checked : { status: 200, body: checkedView(checked) };
        }
        const accepted = await api.intake.take(sent, identity);
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
        return isRefusal(status) ? status : { status: 200, body: viewOf(status, identity) };
      },
    ),
    guarded(
      {
        id: 'getReport',
        method: 'GET',
        path: '/v1/submissions/{submission}/report',
        tag: 'submissions',
        summary:
          'The rows that were not registered, with the reason of each; or all that there is to say of rows',
        description: 'CSV or JSON, by `format` or the header Accept. Complete once the submission is final.',
        access: readers,
        params: Type.Object({ submission: Uuid }),
        query: Type.Object(
          {
            format: Type.Optional(Type.Enum(['csv', 'json'])),
            remarks: Type.Optional(
              Type.Boolean({ description: 'also the registered rows on which there is a remark' }),
            ),
          },
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
        const rows = api.report(status, identity, query.remarks ?? false);
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
    guarded(
      {
        id: 'getSubmissionFile',
        method: 'GET',
        path: '/v1/submissions/{submission}/file',
        tag: 'submissions',
        summary: 'The bytes of a submission, as they came',
        access: readers,
        params: Type.Object({ submission: Uuid }),
        answers: {
          200: {
            description: 'The file, byte for byte.',
            headers: {
              'Content-Digest': 'SHA-256 of the bytes (RFC 9530)',
              'Content-Disposition': 'the name of the file, where it had one',
            },
            content: {
              'text/csv': { type: 'string' },
              'application/json': {},
              'application/x-ndjson': { type: 'string' },
            },
          },
        },
        refusals: ['resource_not_found'],
      },
      async ({ params }, identity) => {
        const status = await visibleStatus(api, params.submission, 0, identity);
        if (isRefusal(status)) return status;
        const kept = await api.file(params.submission);
        // It was accepted, so it will be there.
        if (!kept) return refuse('temporarily_unavailable', 'the ledger does not have the file yet');
        const type = mediaTypeOf(kept);
        return {
          status: 200,
          headers: {
            'content-type': type,
            'content-digest': digestOf(kept),
            'content-disposition': dispositionOf(kept.file_name === '' ? fallbackName(type) : kept.file_name),
            'x-content-type-options': 'nosniff',
          },
          body: await bytesOf(kept),
        };
      },
    ),
  ];
}

function fallbackName(type: string): string {
  return `submission.${type === 'text/csv' ? 'csv' : type === 'application/json' ? 'json' : 'ndjson'}`;
}

function rowsMaxOf(limits: RowLimits, guidance: string | undefined): number {
  return guidance === undefined ? limits.csv : (limits.guidance[guidance] ?? limits.csv);
}

function checkedView({ contents, lists, findings }: Checked<FileContents>): object {
  const refused = new Set(findings.filter(({ effect }) => effect === 'refused').map(({ record }) => record));
  const remarked = new Set(findings.map(({ record }) => record).filter((record) => !refused.has(record)));
  return {
    message: 'File checked, nothing was stored',
    received: contents.rows,
    refused: refused.size,
    remarked: remarked.size,
    encoding: contents.encoding,
    delimiter: contents.delimiter,
    lists,
    rows: findings,
  };
}

/** SEC-1: what is not one's own is not there. */
async function visibleStatus(
  api: Pick<SubmissionApi, 'status'>,
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
export async function fileOf(
  request: FastifyRequest,
  bytesMax: number,
  queryName: string,
): Promise<UploadedFile | Refusal> {
  if (Buffer.isBuffer(request.body)) return named(request.body, queryName);
  if (!request.isMultipart()) return refuse('media_type_unsupported');
  let file: { bytes: Buffer; name: string } | undefined;
  let declaration: string | undefined;
  const limits = { fileSize: bytesMax, files: 1, fields: 20, fieldSize: 10_000 };
  for await (const part of request.parts({ limits }))
    if (part.type === 'file') file = { bytes: await part.toBuffer(), name: part.filename };
    else if (part.fieldname === 'declaration') declaration = String(part.value);
  if (!file) return refuse('request_invalid', 'the form holds no file');
  const checked =
    file.name === '' ? refuse('file_not_csv', 'the file has no name') : named(file.bytes, file.name);
  return isRefusal(checked) ? checked : { ...checked, ...defined({ declaration }) };
}

/** C2: the name is all that tells some files from the text that they begin like. */
function named(bytes: Buffer, name: string): UploadedFile | Refusal {
  if (name !== '' && !/\.csv$/i.test(name))
    return refuse('file_not_csv', 'the name of the file does not end in .csv');
  return { bytes, name: name.slice(0, 200) };
}

function viewOf(
  { account: _, outcomes, received_at, accepted_ms, final_seen_ms, ...status }: SubmissionStatus,
  viewer: Identity,
): object {
  return {
    ...status,
    outcomes: outcomesSeenBy(viewer.account, outcomes),
    timings: { received_at, accepted_ms, final_seen_ms },
    report: `/v1/submissions/${status.id}/report`,
    file: `/v1/submissions/${status.id}/file`,
  };
}
