import Type from 'typebox';
import { uploaderKinds } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal } from '#gateway/refusal.ts';
import { documents } from '#gateway/submissions/documents.ts';
import { gatewayFindings, type RowFinding } from '#gateway/submissions/findings.ts';
import { bodyDocument, parseJson, readJson, rowsSchema } from '#gateway/submissions/read-json.ts';
import type { ReportRow } from '#gateway/submissions/report.ts';
import { outcomesSeenBy } from '#gateway/submissions/seen.ts';
import { FindingView, IdempotencyKey, json, Uuid } from './common.ts';
import type { SubmissionApi } from './submissions.ts';

const Count = Type.Integer({ minimum: 0 });

const ResultView = Type.Object(
  {
    result: Type.Literal('Successful'),
    submission: Uuid,
    url: Type.String({ description: 'address of what became of the rows' }),
    received: Type.Integer({ minimum: 1, description: 'rows' }),
    state: Type.Enum(['accepted', 'processing', 'final']),
    outcomes: Type.Record(Type.String(), Count, {
      description: 'rows by outcome, as far as they are decided; all once the state is final',
    }),
    rows: Type.Array(
      Type.Object(
        {
          ...FindingView.properties,
          outcome: Type.Optional(
            Type.String({ description: 'what became of the row, once that is decided' }),
          ),
        },
        { additionalProperties: false },
      ),
      { description: 'rows that are not registered, and remarks; rows that are not named are in order' },
    ),
  },
  { additionalProperties: false },
);

/** Works as it stands for the account of the example of createAccount, on the list in deploy/lists. */
const example = {
  product: 'panel',
  rows: [
    {
      supplier_name: 'Acme Imports Pty Ltd',
      licensee_certificate_holder: 'Drusluntis Solar Co Ltd',
      model_number: 'DRU54RNs-280 (IEC 61215-2021)',
      serial_number: 'DR5428026000001',
    },
    {
      supplier_name: 'Acme Imports Pty Ltd',
      licensee_certificate_holder: 'Drusluntis Solar Co Ltd',
      model_number: 'DRU60RNs-400 (IEC 61215-2021)',
      serial_number: 'DR6040026000001',
    },
  ],
};

function description(rowsMax: number): string {
  return `At most ${rowsMax} rows. All members are texts: a number would lose digits of long serial numbers. The same checks as
for files: a body that is not as described is refused whole; a row with a fault becomes an outcome of its own.

\`Successful\` means that every row is stored safely and will get exactly one outcome; \`Unsuccessful\` that nothing was stored,
and why. With an \`action\` the rows ask for a change instead: their reasons are those of /v1/catalogues. What the gateway finds in rows is in the answer; with \`wait_ms\` the answer comes once all rows are decided, or after
that time.`;
}

/** Rows of serials as JSON: the interface of those who have no files. */
export function registrationEndpoints(api: SubmissionApi): readonly Endpoint[] {
  const rowsMax = api.rowLimits.json;
  return [
    guarded(
      {
        id: 'registerSerials',
        method: 'POST',
        path: '/v1/serials',
        tag: 'serials',
        summary: 'Register serial numbers',
        description: description(rowsMax),
        access: uploaderKinds,
        query: Type.Object(
          {
            wait_ms: Type.Optional(
              Type.Integer({
                minimum: 0,
                maximum: 30_000,
                description: 'answer once the outcomes are decided, or after this time',
              }),
            ),
            onError: Type.Optional(
              Type.Enum(['proceed', 'reject'], {
                description: '`reject`: a fault in any row, or a model that is not listed, refuses all rows',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
        body: {
          kind: 'json',
          bytesMax: api.bodyBytesMax,
          schema: Type.Union(documents.map(rowsSchema)),
          example,
          raw: true,
        },
        answers: {
          202: {
            description:
              'All rows are stored. What became of them is in the answer, once that is decided, and told at the address of the submission.',
            headers: { Location: 'address of the submission' },
            content: json(ResultView),
          },
        },
        refusals: [
          'product_not_registered',
          'api_declaration_missing',
          'api_declaration_expired',
          'idempotency_key_reused',
          'rows_limited',
          'too_many_rows',
          'file_damaged',
          'rows_faulty',
        ],
        refusalMembers: { result: 'Unsuccessful' },
      },
      async ({ query, headers, request }, identity) => {
        const bytes = request.body as Buffer;
        const parsed = parseJson(bytes);
        if (isRefusal(parsed)) return parsed;
        const document = bodyDocument(parsed.value);
        if (isRefusal(document)) return document;
        const idempotencyKey = headers['idempotency-key'];
        const taken = await api.intake.take(
          {
            channel: 'json',
            document,
            fileName: '',
            body: bytes,
            rowsMax,
            onError: query.onError ?? 'proceed',
            read: (options) => readJson(parsed.value, document, options),
            ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
          },
          identity,
        );
        if (isRefusal(taken)) return taken;
        const url = `/v1/submissions/${taken.id}`;
        const contents = await taken.contents();
        const found = isRefusal(contents) ? [] : gatewayFindings(contents.records, document);
        const decided = await decidedWithin(api, taken.id, query.wait_ms ?? 0, identity, found);
        const body = {
          result: 'Successful',
          submission: taken.id,
          url,
          received: taken.received,
          ...decided,
        };
        return { status: 202, headers: { location: url }, body };
      },
    ),
  ];
}

interface Decided {
  readonly state: 'accepted' | 'processing' | 'final';
  readonly outcomes: Readonly<Record<string, number>>;
  readonly rows: readonly object[];
}

/** What the ledger says once it is final; before, what the gateway itself has found. Nobody waits who did not ask to. */
async function decidedWithin(
  api: SubmissionApi,
  id: string,
  waitMs: number,
  identity: Identity,
  found: readonly RowFinding[],
): Promise<Decided> {
  const status = waitMs > 0 ? await api.status(id, waitMs) : undefined;
  if (!status) return { state: 'accepted', outcomes: {}, rows: found };
  const { state } = status;
  const outcomes = outcomesSeenBy(identity.account, status.outcomes);
  if (state !== 'final') return { state, outcomes, rows: found };
  const rows: object[] = [];
  for await (const block of api.report(status, identity, true)) rows.push(...block.map(decidedRow));
  return { state, outcomes, rows };
}

function decidedRow(row: ReportRow): object {
  const { record, line, outcome, column, value, code, sentence, hint, nearest, snapshot } = row;
  return {
    record,
    line,
    effect: outcome === 'registered' ? 'remark' : 'refused',
    outcome,
    column,
    value,
    code,
    sentence,
    hint,
    ...(nearest ? { nearest } : {}),
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}
