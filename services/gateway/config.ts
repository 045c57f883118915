import { fileURLToPath } from 'node:url';
import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { choice, text, whole } from '#shared/runtime/config.ts';
import { clickhouseSettings } from '#shared/runtime/engine-settings.ts';
import { lastDays } from './declarations/api-users.ts';
import { loadLimitsDefault } from './http/server.ts';
import { damageShareMaxDefault } from './submissions/collect.ts';
import { parseRowLimits, rowLimitsDefault } from './submissions/limits.ts';

const catalogueFile = fileURLToPath(new URL('../../deploy/catalogues/changes.json', import.meta.url));
const sha256 = /^[0-9a-f]{64}$/;

export const gatewaySettings = {
  ...kafkaSettings,
  ...clickhouseSettings,
  port: whole('GATEWAY_PORT', 'port of the API; 0 takes a free one', { least: 0, most: 65_535, fallback: 0 }),
  operatorKeySha256: {
    ...text(
      'OPERATOR_KEY_SHA256',
      'SHA-256 in hexadecimal of the first operator key, used while there is no operator',
    ),
    fallback: '',
    parse(value: string) {
      if (!sha256.test(value)) throw new Error('must be 64 lower-case hexadecimal digits');
      return value;
    },
  },
  bodyBytesMax: whole('SUBMISSION_BYTES_MAX', 'bytes of one uploaded file', {
    least: 64 * 1024,
    // Its compressed form must fit into one message of the topic of manifests.
    most: 12 * 1024 * 1024,
    fallback: 8 * 1024 * 1024,
  }),
  rowLimits: {
    ...text(
      'SUBMISSION_ROWS_MAX',
      'rows of one submission by channel, and of files by the guidance that they follow: csv=5000, json=5000, csv:vsp=1000',
    ),
    fallback: rowLimitsDefault,
    parse: parseRowLimits,
  },
  catalogueFile: text(
    'CHANGE_CATALOGUE_FILE',
    'JSON file with the reasons for marking serials as invalid, and the statuses with their reasons',
    catalogueFile,
  ),
  damagePercentMax: whole(
    'DAMAGED_ROWS_PERCENT_MAX',
    'percent of rows damaged by a spreadsheet program, of a file or of one model in it, above which nothing is taken',
    { least: 0, most: 100, fallback: 100 * damageShareMaxDefault },
  ),
  uploadsMax: whole('UPLOADS_MAX', 'uploads read or written at once; more are told to come again', {
    least: 1,
    most: 10_000,
    fallback: loadLimitsDefault.uploadsMax,
  }),
  accountUploadsMax: whole('UPLOADS_PER_ACCOUNT_MAX', 'uploads of one account read or written at once', {
    least: 1,
    most: 10_000,
    fallback: loadLimitsDefault.accountUploadsMax,
  }),
  uploadMemoryMb: whole(
    'UPLOAD_MEMORY_MB',
    'megabytes that the bodies of all uploads may take at once; one account may have half of it',
    { least: 16, most: 16_384, fallback: loadLimitsDefault.uploadMemoryBytes / 1024 / 1024 },
  ),
  requestsPerMinute: whole('REQUESTS_PER_MINUTE', 'requests of one account, at each instance', {
    least: 1,
    most: 10_000_000,
    fallback: loadLimitsDefault.requestsPerMinute,
  }),
  rowsPerMinute: whole(
    'ROWS_PER_MINUTE',
    'rows that one account may send in files, JSON and streams, at each instance; streams are slowed down to it',
    { least: 1_000, most: 1_000_000_000, fallback: 10_000_000 },
  ),
  bodySecondsMax: whole(
    'BODY_SECONDS_MAX',
    'seconds in which the body of a request that is no stream must come',
    {
      least: 1,
      most: 3_600,
      fallback: loadLimitsDefault.bodyMs / 1_000,
    },
  ),
  inflationMax: whole('INFLATION_MAX', 'times its compressed size that a body may grow to', {
    least: 10,
    most: 1_000,
    fallback: loadLimitsDefault.inflationMax,
  }),
  streamsMax: whole('STREAMS_MAX', 'streams that come in at once; more are told to come again', {
    least: 1,
    most: 1_000,
    fallback: 16,
  }),
  accountStreamsMax: whole('STREAMS_PER_ACCOUNT_MAX', 'streams of one account that come in at once', {
    least: 1,
    most: 1_000,
    fallback: 4,
  }),
  streamIdleSeconds: whole('STREAM_IDLE_SECONDS', 'seconds that a stream may be silent', {
    least: 1,
    most: 3_600,
    fallback: 60,
  }),
  producersMax: whole('TRANSACTION_PRODUCERS', 'transactions written at once', {
    least: 1,
    most: 64,
    fallback: 8,
  }),
  lookupWaitMs: whole('LOOKUP_WAIT_MS', 'how long a look-up waits for the ledger before it says "not yet"', {
    least: 0,
    most: 30_000,
    fallback: 1_000,
  }),
  entitlementsPerMinute: whole('ENTITLEMENTS_PER_MINUTE', 'requests to the calculator from one address', {
    least: 1,
    most: 100_000,
    fallback: 120,
  }),
  signUpsPerMinute: whole('SIGN_UPS_PER_MINUTE', 'sign-ups from one address; 0 closes signing up', {
    least: 0,
    most: 100_000,
    fallback: 10,
  }),
  cecDetailsDaysMax: whole('CEC_DETAILS_DAYS_MAX', 'days after which details of the CEC are stale', {
    least: 1,
    most: 36_500,
    fallback: 365,
  }),
  lastDayOfDeclaration: choice(
    'API_DECLARATION_LAST_DAY',
    'whether the day that ends the three months of a declaration for API users still counts',
    lastDays,
    'included',
  ),
} as const;
