import Type from 'typebox';
import type { Identity } from '#gateway/accounts/book.ts';
import { type ClaimFileRecord, claimFileRecordsMax, readClaimFile } from '#gateway/claims/claim-file.ts';
import type { ClaimDesk, TakenFile } from '#gateway/claims/desk.ts';
import type { ClaimPage, ClaimQuestion } from '#gateway/claims/list.ts';
import type { ClaimView } from '#gateway/claims/state.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, refuse } from '#gateway/refusal.ts';
import { claimColumns, claimFromJson, claimJsonSchema, claimStatuses } from '#shared/domain/claims/index.ts';
import { IdempotencyKey, json, Time, Uuid } from './common.ts';
import { fileOf } from './submissions.ts';

export interface ClaimApi {
  readonly desk: Pick<ClaimDesk, 'submit' | 'submitFile'>;
  readonly bodyBytesMax: number;
  state(claim: string, viewer: Identity, waitMs: number): Promise<ClaimView | undefined>;
  /** `event`: waits until that event is among them. */
  history(
    claim: string,
    viewer: Identity,
    wait: { readonly event: string; readonly ms: number },
  ): Promise<object | undefined>;
  list(question: ClaimQuestion, viewer: Identity): Promise<ClaimPage>;
}

const jsonBytesMax = 1024 * 1024;
const claimExample = {
  unit_kind: 'solar',
  installed_on: '2026-03-02',
  address: '12 Example Street',
  locality: 'Newcastle West',
  state: 'NSW',
  postcode: '2302',
  installation_type: 'New',
  complete_unit: true,
  rated_power_kw: '0.88',
  deeming: 'max',
  panel_count: 2,
  panels: [
    {
      holder: 'Sunmaker Co Ltd',
      model: 'SM-440 (IEC 61215-2021)',
      quantity: 2,
      serials: ['SM26000001', 'SM26000002'],
    },
  ],
  inverters: [
    {
      holder: 'Brightgrid Power Electronics Co Ltd',
      series: 'BG',
      model: 'BG-5000TL (AS4777-2 2020)',
      serials: ['BG26000001'],
    },
  ],
  installer: 'Ann Installer',
  installer_accreditation: 'A1234567',
  designer_accreditation: 'A1234567',
  accredited: true,
  owner: 'Owen Owner',
  owner_contact: 'owen@example.org',
  claimant: 'agent',
  assignment: 'REC-ASSIGNMENT-1',
  assigned_on: '2026-03-03',
};
export const ClaimId = Type.String({ pattern: '^[0-9a-f]{20}-[0-9a-f]{16}$' });
const Text = Type.String();
export const waitMsMax = 30_000;
const listMax = 500;

export const claimReaders = ['agent', 'regulator'] as const;

const FindingView = Type.Object(
  {
    code: Text,
    effect: Type.Enum(['refuse', 'ask', 'wait', 'waived', 'note']),
    subject: Type.String({ description: 'serial, model or field concerned' }),
    detail: Text,
    reference: Type.Optional(Type.String({ description: 'for the regulator alone' })),
  },
  { additionalProperties: false },
);

const certificateFields = {
  accreditation_code: Text,
  certificate_year: Type.Integer(),
  first_number: Type.Integer({ description: '0 without certificates' }),
  last_number: Type.Integer(),
  certificate_status: Text,
};

/** Figures are there once the claim is decided. */
const ClaimStateView = Type.Object(
  {
    id: ClaimId,
    state: Type.Enum(['pending', 'decided']),
    status: Type.Optional(Type.String({ description: claimStatuses.join(', ') })),
    decision: Type.Optional(Type.String({ description: 'of the claim: approved, held, refused' })),
    findings: Type.Optional(Type.Array(FindingView)),
    entitlement: Type.Optional(Text),
    certificates: Type.Optional(Type.Integer()),
    unrounded: Type.Optional(Type.String({ description: 'the product before the one rounding' })),
    annual_mwh: Type.Optional(Text),
    working: Type.Optional(Type.Array(Text)),
    rule_set: Type.Optional(Text),
    rule_ids: Type.Optional(Type.Array(Text)),
    snapshot: Type.Optional(Type.String({ description: 'approved lists used' })),
    accreditation_code: Type.Optional(Text),
    certificate_year: Type.Optional(Type.Integer()),
    first_number: Type.Optional(Type.Integer()),
    last_number: Type.Optional(Type.Integer()),
    certificate_status: Type.Optional(Text),
    submitted_at: Type.Optional(Time('receipt')),
    assessment: Type.Optional(Type.String({ description: 'the event whose assessment this is' })),
    events: Type.Optional(
      Type.Array(
        Type.Object(
          { event: Text, kind: Text, decision: Text, received_at: Time('receipt') },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { additionalProperties: false },
);

const HistoryView = Type.Object(
  {
    id: ClaimId,
    state: Type.Enum(['pending', 'decided']),
    events: Type.Array(
      Type.Object(
        {
          event: Text,
          kind: Type.String({
            description: 'claim (also when it was assessed again), withdrawal, refusal, audit, registration',
          }),
          by: Type.Enum(['claimant', 'regulator']),
          received_at: Time('receipt'),
          reason: Text,
          applied: Type.Boolean({ description: 'false: it changed nothing; the finding says why' }),
          decision: Text,
          status: Type.String({ description: 'of the claim afterwards' }),
          findings: Type.Array(FindingView),
          waived: Type.Array(Type.Object({ code: Text, subject: Text }), {
            description: 'questions that the regulator answered',
          }),
          based_on: Text,
          certificates: Type.Integer({ description: 'given by this event' }),
          ...certificateFields,
          snapshot: Text,
          rule_set: Text,
          account: Type.Optional(Text),
          asked_by: Type.Optional(Text),
          submitted_by: Type.Optional(Text),
          evidenced_offset: Type.Optional(Type.Integer()),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

const ListView = Type.Object(
  {
    claims: Type.Array(
      Type.Object(
        {
          id: ClaimId,
          url: Text,
          account: Type.Optional(Type.String({ description: 'for the regulator' })),
          unit_kind: Text,
          state: Text,
          status: Text,
          decision: Text,
          findings: Type.Array(Type.String({ description: 'codes' })),
          certificates: Type.Integer(),
          ...certificateFields,
          file: Type.Optional(Uuid),
          record: Type.Optional(Type.Integer()),
          submitted_at: Time('receipt'),
          since: Time('since when it is as it is'),
          waiting_days: Type.Integer({ description: 'whole days since then' }),
        },
        { additionalProperties: false },
      ),
    ),
    next: Type.Optional(Type.String({ description: 'for `after`, when there are more' })),
  },
  { additionalProperties: false },
);

const FileView = Type.Object(
  {
    id: Uuid,
    url: Text,
    received: Type.Integer({ description: 'records of the file' }),
    accepted: Type.Integer({ description: 'of them claims that were stored' }),
    claims: Type.Array(
      Type.Object(
        {
          record: Type.Integer({ description: 'from 1' }),
          line: Type.Integer({ description: 'physical line where it begins' }),
          id: Type.Optional(ClaimId),
          url: Type.Optional(Text),
          errors: Type.Optional(
            Type.Array(Type.Object({ column: Text, code: Text, message: Text }), {
              description: 'why the record is no claim; nothing of it was stored',
            }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

const fileDescription = `A CSV file in UTF-8 with at most ${claimFileRecordsMax} claims, one a row, headings in any order, without
regard to case; days as dd/mm/yyyy, Yes or No, several serials of a cell separated by \`;\`. A unit of several models is claimed
as JSON. Headings: ${claimColumns.map(({ heading, optional, about }) => `\`${heading}\`${optional ? '' : ' (needed)'}: ${about}`).join('; ')}.
A file with a fault as a whole is refused, and nothing of it is stored. Else each record becomes a claim of its own, or is told
why it cannot. The same file again is the same claims; with a new Idempotency-Key they are new ones.`;

const exampleRow: Readonly<Record<string, string>> = {
  'Type of system': 'Wind',
  'Installation date': '02/03/2026',
  'Installation address': '12 Example Street',
  Suburb: 'Newcastle West',
  State: 'NSW',
  Postcode: '2302',
  'Installation type': 'New',
  'Complete unit': 'Yes',
  'Rated power output in kW': '2.9',
  'System brand': 'Breezeworks',
  'System model': 'BW-3',
  'Equipment module serial number': 'BW26000001;BW26000002',
  'Deeming period': '5',
  'Installer name': 'Ann Installer',
  'Installer accreditation number': 'A1234567',
  'Owner name': 'Owen Owner',
  'Owner contact': 'owen@example.org',
  Claimant: 'agent',
  'Assignment reference': 'REC-ASSIGNMENT-2',
  'Assignment date': '03/03/2026',
};
const claimFileExample = `${Object.keys(exampleRow).join(',')}\r\n${Object.values(exampleRow).join(',')}\r\n`;

const WaitMs = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: waitMsMax,
    description: 'answer once it is decided, or after this time',
  }),
);

/** Claims for certificates. */
export function claimEndpoints(api: ClaimApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'createClaim',
        method: 'POST',
        path: '/v1/claims',
        tag: 'claims',
        summary: 'Claim certificates for a unit',
        description:
          'What is wrong with the content of a claim is found when it is assessed, and told with its decision.',
        access: ['agent'],
        headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
        // `claimFromJson` checks by the same schema, and names each fault in its own words.
        body: {
          kind: 'json',
          schema: claimJsonSchema,
          checkedByHandler: true,
          bytesMax: jsonBytesMax,
          example: claimExample,
        },
        answers: {
          202: {
            description: 'The claim is stored safely and will be assessed.',
            headers: { Location: 'address of the claim' },
            content: json(Type.Object({ id: ClaimId, url: Text }, { additionalProperties: false })),
          },
        },
        refusals: ['idempotency_key_reused'],
      },
      async ({ body, headers }, identity) => {
        const facts = factsOf(body);
        if (isRefusal(facts)) return facts;
        const claim = await api.desk.submit(facts, identity, headers['idempotency-key']);
        if (isRefusal(claim)) return claim;
        const url = `/v1/claims/${claim.id}`;
        return { status: 202, headers: { location: url }, body: { id: claim.id, url } };
      },
    ),
    guarded(
      {
        id: 'createClaimFile',
        method: 'POST',
        path: '/v1/claims/files',
        tag: 'claims',
        summary: 'Claim certificates for many units with one file',
        description: fileDescription,
        access: ['agent'],
        headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
        body: {
          kind: 'file',
          mediaTypes: ['text/csv', 'multipart/form-data'],
          example: claimFileExample,
          bytesMax: api.bodyBytesMax,
        },
        answers: {
          202: {
            description: 'Every record that is a claim is stored safely and will be assessed on its own.',
            headers: { Location: 'address of the claims of the file' },
            content: json(FileView),
          },
        },
        refusals: [
          'idempotency_key_reused',
          'too_many_rows',
          'file_not_csv',
          'file_encoding_unknown',
          'file_empty',
          'headings_missing',
          'headings_unknown',
          'headings_repeated',
          'quotes_broken',
          'record_too_long',
          'blank_lines_too_many',
        ],
      },
      async ({ headers, request }, identity) => {
        const file = await fileOf(request, api.bodyBytesMax, '');
        if (isRefusal(file)) return file;
        const records = await readClaimFile(file.bytes);
        if (isRefusal(records)) return records;
        const claims = records.flatMap(({ record, claim }) => (claim ? [{ record, facts: claim }] : []));
        const taken = await api.desk.submitFile(claims, file.bytes, identity, headers['idempotency-key']);
        if (isRefusal(taken)) return taken;
        const url = `/v1/claims?file=${taken.id}`;
        return { status: 202, headers: { location: url }, body: fileView(taken, records, url) };
      },
    ),
    guarded(
      {
        id: 'listClaims',
        method: 'GET',
        path: '/v1/claims',
        tag: 'claims',
        summary: 'Claims as they stand, the oldest first',
        description:
          'An account sees its own, the regulator all. Claims that wait for an audit have the certificate status `Pending audit`; those that wait for information or the regulator are `held`. A claim is listed once it is decided.',
        access: claimReaders,
        query: Type.Object(
          {
            status: Type.Optional(Type.Enum([...claimStatuses])),
            certificate_status: Type.Optional(Type.String({ maxLength: 40 })),
            file: Type.Optional(Uuid),
            older_than_days: Type.Optional(
              Type.Integer({ minimum: 0, maximum: 10_000, description: 'unchanged for so long' }),
            ),
            after: Type.Optional(Type.String({ maxLength: 100, description: '`next` of the page before' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: listMax })),
          },
          { additionalProperties: false },
        ),
        answers: { 200: { description: 'One page.', content: json(ListView) } },
        refusals: [],
      },
      async ({ query }, identity) => ({
        status: 200,
        body: await api.list(
          {
            status: query.status ?? '',
            certificateStatus: query.certificate_status ?? '',
            file: query.file ?? '',
            olderThanDays: query.older_than_days ?? 0,
            after: query.after ?? '',
            limit: query.limit ?? 100,
          },
          identity,
        ),
      }),
    ),
    guarded(
      {
        id: 'getClaim',
        method: 'GET',
        path: '/v1/claims/{claim}',
        tag: 'claims',
        summary: 'What became of a claim',
        access: claimReaders,
        params: Type.Object({ claim: ClaimId }),
        query: Type.Object({ wait_ms: WaitMs }, { additionalProperties: false }),
        answers: { 200: { description: 'The claim with its decision.', content: json(ClaimStateView) } },
        refusals: ['resource_not_found'],
      },
      async ({ params, query }, identity) => {
        const state = await api.state(params.claim, identity, query.wait_ms ?? 0);
        return state ? { status: 200, body: state } : refuse('resource_not_found');
      },
    ),
    guarded(
      {
        id: 'getClaimHistory',
        method: 'GET',
        path: '/v1/claims/{claim}/history',
        tag: 'claims',
        summary: 'Everything that happened to a claim, in its order',
        access: claimReaders,
        params: Type.Object({ claim: ClaimId }),
        query: Type.Object(
          {
            event: Type.Optional(
              Type.String({ maxLength: 40, description: 'with `wait_ms`: answer once this event is there' }),
            ),
            wait_ms: WaitMs,
          },
          { additionalProperties: false },
        ),
        answers: { 200: { description: 'The events with their decisions.', content: json(HistoryView) } },
        refusals: ['resource_not_found'],
      },
      async ({ params, query }, identity) => {
        const wait = { event: query.event ?? '', ms: query.wait_ms ?? 0 };
        const history = await api.history(params.claim, identity, wait);
        return history ? { status: 200, body: history } : refuse('resource_not_found');
      },
    ),
  ];
}

/** The facts of a claim as JSON, or a refusal that names each fault. */
export function factsOf(body: unknown) {
  const reading = claimFromJson(body);
  if (!('reasons' in reading)) return reading.claim;
  const errors = reading.reasons.map(({ code, field, message }) => ({ where: field, code, message }));
  return refuse('request_invalid', errors[0]!.message, { errors });
}

function fileView({ id, claims }: TakenFile, records: readonly ClaimFileRecord[], url: string): object {
  return {
    id,
    url,
    received: records.length,
    accepted: claims.size,
    claims: records.map(({ record, line, faults }) => {
      const claim = claims.get(record);
      if (claim !== undefined) return { record, line, id: claim, url: `/v1/claims/${claim}` };
      const errors = faults.map(({ field, code, message }) => ({ column: field, code, message }));
      return { record, line, errors };
    }),
  };
}
