// Creates the topics of deploy/kafka/topics.json, and says how existing ones differ. `--check` creates nothing.
// Exit 0: as they shall be, or differences that are only warned of; 4: a service would refuse to start.
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { checkTopics, createTopics, topicSpecs } from '#shared/adapters/kafka/topics.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { readConfig } from '#shared/runtime/config.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const read = readConfig(kafkaSettings, process.env);
  if ('faults' in read) {
    for (const fault of read.faults) process.stderr.write(`${fault}\n`);
    return 2;
  }
  const { kafkaBrokers: brokers, topicsProfile: profile } = read.config;
  const kafka = createKafka({ brokers, clientId: 'topics', log: pino({ name: 'topics', level: 'error' }) });
  const specs = topicSpecs(profile);
  const created = values.check ? [] : await createTopics(kafka, specs);
  for (const name of created) say(`${name} created`);
  const found = await checkTopics(kafka, specs, profile);
  for (const { topic, weight, text } of found)
    say(`${topic} ${text}${weight === 'refuse' ? '  <- refused' : ''}`);
  const refused = found.filter(({ weight }) => weight === 'refuse').length;
  say(
    `${specs.length} topics, ${created.length} created, ${found.length} differences, ${refused} of them refused`,
  );
  return refused === 0 ? 0 : 4;
}

try {
  process.exitCode = await run();
} catch (error) {
  if (!(error instanceof OperationalError)) throw error;
  process.stderr.write(`topics not ready: ${error.message}\n`);
  process.exitCode = 1;
}
