import Type, { type Static, type TObject } from 'typebox';
import { authoritiesMax } from '#gateway/accounts/commands/authorities.ts';
import { subscriptionsMax } from '#gateway/accounts/commands/subscriptions.ts';
import { usersMax } from '#gateway/accounts/commands/users.ts';
import { claimFileRecordsMax, claimRecordCharsMax } from '#gateway/claims/claim-file.ts';
import { blankLinesMax } from '#gateway/csv/blank-lines.ts';
import { headingsCharsMax } from '#gateway/csv/dialect.ts';
import { pieceChars } from '#gateway/csv/records.ts';
import { type Endpoint, type Operation, open } from '#gateway/http/operation.ts';
import { loadLimitsDefault } from '#gateway/http/server.ts';
import { lineCharsMax } from '#gateway/streams/ndjson-parts.ts';
import { partCharsMax, partRowsMax } from '#gateway/streams/parts.ts';
import { batchBytesMax, batchRowsMax } from '#gateway/submissions/batches.ts';
import { cellCharsMax, noteCharsMax } from '#gateway/submissions/cells.ts';
import { claimSerialsMax } from '#shared/domain/claims/index.ts';
import type { ApiConfig } from './api.ts';
import { idempotencyKeyCharsMax, json } from './common.ts';
import { calculationsMax } from './entitlements.ts';
import { keyAnswersMs } from './keyed.ts';
import { searchPageMax } from './search.ts';
import { lookupSerialsMax } from './serials.ts';

const strict = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const count = (description: string) => Type.Integer({ minimum: 0, description });

const OperationLimits = Type.Object(
  {
    body_bytes: Type.Optional(count('of the body, also once it is unpacked')),
    page: Type.Optional(count('the most that `limit` may ask for')),
    wait_ms: Type.Optional(count('the longest that `wait_ms` may ask for')),
    requests_per_minute: Type.Optional(count('from one address')),
  },
  strict,
);

/** By what name a limit is called in a refusal, it stands here. */
const LimitsView = Type.Object(
  {
    accounts: Type.Object(
      {
        requests_per_minute: count('of one account, at each instance'),
        rows_per_minute: count('of one account, at each instance; a stream is slowed down to it'),
        subscriptions: Count,
        users: Count,
        authorities: Count,
        sign_ups_per_minute: count('from one address'),
        cec_details_days: count('after which details as the CEC holds them are stale'),
      },
      strict,
    ),
    requests: Type.Object(
      {
        body_seconds: count('in which the body of a request that is no stream must come'),
        body_window_seconds: Count,
        body_window_bytes: count('that must come in each such window'),
        inflation: count('times its compressed size that a body may grow to'),
        idempotency_key_characters: Count,
        keys_shown_again_minutes: count('for which a repetition is answered with the keys that it made'),
      },
      strict,
    ),
    uploads: Type.Object(
      {
        at_once: Count,
        at_once_per_account: Count,
        megabytes_at_once: count('of the bodies of all uploads; of one account half of it'),
        written_at_once: count('by turns among accounts'),
      },
      strict,
    ),
    submissions: Type.Object(
      {
        rows: Type.Object(
          { csv: Count, json: Count },
          { ...strict, description: 'of one submission, by channel' },
        ),
        rows_by_guidance: Type.Record(Type.String(), Count, {
          description: 'of a file that is uploaded with `guidance`',
        }),
        damaged_share: Type.Number({
          description: 'more rows than this share damaged by a spreadsheet program: nothing is taken',
        }),
        bytes: Count,
        cell_characters: Count,
        note_characters: count('of the free text of a change'),
        headings_characters: Count,
        record_characters: Count,
        blank_lines: count('in files and streams; a hundred more for each row'),
        batch_rows: Count,
        batch_bytes: Count,
      },
      strict,
    ),
    streams: Type.Object(
      {
        at_once: Count,
        at_once_per_account: Count,
        submission_rows: count('after which a stream is cut'),
        submission_characters: count('after which a stream is cut'),
        line_characters: count('of one row'),
        idle_seconds: count('that a stream may be silent'),
      },
      { ...strict, description: 'a stream itself may have any size' },
    ),
    claims: Type.Object({ file_records: Count, file_record_characters: Count, serials: Count }, strict),
    lookups: Type.Object(
      { serials: Count, wait_ms: count('for which a look-up waits for the ledger') },
      strict,
    ),
    search: Type.Object({ page: Count }, strict),
    entitlements: Type.Object({ calculations: Count, requests_per_minute: Count }, strict),
    operations: Type.Record(Type.String(), OperationLimits, {
      description: 'by operation of this description',
    }),
  },
  strict,
);

/** Every limit that there is, as it is configured. */
export function limitsOf(config: ApiConfig, operations: readonly Operation[]): Static<typeof LimitsView> {
  return {
    accounts: {
      requests_per_minute: config.requestsPerMinute,
      rows_per_minute: config.rowsPerMinute,
      subscriptions: subscriptionsMax,
      users: usersMax,
      authorities: authoritiesMax,
      sign_ups_per_minute: config.signUpsPerMinute,
      cec_details_days: config.cecDetailsDaysMax,
    },
    requests: {
      body_seconds: config.bodySecondsMax,
      body_window_seconds: loadLimitsDefault.bodyWindowMs / 1_000,
      body_window_bytes: loadLimitsDefault.bodyWindowBytes,
      inflation: config.inflationMax,
      idempotency_key_characters: idempotencyKeyCharsMax,
      keys_shown_again_minutes: keyAnswersMs / 60_000,
    },
    uploads: {
      at_once: config.uploadsMax,
      at_once_per_account: config.accountUploadsMax,
      megabytes_at_once: config.uploadMemoryMb,
      written_at_once: config.producersMax,
    },
    submissions: {
      rows: { csv: config.rowLimits.csv, json: config.rowLimits.json },
      rows_by_guidance: { ...config.rowLimits.guidance },
      damaged_share: config.damagePercentMax / 100,
      bytes: config.bodyBytesMax,
      cell_characters: cellCharsMax,
      note_characters: noteCharsMax,
      headings_characters: headingsCharsMax,
      record_characters: pieceChars,
      blank_lines: blankLinesMax,
      batch_rows: batchRowsMax,
      batch_bytes: batchBytesMax,
    },
    streams: {
      at_once: config.streamsMax,
      at_once_per_account: config.accountStreamsMax,
      submission_rows: partRowsMax,
      submission_characters: partCharsMax,
      line_characters: lineCharsMax,
      idle_seconds: config.streamIdleSeconds,
    },
    claims: {
      file_records: claimFileRecordsMax,
      file_record_characters: claimRecordCharsMax,
      serials: claimSerialsMax,
    },
    lookups: { serials: lookupSerialsMax, wait_ms: config.lookupWaitMs },
    search: { page: searchPageMax },
    entitlements: { calculations: calculationsMax, requests_per_minute: config.entitlementsPerMinute },
    operations: Object.fromEntries(
      operations.map((operation) => [operation.id, limitsOfOperation(operation)] as const).filter(hasLimits),
    ),
  };
}

function limitsOfOperation({ body, query, perMinuteMax }: Operation): Static<typeof OperationLimits> {
  const page = maximumOf(query, 'limit');
  const waitMs = maximumOf(query, 'wait_ms');
  return {
    ...(body && body.kind !== 'stream' ? { body_bytes: body.bytesMax } : {}),
    ...(page === undefined ? {} : { page }),
    ...(waitMs === undefined ? {} : { wait_ms: waitMs }),
    ...(perMinuteMax === undefined ? {} : { requests_per_minute: perMinuteMax }),
  };
}

function maximumOf(query: TObject | undefined, name: string): number | undefined {
  return (query?.properties[name] as { maximum?: number } | undefined)?.maximum;
}

function hasLimits([, limits]: readonly [string, object]): boolean {
  return Object.keys(limits).length > 0;
}

export function limitEndpoints(config: ApiConfig, operations: readonly Operation[]): readonly Endpoint[] {
  const limits = limitsOf(config, operations);
  return [
    open(
      {
        id: 'getLimits',
        method: 'GET',
        path: '/v1/limits',
        tag: 'about',
        summary: 'All limits of the API',
        access: 'public',
        answers: { 200: { description: 'The limits.', content: json(LimitsView) } },
        refusals: [],
      },
      async () => ({ status: 200, body: limits }),
    ),
  ];
}
