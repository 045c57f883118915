import { Readable } from 'node:stream';
import { writeToString } from 'fast-csv';
import Type from 'typebox';
import { isRegulator, uploaderKinds } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { refuse } from '#gateway/refusal.ts';
import {
  type FoundEntry,
  type Place,
  readCursor,
  type SearchQuery,
  stateOf,
  statusSince,
} from '#gateway/search/query.ts';
import type { Page } from '#gateway/search/search.ts';
import { remarkCodes } from '#gateway/submissions/findings.ts';
import { harmless } from '#gateway/submissions/report-text.ts';
import { findReason } from '#shared/domain/reasons.ts';
import { Day, json, receivedBetween, StatusSince, Time, Uuid } from './common.ts';

export interface SearchApi {
  page(
    query: SearchQuery,
    viewer: Identity,
    page: { readonly after?: Place; readonly limit: number },
  ): Promise<Page>;
  all(query: SearchQuery, viewer: Identity): AsyncIterable<readonly FoundEntry[]>;
  count(query: SearchQuery, viewer: Identity): Promise<number>;
}

export const searchPageMax = 1_000;
const searchPageRows = 100;

const Text = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }));

/** What can be searched for: in a query, and in a selection of everything that matches. */
export const searchFields = {
  supplier: Text('supplier name'),
  holder: Text('licensee, certificate holder or manufacturer'),
  model: Text('model number'),
  serial: Text('serial number, whole'),
  serial_prefix: Text('what the serial number begins with'),
  state: Type.Optional(Type.Enum(['registered', 'invalid'])),
  status: Text('status of inverters and batteries, by its id or label in /v1/catalogues'),
  upload: Type.Optional(Uuid),
  from: Type.Optional(Day('latest entry received on or after')),
  to: Type.Optional(Day('latest entry received on or before')),
} as const;

export const ProductName = Type.Enum(['panel', 'inverter', 'battery']);

const Found = Type.Object(
  {
    supplier: Type.String(),
    holder: Type.String(),
    series: Type.String(),
    model: Type.String(),
    serial: Type.String(),
    state: Type.Enum(['registered', 'invalid']),
    status: Type.String(),
    status_since: StatusSince,
    reason: Type.String({ description: 'of the marking or the change of status; an id of its catalogue' }),
    note: Type.String({ description: 'free text that was given with it; of a registration there is none' }),
    entry: Type.Integer({ description: 'number of the latest entry' }),
    received_at: Time('receipt of that entry'),
    upload: Type.Optional(Uuid),
    row: Type.Optional(Type.Integer()),
    remarks: Type.Array(
      Type.Object({ code: Type.String(), sentence: Type.String() }, { additionalProperties: false }),
      { description: 'what there is to say of the row that made the entry' },
    ),
  },
  { additionalProperties: false },
);

const csvHeadings = [
  'Supplier',
  'Holder',
  'Series',
  'Model',
  'Serial number',
  'State',
  'Status',
  'Status since',
  'Reason',
  'Note',
  'Entry',
  'Received at',
  'Upload',
  'Row',
  'Remarks',
];

/** Search among the serials that an account may see (E1, E2). */
export function searchEndpoints(api: SearchApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'searchSerials',
        method: 'GET',
        path: '/v1/serials',
        tag: 'serials',
        summary: 'Search serial numbers',
        description:
          'Everything given must hold of the latest entry; texts compare without case and extra spaces. Pages are in the order of supplier, serial and holder, and a cursor stays good while the ledger changes. An account finds what was sent for suppliers it may upload for, and what it has sent itself; the regulator finds all. With `format=csv` everything that matches comes as one CSV file.',
        access: [...uploaderKinds, 'regulator'],
        query: Type.Object(
          {
            product: ProductName,
            ...searchFields,
            limit: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: searchPageMax,
                description: `${searchPageRows} unless said`,
              }),
            ),
            cursor: Type.Optional(
              Type.String({ maxLength: 2_000, description: '`next` of the page before' }),
            ),
            count: Type.Optional(Type.Boolean({ description: 'count all that match as well; takes longer' })),
            format: Type.Optional(Type.Enum(['json', 'csv'])),
          },
          { additionalProperties: false },
        ),
        answers: {
          200: {
            description: 'A page of serials, or all of them as CSV.',
            content: {
              ...json(
                Type.Object(
                  {
                    serials: Type.Array(Found),
                    next: Type.Union([Type.String(), Type.Null()]),
                    count: Type.Optional(Type.Integer()),
                  },
                  { additionalProperties: false },
                ),
              ),
              'text/csv': { type: 'string' },
            },
          },
        },
        refusals: [],
      },
      async ({ query }, identity) => {
        const { limit, cursor, count, format, ...fields } = query;
        const search = queryOf(fields);
        if (format === 'csv') return csvAnswer(api.all(search, identity), identity);
        const after = cursor === undefined ? undefined : readCursor(cursor);
        if (cursor !== undefined && !after) return refuse('request_invalid', 'query/cursor is not a cursor');
        const [page, counted] = await Promise.all([
          api.page(search, identity, { limit: limit ?? searchPageRows, ...(after ? { after } : {}) }),
          count ? api.count(search, identity) : undefined,
        ]);
        return {
          status: 200,
          body: {
            serials: page.entries.map((entry) => viewOf(entry, identity)),
            next: page.next ?? null,
            ...(counted === undefined ? {} : { count: counted }),
          },
        };
      },
    ),
  ];
}

interface SearchFields {
  readonly product: SearchQuery['product'];
  readonly supplier?: string;
  readonly holder?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly serial_prefix?: string;
  readonly state?: 'registered' | 'invalid';
  readonly status?: string;
  readonly upload?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Fields of a request as a query; days become moments. */
export function queryOf({ serial_prefix, upload, from, to, ...same }: SearchFields): SearchQuery {
  return {
    ...same,
    ...(serial_prefix === undefined ? {} : { serialPrefix: serial_prefix }),
    ...(upload === undefined ? {} : { submission: upload }),
    ...receivedBetween(from, to),
  };
}

/** Which upload it was is for its own account, and for the regulator. */
function viewOf(entry: FoundEntry, { account }: Identity) {
  const own = isRegulator(account) || entry.account === account.id;
  // The note of a registration holds codes, that of a change a text of its sender.
  const isRegistration = entry.outcome === 'registered';
  return {
    supplier: entry.supplier,
    holder: entry.holder,
    series: entry.series,
    model: entry.model,
    serial: entry.serial,
    state: stateOf(entry),
    status: entry.status,
    status_since: statusSince(entry),
    reason: entry.reason,
    note: isRegistration ? '' : entry.note,
    entry: entry.entry,
    received_at: entry.received_at,
    ...(own ? { upload: entry.submission, row: entry.row } : {}),
    remarks: remarkCodes(entry, !isRegistration).map((code) => ({
      code,
      sentence: findReason(code)?.sentence ?? `${code}.`,
    })),
  };
}

function csvAnswer(blocks: AsyncIterable<readonly FoundEntry[]>, viewer: Identity) {
  const headers = {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="serials.csv"',
  };
  return { status: 200, headers, body: Readable.from(csvText(blocks, viewer), { objectMode: false }) };
}

const csvFormat = { headers: false, rowDelimiter: '\r\n', includeEndRowDelimiter: true } as const;

async function* csvText(
  blocks: AsyncIterable<readonly FoundEntry[]>,
  viewer: Identity,
): AsyncGenerator<string> {
  yield `\ufeff${await writeToString([csvHeadings], csvFormat)}`;
  for await (const block of blocks)
    if (block.length > 0)
      yield await writeToString(
        block.map((entry) => csvCells(viewOf(entry, viewer)).map(harmless)),
        csvFormat,
      );
}

function csvCells(view: ReturnType<typeof viewOf>): readonly string[] {
  return [
    view.supplier,
    view.holder,
    view.series,
    view.model,
    view.serial,
    view.state,
    view.status,
    view.status_since === null ? '' : new Date(view.status_since).toISOString(),
    view.reason,
    view.note,
    String(view.entry),
    new Date(view.received_at).toISOString(),
    view.upload ?? '',
    view.row === undefined ? '' : String(view.row),
    view.remarks.map(({ sentence }) => sentence).join(' '),
  ];
}
