import type { Logger } from 'pino';
import { type Account, isRegulator } from '#gateway/accounts/account.ts';
import type { Accounts } from '#gateway/accounts/accounts.ts';
import { suppliersOf } from '#gateway/accounts/authority.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { permitCheck, permitUpload, senderOf } from '#gateway/accounts/upload.ts';
import { type Catalogue, findEntry } from '#gateway/changes/catalogue.ts';
import { historyPage } from '#gateway/history/page.ts';
import type { Endpoint } from '#gateway/http/operation.ts';
import type { LoadLimits } from '#gateway/http/server.ts';
import { historyReads } from '#gateway/ledger/history.ts';
import { silentHolders } from '#gateway/ledger/holders.ts';
import { approvedLists } from '#gateway/ledger/listings.ts';
import { searchReads } from '#gateway/ledger/search.ts';
import { latestEntries } from '#gateway/ledger/serials.ts';
import { streamReads } from '#gateway/ledger/streams.ts';
import { submissionReads } from '#gateway/ledger/submissions.ts';
import { watermarkReader } from '#gateway/ledger/watermarks.ts';
import { FairQueue } from '#gateway/load/fair-queue.ts';
import { RowBudget } from '#gateway/load/row-budget.ts';
import { lookUp, visibleTo } from '#gateway/lookup/lookup.ts';
import { Ticks } from '#gateway/lookup/ticks.ts';
import { Watermarks } from '#gateway/lookup/watermarks.ts';
import { MarkingDesk } from '#gateway/marking/desk.ts';
import { pause, submissionLog, tickSender } from '#gateway/ports.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import type { Place, SearchQuery } from '#gateway/search/query.ts';
import { searchScope } from '#gateway/search/scope.ts';
import { searchAll, searchPage } from '#gateway/search/search.ts';
import { StreamDesk } from '#gateway/streams/desk.ts';
import { OpenStreams } from '#gateway/streams/open.ts';
import type { StreamResult } from '#gateway/streams/run.ts';
import type { Contents } from '#gateway/submissions/collect.ts';
import { SubmissionDesk } from '#gateway/submissions/desk.ts';
import { Intake } from '#gateway/submissions/intake.ts';
import { bytesOf } from '#gateway/submissions/kept-file.ts';
import type { RowLimits } from '#gateway/submissions/limits.ts';
import type { RecentSubmissions } from '#gateway/submissions/recent.ts';
import { reportRows } from '#gateway/submissions/report.ts';
import { outcomeSeenBy } from '#gateway/submissions/seen.ts';
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
import { applicationEndpoints } from './applications.ts';
import { authorityEndpoints } from './authorities.ts';
import { claimsApi } from './claims-api.ts';
import { declarationEndpoints } from './declarations.ts';
import { entitlementEndpoints } from './entitlements.ts';
import { historyEndpoints } from './history.ts';
import { invalidationEndpoints } from './invalidations.ts';
import { KeyAnswers } from './keyed.ts';
import { limitEndpoints } from './limits.ts';
import { peopleEndpoints, signUpEndpoints } from './people.ts';
import { registrationEndpoints } from './registrations.ts';
import { reportEndpoints } from './reports.ts';
import { searchEndpoints } from './search.ts';
import { serialEndpoints } from './serials.ts';
import { streamEndpoints } from './streams.ts';
import { type SubmissionApi, submissionEndpoints } from './submissions.ts';
import { subscriptionEndpoints } from './subscriptions.ts';

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
  /** What changes are called. */
  readonly catalogue: Catalogue;
  readonly config: ApiConfig;
}

export interface ApiConfig {
  readonly bodyBytesMax: number;
  readonly rowLimits: RowLimits;
  readonly damagePercentMax: number;
  readonly uploadsMax: number;
  readonly accountUploadsMax: number;
  readonly uploadMemoryMb: number;
  readonly requestsPerMinute: number;
  readonly rowsPerMinute: number;
  readonly bodySecondsMax: number;
  readonly inflationMax: number;
  readonly streamsMax: number;
  readonly accountStreamsMax: number;
  readonly streamIdleSeconds: number;
  readonly producersMax: number;
  readonly lookupWaitMs: number;
  readonly entitlementsPerMinute: number;
  /** 0 closes the way in: people are then registered by the agency alone. */
  readonly signUpsPerMinute: number;
  readonly cecDetailsDaysMax: number;
}

export interface Api {
  readonly endpoints: readonly Endpoint[];
  /** By which the server keeps one client from hurting others. */
  readonly load: Partial<LoadLimits>;
  /** Whoever waits for something is answered now: the process ends. */
  hurry(): void;
}

const earlierWaitMs = 250;
const watermarkPauseMs = 15;
/** A file that was accepted a moment ago is waited for on its way to the ledger. */
const fileWaitMs = 2_000;
const filePauseMs = 50;
/** Bytes that must come of a stream while it is waited for. */
const streamBytesMin = 1024;

/** All operations of the gateway on the real engines. */
export function createApi(options: ApiOptions): Api {
  const { clickhouse, codec, publisher, partitions, recent, config } = options;
  let hurried = false;
  // Waiting ends when the process does: nobody's patience may outlast the drain.
  const now = () => (hurried ? Number.POSITIVE_INFINITY : Date.now());
  const reads = submissionReads(clickhouse);
  const readWatermarks = watermarkReader(clickhouse, topicName('serials.decided'));
  const history = { ...historyReads(clickhouse), upTo: readWatermarks };
  const watermarks = new Watermarks(readWatermarks, {
    pauseMs: watermarkPauseMs,
    now,
  });
  const earlier: EarlierSubmissions = {
    async withKey(account, key) {
      const followed = recent.withKey(account, key);
      return followed.length > 0 ? followed : reads.withKey(account, key);
    },
  };
  const submissionsLog = submissionLog(options.transactions, codec);
  // Whatever is read and written together, by turns among accounts: there is a producer for each.
  const turns = new FairQueue(config.producersMax);
  const budget = new RowBudget(config.rowsPerMinute);
  const desk = new SubmissionDesk(submissionsLog, earlier, {
    now: Date.now,
    earlierWaitMs,
    written: (submission, contents) => accepted(options, submission, contents),
    earlierUnknown: (error) =>
      options.log.warn({ err: error }, 'earlier submissions with the key are not known'),
  });
  const list = approvedLists(clickhouse);
  const damageShareMax = config.damagePercentMax / 100;
  const lookups = {
    partitions,
    ticks: new Ticks(tickSender({ publisher, codec })),
    watermarks,
    authorityOf: (viewer: Account) => senderOf(options.accounts, { account: viewer }).mayUploadFor,
    entries: (product: Product, keys: readonly string[]) => latestEntries(clickhouse, product, keys),
  };
  const searches = searchReads(clickhouse);
  const scopeOf = ({ account }: Identity) =>
    searchScope(searches, account, suppliersOf(options.accounts.authoritiesOf(account)));
  // In the ledger a status stands by its id.
  const asked = (query: SearchQuery): SearchQuery =>
    query.status === undefined
      ? query
      : { ...query, status: findEntry(options.catalogue.statuses, query.status)?.id ?? query.status };
  const search = {
    page: async (
      query: SearchQuery,
      viewer: Identity,
      page: { readonly after?: Place; readonly limit: number },
    ) => searchPage(searches, asked(query), await scopeOf(viewer), page),
    async *all(query: SearchQuery, viewer: Identity, after?: Place) {
      yield* searchAll(searches, asked(query), await scopeOf(viewer), after);
    },
    count: async (query: SearchQuery, viewer: Identity) =>
      searches.count(asked(query), await scopeOf(viewer)),
  };
  const statusPorts = { reads, watermarks, remembered: (id: string) => recent.get(id), now, pause };
  const lookUpSerials = (product: Product, serials: readonly string[], { account }: Identity) =>
    lookUp(lookups, { product, serials, viewer: account }, config.lookupWaitMs);

  const { accounts } = options;
  const keyAnswers = new KeyAnswers(Date.now);
  const accountApi = { accounts, keyAnswers, detailsDaysMax: config.cecDetailsDaysMax };
  const { signUpsPerMinute } = config;
  const intake = new Intake({
    permit: (identity, intent) => permitUpload(accounts, identity, intent),
    permitCheck: (identity, product) => permitCheck(accounts, identity, product),
    rowsAllowed: (account, rows) => rowsRefusal(budget, config.rowsPerMinute, account, rows),
    desk,
    partitions,
    damageShareMax,
    catalogue: options.catalogue,
    list,
    now: Date.now,
  });
  const submissions: SubmissionApi = {
    intake: {
      take: (sent, identity) => turns.run(identity.account.id, () => intake.take(sent, identity)),
      check: (sent, identity) => turns.run(identity.account.id, () => intake.check(sent, identity)),
    },
    bodyBytesMax: config.bodyBytesMax,
    rowLimits: config.rowLimits,
    status: async (id, waitMs) => watched(options, await submissionStatus(statusPorts, id, waitMs)),
    report: ({ id, action }, { account: viewer }, remarks) =>
      reportRows(reads.report(id, { remarks }), { action, viewer }, { entries: lookups.entries, list }),
    file: (id) => keptFile(id),
  };

  const open = new OpenStreams({ openMax: config.streamsMax, accountMax: config.accountStreamsMax });
  const streamLedger = streamReads(clickhouse);
  // What was begun goes on for long: who goes on with it may have changed since, or be nobody any more.
  const asOfNow = <T>(identity: Identity, permit: (now: Identity) => T) => {
    const now = accounts.current(identity);
    return now ? permit(now) : refuse('credentials_unknown');
  };
  const pace = { windowMs: config.streamIdleSeconds * 1_000, bytesMin: streamBytesMin };
  const encode = async (submission: Submission, { findings }: Contents) => {
    const { batches: _, bodyGzip: __, ...head } = submission;
    const encoded = await submissionsLog.encode(submission);
    return () =>
      turns.run(head.account, async () => {
        await encoded.write();
        accepted(options, head, { findings });
      });
  };
  const rowsAwaitedOf = (account: string, rows: number, signal: AbortSignal) =>
    rowsAwaited(budget, account, rows, signal);
  const keptFile = (id: string) => awaited(() => reads.file(id), now() + fileWaitMs, now);
  const markings = new MarkingDesk({
    catalogue: options.catalogue,
    open,
    streams: streamLedger,
    recent,
    earlier,
    partitions,
    permit: (identity, product) => asOfNow(identity, (now) => permitCheck(accounts, now, product)),
    count: search.count,
    matching: search.all,
    latest: (product, places) => searches.latest({ product }, places),
    async kept(id) {
      const file = await keptFile(id);
      return file && bytesOf(file);
    },
    encode,
    rowsAllowed: rowsAwaitedOf,
    failed: (error) => options.log.warn({ err: error }, 'a marking meets a difficulty'),
    now: Date.now,
  });
  const streams = new StreamDesk({
    open,
    reads: streamLedger,
    recent,
    earlier,
    permit: (identity, { product }) =>
      asOfNow(identity, (now) => permitUpload(accounts, now, { product, channel: 'stream' })),
    sender: (identity) => senderOf(accounts, accounts.current(identity) ?? identity),
    encode,
    rowsAllowed: rowsAwaitedOf,
    failed: (error) => options.log.warn({ err: error }, 'a stream meets a difficulty'),
    partitions,
    damageShareMax,
    catalogue: options.catalogue,
    pace,
    now: Date.now,
  });

  const endpoints = [
    ...(signUpsPerMinute > 0 ? signUpEndpoints(accountApi, { perMinuteMax: signUpsPerMinute }) : []),
    ...accountEndpoints(accountApi),
    ...peopleEndpoints(accountApi),
    ...applicationEndpoints(accountApi),
    ...authorityEndpoints(accountApi),
    ...subscriptionEndpoints(accountApi),
    ...declarationEndpoints(accountApi),
    ...submissionEndpoints(submissions),
    ...historyEndpoints({
      page: (query, page) => historyPage(history, query, page),
      caughtUp: async (account) => {
        const last = recent.last(account);
        if (last === undefined) return true;
        const there = await awaited(() => reads.manifest(last), now() + fileWaitMs, now);
        return there !== undefined;
      },
    }),
    ...registrationEndpoints(submissions),
    ...serialEndpoints({ lookUp: lookUpSerials }),
    ...searchEndpoints(search),
    ...invalidationEndpoints({
      desk: markings,
      bodyBytesMax: config.bodyBytesMax,
      patienceMs: pace.windowMs,
      ended: (marking, result) => streamEnded(options, marking, result),
      failed: (error) => options.log.error({ err: error }, 'a marking failed'),
    }),
    ...streamEndpoints({
      desk: streams,
      parts: streamLedger.parts,
      patienceMs: pace.windowMs,
      ended: (stream, result) => streamEnded(options, stream, result),
      failed: (error) => options.log.error({ err: error }, 'a stream failed'),
    }),
    ...claimsApi({
      ...options,
      bodyBytesMax: config.bodyBytesMax,
      perMinuteMax: config.entitlementsPerMinute,
      now,
      lookUp: lookUpSerials,
      readerOf: ({ account }) => ({
        account: account.id,
        all: isRegulator(account),
        sees: visibleTo(account, lookups.authorityOf(account)),
        outcomeSeen: (outcome) => outcomeSeenBy(account, outcome),
      }),
    }),
    ...reportEndpoints({ silentHolders: (product) => silentHolders(clickhouse, product) }),
    ...entitlementEndpoints({ perMinuteMax: config.entitlementsPerMinute }),
    ...aboutEndpoints(options.catalogue),
  ];
  const operations = endpoints.map(({ operation }) => operation);
  return {
    endpoints: [...endpoints, ...limitEndpoints(config, operations)],
    load: {
      uploadsMax: config.uploadsMax,
      accountUploadsMax: config.accountUploadsMax,
      uploadMemoryBytes: config.uploadMemoryMb * 1024 * 1024,
      requestsPerMinute: config.requestsPerMinute,
      bodyMs: config.bodySecondsMax * 1_000,
      inflationMax: config.inflationMax,
    },
    hurry() {
      hurried = true;
      open.stop();
    },
  };
}

/** UP-2 by the minute: an upload is taken as a whole, or told when to come again. */
function rowsRefusal(
  budget: RowBudget,
  perMinute: number,
  account: string,
  rows: number,
): Refusal | undefined {
  const waitMs = budget.take(account, rows, Date.now());
  if (waitMs === 0) return undefined;
  return refuse('rows_limited', `an account may send ${perMinute} rows a minute`, {
    limit: perMinute,
    limit_name: 'accounts.rows_per_minute',
    retry_after: Math.ceil(waitMs / 1_000),
  });
}

/** A stream waits, and so does whoever sends it. */
async function rowsAwaited(
  budget: RowBudget,
  account: string,
  rows: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const waitMs = budget.take(account, rows, Date.now());
    if (waitMs === 0 || signal.aborted) return;
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

function streamEnded(
  { log }: Pick<ApiOptions, 'log'>,
  { id: stream, account }: { readonly id: string; readonly account: string },
  result: StreamResult | undefined,
): void {
  if (!result) {
    log.info({ stream, account }, 'the connection of a stream broke');
    return;
  }
  const { rows, submissions, repeated, committedRow, refusal } = result;
  const counts = { rows, submissions, repeated, committedRow };
  log.info({ stream, account, ...counts, refused: refusal?.refused }, 'stream ended');
}

function accepted(
  { metrics, log, recent }: Pick<ApiOptions, 'metrics' | 'log' | 'recent'>,
  submission: Omit<Submission, 'batches' | 'bodyGzip'>,
  contents: Pick<Contents, 'findings'>,
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
      stream: submission.stream?.id ?? '',
      first_row: submission.stream?.firstRow ?? 0,
    },
    acceptedMs,
  );
}

/** What is asked for, once it is there; undefined when the time is over. */
async function awaited<T>(
  ask: () => Promise<T | undefined>,
  deadline: number,
  now: () => number,
): Promise<T | undefined> {
  for (;;) {
    const found = await ask();
    if (found !== undefined || now() >= deadline) return found;
    await pause(filePauseMs);
  }
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
