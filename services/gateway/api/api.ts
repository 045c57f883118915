import type { Logger } from 'pino';
import type { Accounts } from '#gateway/accounts/accounts.ts';
import { ClaimDesk } from '#gateway/claims/desk.ts';
import { claimState } from '#gateway/claims/state.ts';
import type { Endpoint } from '#gateway/http/operation.ts';
import { claimRows } from '#gateway/ledger/claims.ts';
import { searchReads } from '#gateway/ledger/search.ts';
import { latestEntries } from '#gateway/ledger/serials.ts';
import { submissionReads } from '#gateway/ledger/submissions.ts';
import { watermarkReader } from '#gateway/ledger/watermarks.ts';
import { lookUp } from '#gateway/lookup/lookup.ts';
import { Ticks } from '#gateway/lookup/ticks.ts';
import { Watermarks } from '#gateway/lookup/watermarks.ts';
import { claimPorts, pause, submissionLog, tickSender } from '#gateway/ports.ts';
import { searchAllOf, searchScope } from '#gateway/search/scope.ts';
import { searchPage } from '#gateway/search/search.ts';
import { SubmissionDesk } from '#gateway/submissions/desk.ts';
import type { FileContents } from '#gateway/submissions/read-file.ts';
import type { RecentSubmissions } from '#gateway/submissions/recent.ts';
import { reportRows } from '#gateway/submissions/report.ts';
import { type SubmissionStatus, submissionStatus } from '#gateway/submissions/status.ts';
import type { EarlierSubmissions, Submission } from '#gateway/submissions/submission.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { TransactionPool } from '#shared/adapters/kafka/transactions.ts';
import type { Codec } from '#shared/codec/codec.ts';
import type { Product } from '#shared/domain/serials.ts';
import type { Metrics } from '#shared/runtime/metrics.ts';
import { aboutEndpoints } from './about.ts';
import { accountEndpoints } from './accounts.ts';
import { claimEndpoints } from './claims.ts';
import { calculationsMax, entitlementEndpoints } from './entitlements.ts';
import { searchEndpoints } from './search.ts';
import { lookupSerialsMax, serialEndpoints } from './serials.ts';
import { submissionEndpoints } from './submissions.ts';

export interface ApiOptions {
  readonly accounts: Accounts;
  readonly clickhouse: Clickhouse;
  readonly codec: Codec;
  readonly publisher: Publisher;
  readonly transactions: TransactionPool;
  readonly recent: RecentSubmissions;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Partitions of the serials; claims have as many. */
  readonly partitions: number;
  readonly config: {
    readonly bodyBytesMax: number;
    readonly uploadsMax: number;
    readonly lookupWaitMs: number;
    readonly entitlementsPerMinute: number;
  };
}

export interface Api {
  readonly endpoints: readonly Endpoint[];
  /** Whoever waits for something is answered now: the process ends. */
  hurry(): void;
}

const earlierWaitMs = 250;
const watermarkPauseMs = 15;

/** All operations of the gateway on the real engines. */
export function createApi(options: ApiOptions): Api {
  const { clickhouse, codec, publisher, partitions, recent, config } = options;
  let hurried = false;
  // Waiting ends when the process does: nobody's patience may outlast the drain.
  const now = () => (hurried ? Number.POSITIVE_INFINITY : Date.now());
  const reads = submissionReads(clickhouse);
  const watermarks = new Watermarks(watermarkReader(clickhouse, topicName('serials.decided')), {
    pauseMs: watermarkPauseMs,
    now,
  });
  const earlier: EarlierSubmissions = {
    async withKey(account, key) {
      const followed = recent.withKey(account, key);
      return followed.length > 0 ? followed : reads.withKey(account, key);
    },
  };
  const desk = new SubmissionDesk(submissionLog(options.transactions, codec), earlier, {
    partitions,
    now: Date.now,
    earlierWaitMs,
    written: (submission, contents) => accepted(options, submission, contents),
    earlierUnknown: (error) =>
      options.log.warn({ err: error }, 'earlier submissions with the key are not known'),
  });
  const lookups = {
    partitions,
    ticks: new Ticks(tickSender({ publisher, codec })),
    watermarks,
    entries: (product: Product, keys: readonly string[]) => latestEntries(clickhouse, product, keys),
  };
  const searches = searchReads(clickhouse);
  const claims = new ClaimDesk(claimPorts({ publisher, codec }, clickhouse, partitions));
  const claimReads = {
    rows: (claim: string) => claimRows(clickhouse, claim),
    published: (claim: string) => claims.published(claim),
    now,
    pause,
  };
  const statusPorts = { reads, watermarks, remembered: (id: string) => recent.get(id), now, pause };

  const endpoints = [
    ...accountEndpoints(options.accounts),
    ...submissionEndpoints({
      desk,
      bodyBytesMax: config.bodyBytesMax,
      status: async (id, waitMs) => watched(options, await submissionStatus(statusPorts, id, waitMs)),
      report: (id, { account }) =>
        reportRows(reads.report(id), account, (product, keys) => lookups.entries(product, keys)),
    }),
    ...serialEndpoints({
      lookUp: (product, serials, { account }) =>
        lookUp(lookups, { product, serials, viewer: account }, config.lookupWaitMs),
    }),
    ...searchEndpoints({
      page: async (query, { account }, page) =>
        searchPage(searches, query, await searchScope(searches, account), page),
      all: (query, { account }) => searchAllOf(searches, query, account),
      count: async (query, { account }) => searches.count(query, await searchScope(searches, account)),
    }),
    ...claimEndpoints({
      desk: claims,
      state: (claim, viewer, waitMs) => claimState(claimReads, claim, viewer, waitMs),
    }),
    ...entitlementEndpoints({ perMinuteMax: config.entitlementsPerMinute }),
    ...aboutEndpoints({
      submissionBytes: config.bodyBytesMax,
      uploadsAtOnce: config.uploadsMax,
      lookupSerials: lookupSerialsMax,
      lookupWaitMs: config.lookupWaitMs,
      entitlementCalculations: calculationsMax,
      entitlementRequestsPerMinute: config.entitlementsPerMinute,
    }),
  ];
  return {
    endpoints,
    hurry() {
      hurried = true;
    },
  };
}

function accepted(
  { metrics, log, recent }: Pick<ApiOptions, 'metrics' | 'log' | 'recent'>,
  submission: Submission,
  contents: FileContents,
): void {
  const acceptedMs = Date.now() - submission.receivedAt;
  for (const [finding, rows] of contents.findings)
    metrics.rows.inc({ stage: 'gateway', outcome: finding === '' ? 'accepted' : finding }, rows);
  metrics.batchSeconds.observe({ stage: 'gateway' }, acceptedMs / 1_000);
  log.info(
    { submission: submission.id, account: submission.account, rows: submission.rows, acceptedMs },
    'submission accepted',
  );
  recent.add(
    {
      submission: submission.id,
      account: submission.account,
      product: submission.product,
      action: submission.action,
      file_name: submission.fileName,
      rows: submission.rows,
      received_at: submission.receivedAt,
      idempotency_key: submission.idempotencyKey,
      body_sha256: submission.bodySha256,
    },
    acceptedMs,
  );
}

/** Whoever looks at a submission that does not add up raises the alarm. */
function watched(
  { log }: Pick<ApiOptions, 'log'>,
  status: SubmissionStatus | undefined,
): SubmissionStatus | undefined {
  if (status && (status.imbalance ?? 0) !== 0)
    log.error(
      { submission: status.id, imbalance: status.imbalance },
      'a final submission does not add up: rows without an outcome or a dead letter',
    );
  return status;
}
