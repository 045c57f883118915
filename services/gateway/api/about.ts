import Type from 'typebox';
import { claimFileRecordsMax } from '#gateway/claims/claim-file.ts';
import { type Endpoint, open } from '#gateway/http/operation.ts';
import { batchBytesMax, batchRowsMax } from '#gateway/submissions/batches.ts';
import { cellCharsMax } from '#gateway/submissions/cells.ts';
import type { RowLimits } from '#gateway/submissions/limits.ts';
import { claimSerialsMax } from '#shared/domain/claims/index.ts';
import { reasonKinds, reasons } from '#shared/domain/reasons.ts';
import { json } from './common.ts';

const Count = Type.Integer({ minimum: 1 });

export interface Limits {
  readonly rows: RowLimits;
  readonly damageShareMax: number;
  readonly submissionBytes: number;
  readonly uploadsAtOnce: number;
  readonly lookupSerials: number;
  readonly lookupWaitMs: number;
  readonly entitlementCalculations: number;
  readonly entitlementRequestsPerMinute: number;
}

/** What anybody may know: limits, and the catalogue of reasons. */
export function aboutEndpoints(limits: Limits): readonly Endpoint[] {
  return [
    open(
      {
        id: 'getLimits',
        method: 'GET',
        path: '/v1/limits',
        tag: 'about',
        summary: 'All limits of the API',
        access: 'public',
        answers: {
          200: {
            description: 'The limits.',
            content: json(
              Type.Object(
                {
                  submissions: Type.Object(
                    {
                      rows: Type.Object(
                        { csv: Count, json: Count },
                        { additionalProperties: false, description: 'of one submission, by channel' },
                      ),
                      rows_by_guidance: Type.Record(Type.String(), Count, {
                        description: 'of a file that is uploaded with `guidance`',
                      }),
                      damaged_share: Type.Number({
                        description:
                          'more rows than this share damaged by a spreadsheet program: nothing is taken',
                      }),
                      bytes: Count,
                      cell_characters: Count,
                      uploads_at_once: Count,
                      batch_rows: Count,
                      batch_bytes: Count,
                    },
                    { additionalProperties: false },
                  ),
                  claims: Type.Object(
                    { file_records: Count, serials: Count },
                    { additionalProperties: false },
                  ),
                  lookups: Type.Object({ serials: Count, wait_ms: Count }, { additionalProperties: false }),
                  entitlements: Type.Object(
                    { calculations: Count, requests_per_minute: Count },
                    { additionalProperties: false },
                  ),
                },
                { additionalProperties: false },
              ),
            ),
          },
        },
        refusals: [],
      },
      async () => ({
        status: 200,
        body: {
          submissions: {
            rows: { csv: limits.rows.csv, json: limits.rows.json },
            rows_by_guidance: limits.rows.guidance,
            damaged_share: limits.damageShareMax,
            bytes: limits.submissionBytes,
            cell_characters: cellCharsMax,
            uploads_at_once: limits.uploadsAtOnce,
            batch_rows: batchRowsMax,
            batch_bytes: batchBytesMax,
          },
          claims: { file_records: claimFileRecordsMax, serials: claimSerialsMax },
          lookups: { serials: limits.lookupSerials, wait_ms: limits.lookupWaitMs },
          entitlements: {
            calculations: limits.entitlementCalculations,
            requests_per_minute: limits.entitlementRequestsPerMinute,
          },
        },
      }),
    ),
    open(
      {
        id: 'getReasons',
        method: 'GET',
        path: '/v1/reasons',
        tag: 'about',
        summary: 'The catalogue of reasons',
        access: 'public',
        answers: {
          200: {
            description: 'Every reason code with what it says and what to do.',
            content: json(
              Type.Object(
                {
                  reasons: Type.Array(
                    Type.Object(
                      {
                        code: Type.String(),
                        kind: Type.Enum([...reasonKinds]),
                        status: Type.Optional(Type.Integer()),
                        sentence: Type.String(),
                        hint: Type.String(),
                      },
                      { additionalProperties: false },
                    ),
                  ),
                },
                { additionalProperties: false },
              ),
            ),
          },
        },
        refusals: [],
      },
      async () => ({ status: 200, body: { reasons } }),
    ),
  ];
}
