import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import type { EngineUrls } from './engines.ts';

const images = {
  kafka: 'apache/kafka:4.0.2',
  registry: 'quay.io/apicurio/apicurio-registry-mem:2.6.13.Final',
  redis: 'redis:7.4',
  clickhouse: 'clickhouse/clickhouse-server:26.7',
} as const;

/** Engines in containers, for machines with Docker. Ports are published on this host; nothing is kept. */
export async function startContainers(): Promise<{ urls: EngineUrls; stop(): Promise<void> }> {
  // Kafka must tell clients an address that they can reach, so its port is fixed before it starts.
  const kafkaPort = 20_000 + (process.pid % 20_000);
  const started = await Promise.allSettled([
    new GenericContainer(images.kafka)
      .withExposedPorts({ container: 9092, host: kafkaPort })
      .withEnvironment(kafkaEnvironment(kafkaPort))
      .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
      .start(),
    new GenericContainer(images.registry)
      .withExposedPorts(8080)
      .withWaitStrategy(Wait.forHttp('/apis/ccompat/v7/subjects', 8080))
      .start(),
    new GenericContainer(images.redis)
      .withExposedPorts(6379)
      .withCommand(['redis-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'])
      .start(),
    new GenericContainer(images.clickhouse)
      .withExposedPorts(8123)
      .withEnvironment({ CLICKHOUSE_SKIP_USER_SETUP: '1', CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT: '1' })
      .withWaitStrategy(Wait.forHttp('/ping', 8123))
      .start(),
  ]);
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async () => {
    await Promise.all(running.map((container) => container.stop()));
  };
  const failure = started.find((result) => result.status === 'rejected');
  if (failure) {
    await stop();
    throw new Error(
      `ENGINES=containers: Docker did not start the engines: ${(failure.reason as Error).message}`,
    );
  }
  const [, registry, redis, clickhouse] = running as [
    StartedTestContainer,
    StartedTestContainer,
    StartedTestContainer,
    StartedTestContainer,
  ];
  const address = (container: StartedTestContainer, port: number) =>
    `${container.getHost()}:${container.getMappedPort(port)}`;
  return {
    urls: {
      kafkaBrokers: `127.0.0.1:${kafkaPort}`,
      schemaRegistryUrl: `http://${address(registry, 8080)}/apis/ccompat/v7`,
      redisUrl: `redis://${address(redis, 6379)}`,
      clickhouseUrl: `http://${address(clickhouse, 8123)}`,
    },
    stop,
  };
}

function kafkaEnvironment(port: number): Record<string, string> {
  return {
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
    KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_MESSAGE_MAX_BYTES: String(16 * 1024 * 1024),
  };
}
