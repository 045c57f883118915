import { readFile } from 'node:fs/promises';
import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { openClickhouse, openKafka } from '#shared/adapters/engines.ts';
import { Publisher } from '#shared/adapters/kafka/publisher.ts';
import { requireTopics, serialPartitions, topicName } from '#shared/adapters/kafka/topics.ts';
import { TransactionPool } from '#shared/adapters/kafka/transactions.ts';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { Codec } from '#shared/codec/codec.ts';
import { withFailurePoints } from '#shared/runtime/failure-points.ts';
import { runService } from '#shared/runtime/service.ts';
import { Accounts } from './accounts/accounts.ts';
import { followAccounts } from './accounts/follow.ts';
import { createApi } from './api/api.ts';
import { parseCatalogue } from './changes/catalogue.ts';
import { gatewaySettings } from './config.ts';
import { createServer } from './http/server.ts';
import { watermarkReader } from './ledger/watermarks.ts';
import { accountsLog } from './ports.ts';
import { followSubmissions, RecentSubmissions } from './submissions/recent.ts';

const readBackTimeoutMs = 10_000;
const turnMs = 1_000;

await runService('gateway', gatewaySettings, async (context) => {
  const { config, log, metrics, turned, at, onClose } = context;
  const catalogue = parseCatalogue(await readFile(config.catalogueFile, 'utf8'));
  const kafka = openKafka('gateway', context);
  const clickhouse = openClickhouse(context);
  await requireTopics(kafka, config.topicsProfile);
  await requireMigrations(clickhouse);

  // For readiness alone: it asks the brokers whether they are there.
  const admin = kafka.admin();
  onClose('admin', () => admin.disconnect());
  await admin.connect();

  const codec = await Codec.open(openRegistry(config.registryUrl), {
    [topicName('accounts')]: 'AccountEvent',
    [topicName('submissions')]: 'SubmissionManifest',
    [topicName('serials.submitted')]: 'SerialBatch',
    [topicName('claims.submitted')]: 'ClaimEvent',
    [topicName('rulings')]: 'Ruling',
  });
  const publisher = withFailurePoints(new Publisher(kafka), at, {
    send: (topic: string) => `gateway.${topic}`,
  });
  onClose('publisher', () => publisher.close());
  const transactions = new TransactionPool(kafka, {
    instance: `gateway-${config.instance}`,
    producersMax: config.producersMax,
    failurePoint: (name) => at(`gateway.transaction-${name}`),
  });
  onClose('transactions', () => transactions.close());
  await transactions.ready();

  const accounts = new Accounts(accountsLog({ publisher, codec }), {
    now: Date.now,
    readBackTimeoutMs,
    lastDayOfDeclaration: config.lastDayOfDeclaration,
  });
  const follower = await followAccounts({
    kafka,
    topic: topicName('accounts'),
    decoder: codec.decoder('AccountEvent'),
    accounts,
    log,
  });
  onClose('accounts', () => follower.close());
  if (config.operatorKeySha256 !== '') {
    await accounts.whenReady();
    await accounts.ensureOperator(config.operatorKeySha256);
  }

  const recent = new RecentSubmissions();
  const manifests = topicName('submissions');
  const submissions = await followSubmissions({
    kafka,
    topic: manifests,
    codec,
    recent,
    watermark: (await watermarkReader(clickhouse, manifests)()).get(0) ?? -1,
  });
  onClose('submissions', () => submissions.close());

  const api = createApi({
    accounts,
    clickhouse,
    codec,
    publisher,
    transactions,
    recent,
    metrics,
    log,
    partitions: serialPartitions(config.topicsProfile),
    catalogue,
    config,
  });
  const server = await createServer({
    endpoints: api.endpoints,
    log,
    ready: () => accounts.ready,
    identify: (key) => accounts.identify(key),
    used: (identity) =>
      accounts.keyUsed(identity, (error) =>
        log.warn({ err: error }, 'the use of a key was not written down'),
      ),
    load: api.load,
  });
  onClose('http', async () => {
    api.hurry();
    await server.close();
  });
  const url = await server.listen({ host: config.host, port: config.port });

  // The loop of a gateway is its event loop: whoever can not run this timer can not answer either.
  const turning = setInterval(turned, turnMs);
  onClose('turning', async () => clearInterval(turning));
  return {
    failed: Promise.race([follower.failed, submissions.failed]),
    dependencies: {
      kafka: () => admin.describeCluster(),
      clickhouse: () => clickhouse.ping(),
      accounts: () => accounts.whenReady(),
    },
    addresses: { http: url },
  };
});
